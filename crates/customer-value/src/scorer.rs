//! What a fitted model makes of one customer: the one way from purchase days to a value.

use std::cell::RefCell;

use crate::bg_nbd;
use crate::gamma_gamma::SpendModel;
use crate::rfm::Summary;
use crate::{Recency, Terms, Unit, Valuer};

/// Models of purchases and of spend at work. What customers have in common is worked out once.
#[derive(Debug)]
pub struct Scorer {
    purchases: bg_nbd::Model,
    spend: SpendModel,
    time: Unit,
    /// Minor units in a major one.
    money: f64,
    valuer: RefCell<Valuer>,
}

/// A customer as a model sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// How often it bought, when last, and since when it is known.
    pub recency: Recency,
    /// What is to be expected of a purchase day, in major units.
    pub expected_spend: f64,
}

impl Scorer {
    /// Of these models, whose parameters count time in units of `time`, with purchases counted over `months`
    /// and discounted by a rate a year. Amounts are in minor units of a currency with so many decimals.
    ///
    /// `None` for a rate that is none.
    pub fn new(
        (purchases, spend): (bg_nbd::Model, SpendModel),
        time: Unit,
        (months, annual_rate): (u32, f64),
        decimals: u32,
    ) -> Option<Self> {
        let terms = Terms::new(months, annual_rate, time)?;
        Some(Self {
            purchases,
            spend,
            time,
            money: (0..decimals).fold(1.0, |unit, _| unit * 10.0),
            valuer: RefCell::new(Valuer::new(purchases, terms)),
        })
    }

    /// The model of purchases.
    pub const fn purchases(&self) -> &bg_nbd::Model {
        &self.purchases
    }

    /// How the model sees a customer at the end of a day; nothing if the summary is of a later one.
    pub fn seen(&self, summary: &Summary, until: i32) -> Option<Seen> {
        let recency = summary.cell.seen(until, self.time).ok()?;
        let repeat_spend = major(summary.repeat_spend_minor, self.money);
        Some(Seen {
            recency,
            expected_spend: self.spend.expected_spend(recency.x(), repeat_spend),
        })
    }

    /// Purchase days to be expected over the months, in today's terms.
    pub fn discounted_purchases(&self, seen: &Seen) -> f64 {
        self.valuer.borrow_mut().purchases(&seen.recency)
    }

    /// The value in minor units: never below 0, half to even.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the cast stops at the largest amount, and what is no number is no value"
    )]
    pub fn value(&self, seen: &Seen) -> i64 {
        let major = self.discounted_purchases(seen) * seen.expected_spend;
        (major * self.money).max(0.0).round_ties_even() as i64
    }
}

/// Minor units as major ones, for a model.
#[expect(
    clippy::cast_precision_loss,
    reason = "exact below 2^53 minor units, and the model is not exacter than that"
)]
fn major(minor_units: i64, unit: f64) -> f64 {
    minor_units as f64 / unit
}
