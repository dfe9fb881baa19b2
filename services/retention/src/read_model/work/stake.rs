//! What is at stake with a customer: the margin of the trailing year, kept up to date as time goes by.

use eventsourcing::Time;
use read_model::{Error, Rows};
use retention_domain::margin::TRAILING;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::read_model::margins::{self, Margin};

/// The margin of the year that ends with a moment, and when it will be another one by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stake {
    /// In minor units of the customer's currency.
    pub(crate) margin: i64,
    as_of: Time,
    /// When the first purchase falls out of the year, or one dated ahead falls into it.
    pub(crate) changes_at: Option<Time>,
    /// Whether a purchase or reversal is dated ahead, and so not counted yet.
    ahead: bool,
}

impl Stake {
    /// As of a moment, from all purchases of the year.
    pub(crate) fn measured(rows: &dyn Rows, id: Uuid, as_of: Time) -> Result<Self, Error> {
        let latest = Time::from_micros(i64::MAX - 1);
        let found = margins::bought(rows, id, margins::opens(as_of), latest, usize::MAX)?;
        let happened = |margin: &&Margin| margin.at <= as_of;
        let leaves = found.first().map(|margin| leaves_at(margin.bought_at));
        let ahead = found.iter().map(|margin| margin.at);
        let ahead = ahead.filter(|at| *at > as_of).min();
        Ok(Self {
            margin: margins::sum(found.iter().filter(happened)),
            as_of,
            changes_at: leaves.into_iter().chain(ahead).min(),
            ahead: ahead.is_some(),
        })
    }

    /// As of a later moment. It costs what has changed since.
    pub(crate) fn at(self, rows: &dyn Rows, id: Uuid, as_of: Time) -> Result<Self, Error> {
        if as_of <= self.as_of {
            return Ok(self);
        }
        if self.changes_at.is_none_or(|at| at > as_of) {
            return Ok(Self { as_of, ..self });
        }
        if self.ahead {
            return Self::measured(rows, id, as_of);
        }
        let (opened, opens) = (margins::opens(self.as_of), margins::opens(as_of));
        let just_before = Time::from_micros(opens.micros().saturating_sub(1));
        let left = margins::bought(rows, id, opened, just_before, usize::MAX)?;
        let latest = Time::from_micros(i64::MAX - 1);
        let first = margins::bought(rows, id, opens, latest, 1)?;
        Ok(Self {
            margin: self.margin.saturating_sub(margins::sum(left.iter())),
            as_of,
            changes_at: first.first().map(|margin| leaves_at(margin.bought_at)),
            ahead: false,
        })
    }

    /// With a margin that has just been recorded.
    pub(crate) fn with(self, margin: &Margin) -> Self {
        if margin.bought_at < margins::opens(self.as_of) {
            return self;
        }
        let ahead = margin.at > self.as_of;
        let change = if ahead {
            margin.at.min(leaves_at(margin.bought_at))
        } else {
            leaves_at(margin.bought_at)
        };
        let counted = if ahead { 0 } else { margin.amount };
        Self {
            margin: self.margin.saturating_add(counted),
            as_of: self.as_of,
            changes_at: Some(self.changes_at.map_or(change, |at| at.min(change))),
            ahead: self.ahead || ahead,
        }
    }
}

/// When a purchase no longer counts.
fn leaves_at(bought_at: Time) -> Time {
    bought_at.plus_days(TRAILING)
}
