//! What a customer is worth by what it left: the one place that knows the method and its assumptions.

use std::collections::BTreeMap;

use customer_value::Simple;
use eventsourcing::Time;
use money::Currency;
use read_model::{Error, Rows};
use retention_domain::Customer;
use server::Known;
use uuid::Uuid;

use super::equity::books;
use super::margins;

/// What a customer is worth at a moment, in minor units; nothing once it is lost. It is valued with `unset` as
/// long as its ledger has no assumptions.
pub(crate) fn of_customer(
    rows: &dyn Rows,
    id: Uuid,
    state: &Customer,
    as_of: Time,
    unset: Simple,
) -> Result<i64, Error> {
    let relationship = state.relationship.as_ref();
    let Some(relationship) = relationship.filter(|relationship| !relationship.is_lost()) else {
        return Ok(0);
    };
    let simple = books::simple(rows, relationship.currency, unset)?;
    Ok(simple.value(margins::trailing(rows, id, as_of, |_| true)?))
}

/// The method SIMPLE with the assumptions of each ledger.
#[derive(Debug, Clone)]
pub(crate) struct Worth {
    /// Of ledgers without assumptions.
    unset: Simple,
    set: BTreeMap<Currency, Simple>,
}

impl Worth {
    /// By these assumptions, whatever the currency.
    pub(crate) const fn simple(simple: Simple) -> Self {
        Self {
            unset: simple,
            set: BTreeMap::new(),
        }
    }

    /// By the assumptions that are in force now.
    pub(crate) fn in_force(rows: &dyn Rows, unset: Simple) -> Result<Self, Error> {
        let mut worth = Self::simple(unset);
        for currency in books::currencies(rows)? {
            let simple = books::simple(rows, currency, unset)?;
            worth.set.insert(currency, simple);
        }
        Ok(worth)
    }

    /// By the assumptions that had been recorded last, by what was known.
    pub(crate) fn known(rows: &dyn Rows, unset: Simple, known: &Known) -> Result<Self, Error> {
        let mut worth = Self::simple(unset);
        for currency in books::currencies(rows)? {
            if let Some(assumptions) = books::assumed(rows, currency, known)? {
                worth.set.insert(currency, assumptions.simple());
            }
        }
        Ok(worth)
    }

    /// The value, in minor units, of a customer who left this margin in the trailing year. It never falls
    /// where the margin rises: the work list is kept in the order of margins.
    pub(crate) fn of(&self, currency: Currency, margin: i64) -> i64 {
        self.set.get(&currency).unwrap_or(&self.unset).value(margin)
    }
}

#[cfg(test)]
mod tests;
