//! How likely it is that a customer is lost soon, in three bands, and what speaks for it.

#[cfg(test)]
mod tests;

use std::fmt;

use eventsourcing::{Days, Time};
use money::Rate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::customer::{Customer, Event};
use crate::input::Invalid;
use crate::promise;
use crate::refusal::Refusal;
use crate::relationship;

/// How long a reversal speaks for a risk.
pub const REVERSAL_COUNTS: Days = Days(90);
/// Below this chance of being alive a customer is at high risk.
const P_ALIVE_HIGH: Rate = Rate::per_mille(200);
/// Below this chance of being alive a customer is at medium risk.
const P_ALIVE_MEDIUM: Rate = Rate::per_mille(500);

/// How likely a loss is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub enum Band {
    /// Nothing speaks for it.
    #[default]
    Low,
    /// Something does.
    Medium,
    /// Something strong does.
    High,
}

/// What speaks for a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Driver {
    /// A promise is broken and not repaired.
    PromiseBroken,
    /// The day of an open promise has passed.
    PromiseOverdue,
    /// Notice was given.
    Notice,
    /// The customer is less likely alive than not, judged by what was bought and when.
    LowPAlive,
    /// A purchase was taken back lately.
    Reversal,
}

/// Where a customer's risk stood when it last changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Risk {
    /// How likely a loss is. A lost customer, whom nobody can lose, is `Low`.
    pub band: Band,
    /// What spoke for it.
    pub drivers: Vec<Driver>,
}

/// Assesses the risk. A lost customer has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssessRisk {
    /// The request, from which a save action takes its id.
    pub request_id: Uuid,
    /// The chance that the customer is alive, if a model says one.
    pub p_alive: Option<Rate>,
    /// The present.
    pub now: Time,
}

/// That the band has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// How likely a loss is now.
    pub band: Band,
    /// How likely it was before.
    pub previous: Band,
    /// The chance that the customer is alive, if a model said one.
    pub p_alive: Option<Rate>,
    /// What speaks for it.
    pub drivers: Vec<Driver>,
    /// When that was found out.
    pub occurred_at: Time,
}

impl Driver {
    /// The band that it alone leads to.
    fn band(self, p_alive: Option<Rate>) -> Band {
        match self {
            Self::Notice | Self::PromiseBroken => Band::High,
            Self::LowPAlive if p_alive.is_some_and(|chance| chance < P_ALIVE_HIGH) => Band::High,
            Self::LowPAlive | Self::PromiseOverdue | Self::Reversal => Band::Medium,
        }
    }
}

impl Customer {
    /// What speaks for a loss at a moment. A lost customer cannot be lost again.
    pub fn drivers(&self, p_alive: Option<Rate>, now: Time) -> Vec<Driver> {
        let Some(relationship) = &self.relationship else {
            return vec![];
        };
        if relationship.is_lost() {
            return vec![];
        }
        let broken = |promise: &promise::Promise| promise.state == promise::State::Broken;
        let overdue = |promise: &promise::Promise| promise.overdue_since(now).is_some();
        let lately = now.minus_days(REVERSAL_COUNTS);
        let speaks = |driver: &Driver| match driver {
            Driver::PromiseBroken => self.promises.values().any(broken),
            Driver::PromiseOverdue => self.promises.values().any(overdue),
            Driver::Notice => relationship.state == relationship::State::Leaving,
            Driver::LowPAlive => p_alive.is_some_and(|chance| chance < P_ALIVE_MEDIUM),
            Driver::Reversal => self.totals.last_reversal_at.is_some_and(|at| at > lately),
        };
        let all = [
            Driver::PromiseBroken,
            Driver::PromiseOverdue,
            Driver::Notice,
            Driver::LowPAlive,
            Driver::Reversal,
        ];
        all.into_iter().filter(speaks).collect()
    }

    /// What speaks for a loss at a moment, with what a model last said about the chance of being alive.
    pub fn drivers_now(&self, now: Time) -> Vec<Driver> {
        let unlikely = self.risk.drivers.contains(&Driver::LowPAlive);
        self.drivers(unlikely.then_some(Rate::ZERO), now)
    }

    pub(crate) fn assess_risk(&self, command: AssessRisk) -> Result<Vec<Event>, Refusal> {
        let AssessRisk {
            request_id,
            p_alive,
            now,
        } = command;
        if p_alive.is_some_and(|chance| !chance.is_share()) {
            return Err(Invalid::NoShare { field: "p_alive" }.into());
        }
        if self.opened()?.is_lost() {
            return Ok(vec![]);
        }
        let drivers = self.drivers(p_alive, now);
        let bands = drivers.iter().map(|driver| driver.band(p_alive));
        let (band, previous) = (bands.max().unwrap_or_default(), self.risk.band);
        if band == previous {
            return Ok(vec![]);
        }
        let changed = Event::RiskChanged(Changed {
            band,
            previous,
            p_alive,
            drivers,
            occurred_at: now,
        });
        let urgent = band == Band::High;
        let save = urgent.then(|| self.save("RISK", request_id, now)).flatten();
        Ok(std::iter::once(changed).chain(save).collect())
    }

    pub(crate) fn risk_changed(&mut self, changed: &Changed) {
        self.risk = Risk {
            band: changed.band,
            drivers: changed.drivers.clone(),
        };
    }
}

impl fmt::Display for Band {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
        })
    }
}
