//! What customers are valued with: a method, and the rates that no data tells.

use eventsourcing::Time;
use money::Rate;
use serde::{Deserialize, Serialize};

use super::{Event, Ledger, Refusal};

/// The longest horizon of a value, in months.
pub const MAX_HORIZON_MONTHS: u32 = 600;
/// The longest silence that may be asked for before a customer counts as gone, in days.
pub const MAX_INACTIVITY_DAYS: u32 = 36_500;

/// How a customer's value is worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// From the margin of the trailing year and two rates: `V = m r / (1 + d - r)`.
    Simple,
    /// From a fitted model of who still buys, and how often.
    MbgNbd,
}

/// What customers are valued with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assumptions {
    /// How.
    pub method: Method,
    /// What a year of waiting costs, in `[0, 1)`.
    pub annual_discount_rate: Rate,
    /// The share of customers that is still there a year later, in `[0, 1)`.
    pub annual_retention_rate: Rate,
    /// The share of a purchase that is its contribution margin when none is given, in `[0, 1]`.
    pub default_margin_rate: Rate,
    /// How many months a model looks ahead; SIMPLE has no horizon.
    pub horizon_months: u32,
    /// After how many silent days a customer counts as lost; absent: never.
    pub inactivity_days: Option<u32>,
}

impl Default for Assumptions {
    fn default() -> Self {
        Self {
            method: Method::Simple,
            annual_discount_rate: Rate::per_mille(250),
            annual_retention_rate: Rate::per_mille(750),
            default_margin_rate: Rate::per_mille(500),
            horizon_months: 12,
            inactivity_days: None,
        }
    }
}

/// Sets assumptions; what is left out stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetAssumptions {
    /// How customers are valued.
    pub method: Option<Method>,
    /// In `[0, 1)`.
    pub annual_discount_rate: Option<Rate>,
    /// In `[0, 1)`.
    pub annual_retention_rate: Option<Rate>,
    /// In `[0, 1]`.
    pub default_margin_rate: Option<Rate>,
    /// From 1 on.
    pub horizon_months: Option<u32>,
    /// 0 for never.
    pub inactivity_days: Option<u32>,
    /// The present.
    pub now: Time,
}

impl SetAssumptions {
    /// The assumptions after it.
    fn on(self, before: &Assumptions) -> Assumptions {
        Assumptions {
            method: self.method.unwrap_or(before.method),
            annual_discount_rate: self
                .annual_discount_rate
                .unwrap_or(before.annual_discount_rate),
            annual_retention_rate: self
                .annual_retention_rate
                .unwrap_or(before.annual_retention_rate),
            default_margin_rate: self
                .default_margin_rate
                .unwrap_or(before.default_margin_rate),
            horizon_months: self.horizon_months.unwrap_or(before.horizon_months),
            inactivity_days: self
                .inactivity_days
                .map_or(before.inactivity_days, |days| (days > 0).then_some(days)),
        }
    }
}

impl Ledger {
    /// The number of the model that values rest on.
    pub fn usable_model(&self) -> Result<u32, Refusal> {
        match self.usable_model {
            Some(number) => Ok(number),
            None if self.models == 0 => Err(Refusal::NoModel),
            None => Err(Refusal::WorseThanNaive {
                number: self.models,
            }),
        }
    }

    pub(super) fn set_assumptions(&self, command: SetAssumptions) -> Result<Vec<Event>, Refusal> {
        let assumptions = command.on(&self.assumptions);
        below_one("annual_discount_rate", assumptions.annual_discount_rate)?;
        below_one("annual_retention_rate", assumptions.annual_retention_rate)?;
        let (field, rate) = ("default_margin_rate", assumptions.default_margin_rate);
        if !rate.is_share() {
            let wanted = "from 0 to 1";
            return Err(Refusal::RateOutOfRange {
                field,
                rate,
                wanted,
            });
        }
        within(
            "horizon_months",
            assumptions.horizon_months,
            MAX_HORIZON_MONTHS,
        )?;
        within(
            "inactivity_days",
            assumptions.inactivity_days.unwrap_or(1),
            MAX_INACTIVITY_DAYS,
        )?;
        if assumptions.method == Method::MbgNbd {
            self.usable_model()?;
        }
        if self.assumptions_set_at.is_some() && assumptions == self.assumptions {
            return Ok(vec![]);
        }
        let set_at = command.now;
        Ok(vec![Event::AssumptionsSet {
            assumptions,
            set_at,
        }])
    }
}

fn below_one(field: &'static str, rate: Rate) -> Result<(), Refusal> {
    if rate.is_below_one() {
        return Ok(());
    }
    Err(Refusal::RateOutOfRange {
        field,
        rate,
        wanted: "from 0 to below 1",
    })
}

fn within(field: &'static str, value: u32, max: u32) -> Result<(), Refusal> {
    if (1..=max).contains(&value) {
        return Ok(());
    }
    Err(Refusal::OutOfRange { field, value, max })
}
