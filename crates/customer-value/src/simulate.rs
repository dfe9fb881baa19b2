//! Customers that behave exactly as a model says: for tests, benchmarks and trying things out.
//!
//! Everything is drawn from one seed with code of this crate, so a seed names the same customers for ever.

use crate::bg_nbd::{Model, Variant};
use crate::{Cell, Recency};

/// A source of simulated customers.
#[derive(Debug, Clone)]
pub struct Simulator {
    model: Model,
    chance: Chance,
}

impl Simulator {
    /// Customers of `model`, named by `seed`.
    pub fn new(model: Model, seed: u64) -> Self {
        Self {
            model,
            chance: Chance { state: seed },
        }
    }

    /// The times of the repeat purchases of the next customer up to age `t`, ascending, in units of time.
    pub fn repeat_purchases(&mut self, t: f64) -> Vec<f64> {
        let parameters = self.model.parameters();
        let rate = self.chance.gamma(parameters.r) / parameters.alpha;
        let (leave, stay) = (
            self.chance.gamma(parameters.a),
            self.chance.gamma(parameters.b),
        );
        let p = leave / (leave + stay);
        let mut times = Vec::new();
        if self.model.variant() == Variant::MbgNbd && self.chance.uniform() < p {
            return times;
        }
        let mut now = 0.0;
        loop {
            now -= libm::log(self.chance.uniform()) / rate;
            // A rate that is 0 to a double waits for ever.
            if now.is_nan() || now > t {
                return times;
            }
            times.push(now);
            if self.chance.uniform() < p {
                return times;
            }
        }
    }

    /// The next customer, with continuous times, observed until age `t`.
    pub fn customer(&mut self, t: f64) -> Recency {
        let times = self.repeat_purchases(t);
        let x = u32::try_from(times.len()).unwrap_or(u32::MAX);
        let last = times.last().copied().unwrap_or(0.0);
        Recency::new(x, last, t).unwrap_or(Recency::newcomer())
    }

    /// The next customer by the day: acquired on `first_day`, observed until the end of `as_of`, the unit of
    /// the model being `days_per_unit` days. Purchases of one day are one.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a time below as_of - first_day, which is an i32"
    )]
    pub fn customer_by_day(&mut self, first_day: i32, as_of: i32, days_per_unit: f64) -> Cell {
        let age = f64::from(as_of - first_day);
        // The acquisition happens at noon, so that a purchase of the same day is one of the first day.
        let times = self.repeat_purchases((age + 0.5) / days_per_unit);
        let mut days: Vec<i32> = times
            .iter()
            .map(|time| first_day + (time * days_per_unit + 0.5).floor() as i32)
            .filter(|day| *day > first_day && *day <= as_of)
            .collect();
        days.dedup();
        let x = u32::try_from(days.len()).unwrap_or(u32::MAX);
        Cell::of_days(first_day, days.last().copied().unwrap_or(first_day), x)
    }

    /// A whole number in `0..below`, for choices around a customer such as the day of acquisition.
    pub fn below(&mut self, below: u32) -> u32 {
        let high = (u64::from(below) * (self.chance.bits() >> 32)) >> 32;
        u32::try_from(high).unwrap_or(0)
    }

    /// A spend in the manner of the Gamma-Gamma model: the mean of `x` draws of shape p and rate `Gamma(q)/v`.
    pub fn mean_spend(&mut self, x: u32, [p, q, v]: [f64; 3]) -> f64 {
        let rate = self.chance.gamma(q) / v;
        self.chance.gamma(p * f64::from(x)) / (rate * f64::from(x))
    }
}

/// `SplitMix64` (Steele, Lea & Flood 2014) and the distributions made from it.
#[derive(Debug, Clone)]
struct Chance {
    state: u64,
}

impl Chance {
    fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In (0, 1), never an end.
    #[expect(clippy::cast_precision_loss, reason = "52 bits fit a double exactly")]
    fn uniform(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// Marsaglia's polar method.
    fn normal(&mut self) -> f64 {
        loop {
            let (u, v) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = u * u + v * v;
            if square < 1.0 {
                return u * (-2.0 * libm::log(square) / square).sqrt();
            }
        }
    }

    /// Gamma(shape, rate 1): Marsaglia & Tsang (2000), ACM TOMS 26.
    fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = libm::exp(libm::log(self.uniform()) / shape);
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let normal = self.normal();
            let v = (1.0 + c * normal).powi(3);
            if v > 0.0 {
                let bound = 0.5 * normal * normal + d - d * v + d * libm::log(v);
                if libm::log(self.uniform()) < bound {
                    return d * v;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Chance, Simulator};
    use crate::bg_nbd::{Model, Parameters, Variant};

    #[test]
    fn gamma_draws_have_the_mean_and_variance_of_their_shape() {
        for shape in [0.25, 1.0, 5.0] {
            let mut chance = Chance { state: 7 };
            let draws: Vec<f64> = (0..100_000).map(|_| chance.gamma(shape)).collect();
            let mean = draws.iter().sum::<f64>() / 1e5;
            let variance = draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 1e5;
            assert!((mean / shape - 1.0).abs() < 0.02, "{shape}: {mean}");
            assert!((variance / shape - 1.0).abs() < 0.05, "{shape}: {variance}");
        }
    }

    #[test]
    fn a_seed_names_the_same_customers() {
        let parameters = Parameters {
            r: 0.25,
            alpha: 4.0,
            a: 0.8,
            b: 2.5,
        };
        let model = Model::new(Variant::BgNbd, parameters).unwrap();
        let draw = |seed| {
            let mut simulator = Simulator::new(model, seed);
            (0..50)
                .map(|_| simulator.customer_by_day(3, 300, 7.0))
                .collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        for cell in draw(1) {
            assert!(crate::Cell::new(cell.first_day(), cell.last_day(), cell.x()).is_ok());
        }
    }
}
