//! What a customer pays month by month, line by line: started, raised, lowered, ended.

pub mod movement;
#[cfg(test)]
mod tests;

use eventsourcing::Time;
use money::Money;
use serde::{Deserialize, Serialize};

use crate::customer::{Customer, Event};
use crate::id::LineId;
use crate::input::{When, not_negative};
use crate::refusal::Refusal;

/// How many lines a customer may have, ended ones included.
pub const MAX_LINES: usize = 1_000;

/// A line of recurring revenue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What it brings a month, in minor units of the customer's currency; 0 once it has ended.
    pub monthly: i64,
    /// Since when.
    pub since: Time,
}

/// Says what a line brings a month: starts it, changes it, or ends it with 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetRecurringRevenue {
    /// Which line.
    pub line_id: LineId,
    /// What it brings a month.
    pub monthly: Money,
    /// Since when.
    pub when: When,
}

/// That a line brings another amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// Which line.
    pub line_id: LineId,
    /// What it brings a month.
    pub monthly: Money,
    /// What it brought before.
    pub previous: Money,
    /// Since when.
    pub effective_at: Time,
}

impl Customer {
    /// What all lines bring a month, in minor units of the customer's currency.
    pub fn monthly_revenue(&self) -> i64 {
        let lines = self.lines.values();
        lines.fold(0, |sum, line| sum.saturating_add(line.monthly))
    }

    pub(crate) fn set_recurring_revenue(
        &self,
        command: SetRecurringRevenue,
    ) -> Result<Vec<Event>, Refusal> {
        let SetRecurringRevenue {
            line_id,
            monthly,
            when,
        } = command;
        let relationship = self.opened()?;
        let currency = relationship.currency;
        let amount = not_negative("monthly", monthly, currency)?;
        if amount > 0 {
            relationship.must_go_on()?;
        }
        let known = self.lines.get(&line_id);
        let began = relationship.won_back_at.unwrap_or(relationship.acquired_at);
        let earliest = known.map_or(began, |line| line.since);
        let given = when.occurred_at.is_some();
        let effective_at = when.happened_since("effective_at", earliest)?;
        let previous = known.map_or(0, |line| line.monthly);
        // The same amount from a later day on is news: nothing before that day can be set any more.
        let confirms = given && amount > 0 && known.is_some_and(|line| line.since < effective_at);
        if amount == previous && !confirms {
            return Ok(vec![]);
        }
        if known.is_none() && self.lines.len() >= MAX_LINES {
            return Err(Refusal::Limit {
                what: "lines of recurring revenue",
                limit: 1_000,
            });
        }
        Ok(vec![Event::RecurringRevenueSet(Set {
            line_id,
            monthly,
            previous: Money::new(currency, previous),
            effective_at,
        })])
    }

    pub(crate) fn recurring_revenue_set(&mut self, set: &Set) {
        let line = Line {
            monthly: set.monthly.minor_units,
            since: set.effective_at,
        };
        self.lines.insert(set.line_id.clone(), line);
    }

    /// A loss ends the lines; there is nothing more to pay.
    pub(crate) fn end_lines(&mut self, ended_at: Time) {
        for line in self.lines.values_mut().filter(|line| line.monthly > 0) {
            *line = Line {
                monthly: 0,
                since: ended_at.max(line.since),
            };
        }
    }
}
