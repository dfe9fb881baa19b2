//! What values and default margins are computed with.

use customer_value::Simple;
use eventsourcing::Days;
use money::Rate;

/// What values and default margins are computed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The share of customers that stay a year.
    pub annual_retention_rate: Rate,
    /// The rate at which a year's margin is discounted.
    pub annual_discount_rate: Rate,
    /// The share of a purchase that is its contribution margin when none is given.
    pub default_margin_rate: Rate,
    /// How long a customer may buy nothing before the relationship counts as ended; absent, for ever.
    pub inactivity_days: Option<Days>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            annual_retention_rate: Rate::per_mille(750),
            annual_discount_rate: Rate::per_mille(250),
            default_margin_rate: Rate::per_mille(500),
            inactivity_days: None,
        }
    }
}

impl Settings {
    /// The assumptions of the method SIMPLE.
    pub(crate) const fn simple(&self) -> Simple {
        Simple {
            retention: self.annual_retention_rate,
            discount: self.annual_discount_rate,
        }
    }
}
