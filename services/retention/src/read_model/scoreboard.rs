//! The scoreboard: customers created, kept, lost and won back in a period; then money, by currency.
//!
//! Everything is counted by the time when it happened, so a fact that is told late is in its own period; and by what was known
//! at a moment, so that the same question has the same answer for ever.

pub(crate) mod figure;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use eventsourcing::Time;
use money::Currency;
use read_model::{Error, Rows};
use retention_domain::ledger::statement::{Standing, What};
use retention_domain::ledger::{ALGORITHM, Valuation};
use server::Moment;
use uuid::Uuid;

use super::equity::facts::Kept;
use super::equity::{books, facts};

/// A half-open span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    /// Included; nothing for the beginning of time.
    pub(crate) start: Option<Time>,
    /// Excluded.
    pub(crate) end: Time,
}

/// How the business did in a period.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Scoreboard {
    /// Active at the start.
    pub(crate) opening: i64,
    pub(crate) created: i64,
    /// Active at the start and at the end.
    pub(crate) kept: i64,
    /// Losses; whoever was lost twice counts twice, so that the lines add up.
    pub(crate) lost: i64,
    pub(crate) won_back: i64,
    /// Active at the end.
    pub(crate) closing: i64,
    pub(crate) money: BTreeMap<Currency, Line>,
}

/// The money of one currency, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Line {
    /// Customers active at the end.
    pub(crate) active: i64,
    /// Purchases in the period.
    pub(crate) purchases: i64,
    /// Of the period, reversals taken off.
    pub(crate) revenue: i64,
    /// Of the period, reversals taken off.
    pub(crate) margin: i64,
    /// What the active customers are worth at the end.
    pub(crate) equity: i64,
}

impl Line {
    fn add(&mut self, other: Self) {
        self.active += other.active;
        self.purchases += other.purchases;
        self.revenue = self.revenue.saturating_add(other.revenue);
        self.margin = self.margin.saturating_add(other.margin);
        self.equity = self.equity.saturating_add(other.equity);
    }
}

impl Period {
    pub(crate) fn contains(self, moment: Time) -> bool {
        self.from() <= moment && moment < self.end
    }

    /// Its first moment.
    pub(crate) fn from(self) -> Time {
        self.start.unwrap_or(Time::from_micros(i64::MIN))
    }
}

impl Scoreboard {
    /// Kept of those active at the start; nothing if there were none.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a ratio for people; no sum is made of it"
    )]
    pub(crate) fn retention_rate(&self) -> Option<f64> {
        (self.opening > 0).then(|| self.kept as f64 / self.opening as f64)
    }

    fn count(&mut self, currency: Currency, share: &Share) {
        self.opening += i64::from(share.opening);
        self.closing += i64::from(share.closing);
        self.kept += i64::from(share.is_kept());
        for (turn, _) in &share.turns {
            *match turn {
                Turn::Created => &mut self.created,
                Turn::Lost => &mut self.lost,
                Turn::WonBack => &mut self.won_back,
            } += 1;
        }
        self.money.entry(currency).or_default().add(share.line);
    }
}

/// What one customer contributes to the scoreboard of a period, by what was known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Share {
    /// Active at the start.
    pub(crate) opening: bool,
    /// Active at the end.
    pub(crate) closing: bool,
    /// When it was created, lost and won back within the period, in the order in which it was told.
    pub(crate) turns: Vec<(Turn, Time)>,
    /// What it bought, and what it is worth at the end.
    pub(crate) line: Line,
}

/// What happens to a customer at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    Created,
    Lost,
    WonBack,
}

impl Share {
    /// Of these facts of a customer, in the order of the journal; nothing before it was one.
    fn of(facts: &[Kept], period: Period, moment: &Moment, valuation: &Valuation) -> Option<Self> {
        let mut share = Self {
            opening: false,
            closing: false,
            turns: Vec::new(),
            line: Line::default(),
        };
        let mut standing = Standing::before(period.end, ALGORITHM).for_valuation(valuation);
        for kept in facts {
            let at = kept.fact.at;
            if at < period.end && moment.includes(at, &kept.recorded) {
                standing.take(&kept.fact);
                share.take(kept, period);
            }
        }
        standing.state?;
        share.closing = standing.is_active();
        share.line.active = i64::from(share.closing);
        share.line.equity = valuation.value(&standing);
        Some(share)
    }

    fn take(&mut self, kept: &Kept, period: Period) {
        let at = kept.fact.at;
        let turn = match kept.fact.what {
            What::Opened => Turn::Created,
            What::Lost => Turn::Lost,
            What::WonBack => Turn::WonBack,
            What::Bought { margin } => return self.bring_in(kept, margin, 1, period),
            What::Reversed { margin, .. } => {
                return self.bring_in(kept, margin.saturating_neg(), 0, period);
            }
            What::NoticeGiven | What::NoticeWithdrawn => return,
        };
        if period.contains(at) {
            self.turns.push((turn, at));
        } else {
            self.opening = turn != Turn::Lost;
        }
    }

    fn bring_in(&mut self, kept: &Kept, margin: i64, purchases: i64, period: Period) {
        if period.contains(kept.fact.at) {
            let line = &mut self.line;
            line.purchases += purchases;
            line.revenue = line.revenue.saturating_add(kept.revenue);
            line.margin = line.margin.saturating_add(margin);
        }
    }

    /// Active at the start and at the end.
    pub(crate) const fn is_kept(&self) -> bool {
        self.opening && self.closing
    }
}

/// Computes the scoreboard of a period, of what had happened and was known at a moment.
pub(crate) fn scoreboard(
    rows: &dyn Rows,
    period: Period,
    moment: &Moment,
) -> Result<Scoreboard, Error> {
    let mut board = Scoreboard::default();
    for currency in facts::currencies(rows)? {
        visit(rows, (currency, None), period, moment, |_, share| {
            board.count(currency, &share);
            ControlFlow::Continue(())
        })?;
    }
    Ok(board)
}

/// Shows what each customer of a currency contributes, in the order of customers, from the first one behind
/// `after`, until `each` breaks. Only a few are in memory at once.
pub(crate) fn visit(
    rows: &dyn Rows,
    (currency, after): (Currency, Option<Uuid>),
    period: Period,
    moment: &Moment,
    mut each: impl FnMut(Uuid, Share) -> ControlFlow<()>,
) -> Result<(), Error> {
    let valuation = books::valuation_known(rows, currency, &moment.known)?;
    facts::visit(rows, currency, after, |customer, facts| {
        match Share::of(facts, period, moment, &valuation) {
            Some(share) => each(customer, share),
            None => ControlFlow::Continue(()),
        }
    })
}

#[cfg(test)]
mod tests;
