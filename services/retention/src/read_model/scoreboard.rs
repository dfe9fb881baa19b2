//! The scoreboard: customers created, kept, lost and won back in a period; then money, by currency.
//!
//! Everything is counted by the time when it happened, so a fact that is told late is in its own period.

use std::collections::BTreeMap;

use eventsourcing::Time;
use money::Currency;
use read_model::{Error, Rows};
use retention_domain::margin::TRAILING;
use uuid::Uuid;

use super::worth::Worth;
use super::{lives, payments};

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

    fn line(&mut self, currency: Currency) -> &mut Line {
        self.money.entry(currency).or_default()
    }
}

/// Computes the scoreboard of a period.
pub(crate) fn scoreboard(rows: &dyn Rows, period: Period) -> Result<Scoreboard, Error> {
    let mut board = Scoreboard::default();
    let margins = trailing_margins(rows, period.end)?;
    let worth = Worth::in_force(rows)?;
    // The end is excluded.
    let last = Time::from_micros(period.end.micros().saturating_sub(1));
    for (customer, life) in lives::all(rows)? {
        if life.acquired_at >= period.end {
            continue;
        }
        for turn in life.turns.iter().filter(|turn| period.contains(turn.at)) {
            board.won_back += i64::from(turn.active);
            board.lost += i64::from(!turn.active);
        }
        let opened = period
            .start
            .is_some_and(|start| life.is_active_before(start));
        let closed = life.is_active_before(period.end);
        board.created += i64::from(period.contains(life.acquired_at));
        board.opening += i64::from(opened);
        board.closing += i64::from(closed);
        board.kept += i64::from(opened && closed);
        let line = board.line(life.currency);
        if closed {
            let margin = margins.get(&customer).copied().unwrap_or(0);
            let value = match worth.of_margin(life.currency, margin) {
                Some(value) => value,
                None => worth.now(rows, (life.currency, customer), last)?,
            };
            line.active += 1;
            line.equity = line.equity.saturating_add(value);
        }
    }
    add_flows(rows, period, &mut board)?;
    Ok(board)
}

/// Revenue and margin of the period.
fn add_flows(rows: &dyn Rows, period: Period, board: &mut Scoreboard) -> Result<(), Error> {
    for (_, paid) in payments::paid(rows, period.from(), period.end)? {
        let line = board.line(paid.currency);
        line.purchases += 1;
        line.revenue = line.revenue.saturating_add(paid.amount);
        line.margin = line.margin.saturating_add(paid.margin);
    }
    for (_, taken) in payments::taken(rows, period.from(), period.end)? {
        let line = board.line(taken.currency);
        line.revenue = line.revenue.saturating_sub(taken.amount);
        line.margin = line.margin.saturating_sub(taken.margin);
    }
    Ok(())
}

/// The margin of the year before the end by customer: of purchases later than 365 days before it, less
/// what of these was taken back before it.
fn trailing_margins(rows: &dyn Rows, end: Time) -> Result<BTreeMap<Uuid, i64>, Error> {
    let opens = Time::from_micros(end.minus_days(TRAILING).micros().saturating_add(1));
    let mut margins: BTreeMap<Uuid, i64> = BTreeMap::new();
    for (customer, paid) in payments::paid(rows, opens, end)? {
        let margin = margins.entry(customer).or_default();
        *margin = margin.saturating_add(paid.margin);
    }
    for (customer, taken) in payments::taken(rows, opens, end)? {
        if taken.bought_at >= opens {
            let margin = margins.entry(customer).or_default();
            *margin = margin.saturating_sub(taken.margin);
        }
    }
    Ok(margins)
}

#[cfg(test)]
mod tests;
