//! What a customer is worth by what it left: the one place that knows the method, its assumptions and its model.

use std::collections::BTreeMap;

use eventsourcing::Time;
use money::Currency;
use read_model::{Error, Rows};
use retention_domain::Customer;
use retention_domain::ledger::statement::Standing;
use retention_domain::ledger::{Assumptions, Valuation};
use server::{Known, Moment};
use uuid::Uuid;

use super::equity::facts::Kept;
use super::equity::{books, facts};
use super::margins;

/// What a customer is worth at a moment, in minor units; nothing once it is lost.
pub(crate) fn of_customer(
    rows: &dyn Rows,
    id: Uuid,
    state: &Customer,
    as_of: Time,
) -> Result<i64, Error> {
    let relationship = state.relationship.as_ref();
    let Some(relationship) = relationship.filter(|relationship| !relationship.is_lost()) else {
        return Ok(0);
    };
    let currency = relationship.currency;
    let valuation = books::valuation(rows, currency)?;
    of(rows, (currency, id), &valuation, as_of, |kept| {
        kept.fact.at <= as_of
    })
}

/// What a customer is worth at a moment as if it were active, by the facts that count.
fn of(
    rows: &dyn Rows,
    (currency, id): (Currency, Uuid),
    valuation: &Valuation,
    as_of: Time,
    counts: impl Fn(&Kept) -> bool,
) -> Result<i64, Error> {
    let standing = Standing::at(as_of).for_valuation(valuation);
    let standing = facts::standing(rows, (currency, id), standing, counts)?;
    Ok(valuation.value_if_active(&standing))
}

/// What a customer would be worth by a model if it were active now, by all that is recorded; and when the next
/// of what is dated ahead will count.
pub(crate) fn by_model(
    rows: &dyn Rows,
    (currency, id): (Currency, Uuid),
    valuation: &Valuation,
    now: Time,
) -> Result<(i64, Option<Time>), Error> {
    let mut standing = Standing::at(now).for_valuation(valuation);
    let mut ahead: Option<Time> = None;
    for kept in facts::of_customer(rows, currency, id)? {
        if kept.fact.at <= now {
            standing.take(&kept.fact);
        } else {
            ahead = Some(ahead.map_or(kept.fact.at, |at| at.min(kept.fact.at)));
        }
    }
    Ok((valuation.value_if_active(&standing), ahead))
}

/// What each ledger's customers are valued with.
#[derive(Debug, Clone)]
pub(crate) struct Worth {
    /// Of ledgers without a history.
    unset: Valuation,
    set: BTreeMap<Currency, Valuation>,
}

impl Worth {
    /// By these assumptions, whatever the currency.
    pub(crate) fn by(assumptions: Assumptions) -> Self {
        Self {
            unset: Valuation::simple(assumptions),
            set: BTreeMap::new(),
        }
    }

    /// By the assumptions and models that are in force now.
    pub(crate) fn in_force(rows: &dyn Rows) -> Result<Self, Error> {
        let mut worth = Self::by(Assumptions::default());
        for currency in books::currencies(rows)? {
            let valuation = books::valuation(rows, currency)?;
            worth.set.insert(currency, valuation);
        }
        Ok(worth)
    }

    /// By the assumptions and models that had been recorded last, by what was known.
    pub(crate) fn known(rows: &dyn Rows, known: &Known) -> Result<Self, Error> {
        let mut worth = Self::by(Assumptions::default());
        for currency in books::currencies(rows)? {
            if books::assumed(rows, currency, known)?.is_some() {
                let valuation = books::valuation_known(rows, currency, known)?;
                worth.set.insert(currency, valuation);
            }
        }
        Ok(worth)
    }

    /// Whether a model is used for customers of this currency.
    pub(crate) fn is_by_model(&self, currency: Currency) -> bool {
        self.set.get(&currency).is_some_and(Valuation::needs_days)
    }

    /// What a model values customers of this currency with; nothing for SIMPLE.
    pub(crate) fn model(&self, currency: Currency) -> Option<&Valuation> {
        self.set
            .get(&currency)
            .filter(|valuation| valuation.needs_days())
    }

    /// The value, in minor units, of a customer who left this margin in the trailing year. It never falls
    /// where the margin rises: the work list is kept in the order of margins. Nothing if a model is used.
    pub(crate) fn of_margin(&self, currency: Currency, margin: i64) -> Option<i64> {
        let valuation = self.set.get(&currency).unwrap_or(&self.unset);
        valuation.of_margin(margin)
    }

    /// The value, in minor units, of an active customer at a moment.
    pub(crate) fn at(
        &self,
        rows: &dyn Rows,
        (currency, id): (Currency, Uuid),
        moment: &Moment,
    ) -> Result<i64, Error> {
        if let Some(valuation) = self.model(currency) {
            let counts = |kept: &Kept| moment.includes(kept.fact.at, &kept.recorded);
            return of(rows, (currency, id), valuation, moment.as_of, counts);
        }
        let known = |recorded: &_| moment.known.includes(recorded);
        let margin = margins::trailing(rows, id, moment.as_of, known)?;
        Ok(self.of_margin(currency, margin).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
