//! Purchases of the future in today's terms: over some months, or without end.
//!
//! A value over a finite horizon says what it assumes about the time after: nothing. The value without end
//! assumes that the model holds for decades; it is there for comparison with the literature.

use std::collections::HashMap;

use crate::bg_nbd::{GivenAlive, Model};
use crate::{Recency, Unit};

/// Days of a month: the Gregorian year of 365.25 days over twelve.
const MONTH_DAYS: f64 = 365.25 / 12.0;

/// How many months ahead, and what waiting costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// The end of each month in units of time, with the factor of what falls into that month.
    months: Vec<(f64, f64)>,
    /// Per unit of time: ln(1 + annual rate) / year.
    force: f64,
}

impl Terms {
    /// `months` ahead at `annual_rate`, in `unit`s of time.
    ///
    /// The purchases of month k are discounted by `(1 + d)^-k`, d = (1 + annual)^(1/12) - 1, as at its end.
    /// `None` unless the rate is finite and at least 0.
    pub fn new(months: u32, annual_rate: f64, unit: Unit) -> Option<Self> {
        if !(annual_rate.is_finite() && annual_rate >= 0.0) {
            return None;
        }
        let yearly = libm::log1p(annual_rate);
        let months = (1..=months)
            .map(|k| {
                let month = f64::from(k);
                (
                    unit.from_days(month * MONTH_DAYS),
                    libm::exp(-yearly * month / 12.0),
                )
            })
            .collect();
        Some(Self {
            months,
            force: yearly / unit.from_days(365.25),
        })
    }

    /// The discounted purchases of a customer of age `t` within the months, given alive: times P(alive) and the
    /// expected spend it is the customer's value.
    pub fn purchases(&self, given_alive: &GivenAlive, t: f64) -> f64 {
        let (mut sum, mut before) = (0.0, 0.0);
        for (end, factor) in &self.months {
            let until = given_alive.purchases(t, *end);
            sum += (until - before) * factor;
            before = until;
        }
        sum
    }

    /// The discounted purchases without end, given alive: `δ ∫ e^(-δs) Y(s) ds`, δ the continuous rate.
    ///
    /// `None` for a rate of 0, where it has no end. The trapezoidal rule in ln(δs): the integrand falls
    /// doubly exponentially on the right and as a square on the left.
    pub fn purchases_without_end(&self, given_alive: &GivenAlive, t: f64) -> Option<f64> {
        const STEP: f64 = 0.25;
        if self.force <= 0.0 {
            return None;
        }
        let sum: f64 = (-80..=16)
            .map(|node| {
                let waited = libm::exp(f64::from(node) * STEP);
                let weight = waited * libm::exp(-waited);
                weight * given_alive.purchases(t, waited / self.force)
            })
            .sum();
        Some(sum * STEP)
    }
}

/// Discounted purchases of many customers: those of one x and one age share all but P(alive).
#[derive(Debug, Clone)]
pub struct Valuer {
    model: Model,
    terms: Terms,
    /// By x: what they will do while alive, and by age (its bits) what that comes to.
    by_x: HashMap<u32, (GivenAlive, HashMap<u64, f64>)>,
}

impl Valuer {
    /// For customers of `model`, over `terms`.
    pub fn new(model: Model, terms: Terms) -> Self {
        Self {
            model,
            terms,
            by_x: HashMap::new(),
        }
    }

    /// The discounted purchases of one customer: times the expected spend it is the customer's value.
    pub fn purchases(&mut self, seen: &Recency) -> f64 {
        let (model, terms) = (&self.model, &self.terms);
        let (given_alive, by_age) = self
            .by_x
            .entry(seen.x())
            .or_insert_with(|| (model.given_alive(seen.x()), HashMap::new()));
        let while_alive = *by_age
            .entry(seen.t().to_bits())
            .or_insert_with(|| terms.purchases(given_alive, seen.t()));
        model.p_alive(seen) * while_alive
    }
}

#[cfg(test)]
mod tests {
    use super::{Terms, Valuer};
    use crate::bg_nbd::{Model, Parameters, Variant};
    use crate::{Recency, Unit};

    fn model() -> Model {
        let parameters = Parameters {
            r: 0.25,
            alpha: 4.0,
            a: 0.8,
            b: 2.5,
        };
        Model::new(Variant::BgNbd, parameters).unwrap()
    }

    #[test]
    fn e18_no_months_are_worth_nothing() {
        let given = model().given_alive(2);
        let none = Terms::new(0, 0.15, Unit::Weeks).unwrap();
        assert!(none.purchases(&given, 30.0).abs() < 1e-300);
    }

    #[test]
    fn what_is_shared_between_customers_changes_no_bit() {
        let terms = Terms::new(12, 0.15, Unit::Weeks).unwrap();
        let mut valuer = Valuer::new(model(), terms.clone());
        for tx in [3.0, 20.0, 3.0] {
            let seen = Recency::new(2, tx, 30.0).unwrap();
            let alone = model().p_alive(&seen) * terms.purchases(&model().given_alive(2), 30.0);
            assert_eq!(valuer.purchases(&seen).to_bits(), alone.to_bits());
        }
    }

    #[test]
    fn without_a_discount_a_year_is_the_purchases_of_a_year() {
        let given = model().given_alive(2);
        let free = Terms::new(12, 0.0, Unit::Weeks).unwrap();
        let year = given.purchases(30.0, 365.25 / 7.0);
        assert!((free.purchases(&given, 30.0) / year - 1.0).abs() < 1e-14);
        assert_eq!(free.purchases_without_end(&given, 30.0), None);
    }

    #[test]
    fn a_longer_horizon_is_worth_more_and_no_end_the_most() {
        let given = model().given_alive(2);
        let value = |months| {
            let terms = Terms::new(months, 0.15, Unit::Weeks).unwrap();
            terms.purchases(&given, 30.0)
        };
        let terms = Terms::new(12, 0.15, Unit::Weeks).unwrap();
        let forever = terms.purchases_without_end(&given, 30.0).unwrap();
        assert!(value(12) < value(60) && value(60) < forever);
        assert_eq!(Terms::new(12, -0.1, Unit::Weeks), None);
        assert_eq!(Terms::new(12, f64::NAN, Unit::Weeks), None);
    }
}
