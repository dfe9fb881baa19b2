//! How often a customer buys and whether there still is one: BG/NBD and MBG/NBD.
//!
//! While alive, a customer buys at random with a rate λ of her own, Gamma(r, rate α) over customers. After a
//! purchase she leaves with a probability p of her own, Beta(a, b) over customers. In BG/NBD she may leave
//! after each *repeat* purchase, in MBG/NBD also right after the first one. So a customer with x repeat
//! purchases had k = x, or k = x + 1, chances to leave, and this is the only difference between the two.
//!
//! Fader, Hardie & Lee (2005), "Counting your customers the easy way", Marketing Science 24.
//! Batislam, Denizel & Filiztekin (2007), "Empirical validation and comparison of models for customer base
//! analysis", IJRM 24.

mod fit;
mod given_alive;
mod likelihood;

pub use fit::{Fit, fit, fit_best, fit_from};
pub use given_alive::GivenAlive;

use crate::Recency;
use crate::special::ln_rising;

/// Which of the two models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variant {
    /// A customer may leave after each repeat purchase: one-time buyers are all alive.
    BgNbd,
    /// A customer may also leave right after the first purchase.
    MbgNbd,
}

impl Variant {
    /// The name that tables and answers use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BgNbd => "bgnbd",
            Self::MbgNbd => "mbgnbd",
        }
    }

    /// How often a customer with `x` repeat purchases could have left.
    pub(crate) fn chances(self, x: u32) -> f64 {
        match self {
            Self::BgNbd => f64::from(x),
            Self::MbgNbd => f64::from(x) + 1.0,
        }
    }
}

/// The four parameters, all positive and finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameters {
    /// Shape of the purchase rates.
    pub r: f64,
    /// Rate of the purchase rates, in units of time: the mean rate is r/alpha.
    pub alpha: f64,
    /// First shape of the dropout probabilities: their mean is a/(a + b).
    pub a: f64,
    /// Second shape of the dropout probabilities.
    pub b: f64,
}

impl Parameters {
    pub(crate) const fn to_array(self) -> [f64; 4] {
        [self.r, self.alpha, self.a, self.b]
    }

    pub(crate) const fn from_array([r, alpha, a, b]: [f64; 4]) -> Self {
        Self { r, alpha, a, b }
    }

    fn are_positive(self) -> bool {
        self.to_array().iter().all(|p| p.is_finite() && *p > 0.0)
    }
}

/// A model with its parameters: everything that can be said of a customer from a history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Model {
    variant: Variant,
    parameters: Parameters,
}

impl Model {
    /// `None` unless all parameters are positive and finite.
    pub fn new(variant: Variant, parameters: Parameters) -> Option<Self> {
        parameters.are_positive().then_some(Self {
            variant,
            parameters,
        })
    }

    /// Which of the two models.
    pub const fn variant(&self) -> Variant {
        self.variant
    }

    /// Its parameters.
    pub const fn parameters(&self) -> Parameters {
        self.parameters
    }

    /// P(alive), in `[0, 1]` (0 only where the true figure is below the smallest double).
    ///
    /// `1 / (1 + a/(b+k-1) ((α+T)/(α+tx))^(r+x))` with k chances to leave; 1 if there was no chance yet.
    /// Under BG/NBD this is 1 for *every* one-time buyer by definition of the model, however long ago: it
    /// says nothing about safety. [`p_buy_within`](Self::p_buy_within) does.
    pub fn p_alive(&self, seen: &Recency) -> f64 {
        let chances = self.variant.chances(seen.x());
        if chances == 0.0 {
            return 1.0;
        }
        let Parameters { r, alpha, a, b } = self.parameters;
        let silence = libm::log((alpha + seen.t()) / (alpha + seen.tx()));
        let odds = libm::log(a / (b + chances - 1.0)) + (r + f64::from(seen.x())) * silence;
        1.0 / (1.0 + libm::exp(odds))
    }

    /// P(at least one purchase within `horizon` units of time from now), in `[0, 1]`.
    ///
    /// `P(alive) (1 - ((α+T)/(α+T+h))^(r+x))`.
    pub fn p_buy_within(&self, seen: &Recency, horizon: f64) -> f64 {
        let Parameters { r, alpha, .. } = self.parameters;
        let growth = libm::log1p(horizon.max(0.0) / (alpha + seen.t()));
        self.p_alive(seen) * -libm::expm1(-(r + f64::from(seen.x())) * growth)
    }

    /// The expected number of purchase days within `horizon` units of time from now.
    pub fn expected_purchases(&self, seen: &Recency, horizon: f64) -> f64 {
        self.p_alive(seen) * self.given_alive(seen.x()).purchases(seen.t(), horizon)
    }

    /// What a customer with `x` repeat purchases will do if still alive; keep it for customers alike.
    pub fn given_alive(&self, x: u32) -> GivenAlive {
        GivenAlive::new(self.variant, self.parameters, x)
    }

    /// P(exactly `x` repeat purchases by age `t`) of a customer picked at random (BG/NBD, equation 8; for
    /// MBG/NBD with one more chance to leave).
    pub fn p_frequency(&self, x: u32, t: f64) -> f64 {
        let Parameters { r, alpha, a, b } = self.parameters;
        let bought = t / (alpha + t);
        let ln_nothing = -r * libm::log1p(t / alpha);
        let count = |j: f64| {
            let ways = ln_rising(r, j) - libm::lgamma(j + 1.0);
            let power = if j == 0.0 { 0.0 } else { j * libm::log(bought) };
            libm::exp(ln_nothing + ways + power)
        };
        let chances = self.variant.chances(x);
        let stayed = libm::exp(ln_rising(b, chances) - ln_rising(a + b, chances));
        let alive = stayed * count(f64::from(x));
        if chances == 0.0 {
            return alive;
        }
        let left_last = stayed * a / (b + chances - 1.0);
        let at_least: f64 = 1.0 - (0..x).map(|j| count(f64::from(j))).sum::<f64>();
        alive + left_last * at_least.max(0.0)
    }
}
