//! Expected purchases of a customer who is still alive: no poles, no overflow, no special cases.
//!
//! The published formula, `(a+b+x-1)/(a-1) · [1 - ((α+T)/(α+T+t))^(r+x) ₂F₁(…)]`, divides by a - 1, subtracts
//! numbers that agree in their first digits, and overflows. Here the same quantity is a sum of positive terms.
//! With N purchases if she never left (negative binomial, shape R = r + x, odds t/(α+T)) and chance
//! `sₙ = (B)ₙ/(a+B)ₙ` of staying through n purchases, B = b + k after k chances to leave,
//!
//! `Y(t) = Σ_{n>=0} P(N > n) sₙ = Σ_{m>=1} P(N = m) S_m`, `S_m = s₀ + … + s_{m-1}`.
//!
//! The factors `(R)_m/m! · S_m` do not depend on time and are kept, so a value costs a polynomial in
//! z = t/(α+T+t). Where z is close to 1 or x is large the sum would be long; there the mean over the dropout
//! probability p ~ Beta(a, B) is taken by the trapezoidal rule, with purchases `(1 - (1 + p t/(α+T))^-R)/p`.
//! On the logit scale of p the integrand decays exponentially at both ends, so the rule converges
//! exponentially (Trefethen & Weideman 2014, SIAM Review 56), and its endless tails are geometric series.

use super::{Parameters, Variant};

/// What customers with one number of repeat purchases will do while alive.
#[derive(Debug, Clone)]
pub struct GivenAlive {
    alpha: f64,
    /// R = r + x.
    shape: f64,
    /// a and B of the dropout probability, given alive.
    leave: f64,
    stay: f64,
    /// `(R)_m/m! · S_m` for m = 1, 2, ….
    coefficients: Vec<f64>,
}

/// So many terms of the sum reach z = 0.96; beyond, the integral is cheaper.
const TERMS: usize = 1_024;
/// Above this shape the coefficients could overflow.
const LARGEST_SHAPE: f64 = 200.0;
/// A term below this share of the sum changes nothing.
const NEGLIGIBLE: f64 = 1e-18;

impl GivenAlive {
    pub(super) fn new(variant: Variant, parameters: Parameters, x: u32) -> Self {
        let Parameters { r, alpha, a, b } = parameters;
        let mut given = Self {
            alpha,
            shape: r + f64::from(x),
            leave: a,
            stay: b + variant.chances(x),
            coefficients: Vec::new(),
        };
        if given.shape <= LARGEST_SHAPE {
            given.coefficients = given.series();
        }
        given
    }

    fn series(&self) -> Vec<f64> {
        let both = self.leave + self.stay;
        let (mut ways, mut stays, mut visits, mut n) = (1.0, 1.0, 0.0, 0.0);
        let mut coefficients = Vec::with_capacity(TERMS);
        for _ in 0..TERMS {
            ways *= (self.shape + n) / (n + 1.0);
            visits += stays;
            stays *= (self.stay + n) / (both + n);
            n += 1.0;
            coefficients.push(ways * visits);
        }
        coefficients
    }

    /// The expected purchase days within `horizon` units of time, at age `t`. 0 for a horizon of 0;
    /// non-decreasing and concave in the horizon.
    pub fn purchases(&self, t: f64, horizon: f64) -> f64 {
        let odds = horizon / (self.alpha + t);
        if odds > 0.0 {
            self.by_series(odds)
                .unwrap_or_else(|| self.by_integral(odds))
        } else {
            0.0
        }
    }

    fn by_series(&self, odds: f64) -> Option<f64> {
        let z = odds / (1.0 + odds);
        let (mut power, mut sum) = (1.0, 0.0);
        for coefficient in &self.coefficients {
            power *= z;
            let term = coefficient * power;
            sum += term;
            if term < sum * NEGLIGIBLE {
                let nothing = libm::exp(-self.shape * libm::log1p(odds));
                return Some(sum * nothing);
            }
        }
        None
    }

    fn by_integral(&self, odds: f64) -> f64 {
        let (a, b) = (self.leave, self.stay);
        let curvature = a * b / (a + b);
        // The integrand is analytic within ±π/2 of the real line (step 1/4 gives e^-39) and bell-shaped
        // with this curvature where it is narrow.
        let step = (0.74 / curvature.sqrt()).min(0.25);
        let mode = libm::log(a / b);
        let mut mean = Mean::new(self, odds, mode);
        // Where p, or 1 - p, is this small, everything but the power of the weight is constant.
        let flat_left = -40.0 - libm::log1p((a + b).max(self.shape * odds).max(odds));
        let flat_right = 40.0 + libm::log1p(a + b);
        mean.add(mode, 1.0);
        mean.walk(mode, step, flat_right, b);
        mean.walk(mode, -step, flat_left, a);
        mean.purchases / mean.weight
    }
}

/// Sums of the weights of p ~ Beta(leave, stay) and of the weighted purchases.
struct Mean<'a> {
    given: &'a GivenAlive,
    odds: f64,
    highest: f64,
    weight: f64,
    purchases: f64,
}

impl<'a> Mean<'a> {
    fn new(given: &'a GivenAlive, odds: f64, mode: f64) -> Self {
        Self {
            given,
            odds,
            highest: given.leave * mode - (given.leave + given.stay) * softplus(mode),
            weight: 0.0,
            purchases: 0.0,
        }
    }

    /// Adds the node p = e^s/(1 + e^s) `times` times; whether it still made a difference.
    fn add(&mut self, s: f64, times: f64) -> bool {
        let GivenAlive {
            shape, leave, stay, ..
        } = *self.given;
        let weight = times * libm::exp(leave * s - (leave + stay) * softplus(s) - self.highest);
        let p = 1.0 / (1.0 + libm::exp(-s));
        let bought = -libm::expm1(-shape * libm::log1p(p * self.odds));
        let purchases = if p > f64::MIN_POSITIVE {
            weight * bought / p
        } else {
            weight * shape * self.odds
        };
        self.weight += weight;
        self.purchases += purchases;
        weight > self.weight * NEGLIGIBLE || purchases > self.purchases * NEGLIGIBLE
    }

    /// Adds the nodes from `from` on, without it, until they make no difference; beyond `flat` the rest is
    /// a geometric series that falls by e^-decay per unit.
    fn walk(&mut self, from: f64, step: f64, flat: f64, decay: f64) {
        let mut node = 1.0;
        loop {
            let s = from + node * step;
            if s.abs() > flat.abs() && s * flat > 0.0 {
                let rest = -1.0 / libm::expm1(-decay * step.abs());
                self.add(s, rest);
                return;
            }
            if !self.add(s, 1.0) {
                return;
            }
            node += 1.0;
        }
    }
}

/// ln(1 + e^s).
fn softplus(s: f64) -> f64 {
    s.max(0.0) + libm::log1p(libm::exp(-s.abs()))
}

#[cfg(test)]
mod tests {
    use super::{GivenAlive, Parameters, Variant};

    fn given(x: u32, r: f64, a: f64, b: f64) -> GivenAlive {
        let alpha = 4.0;
        GivenAlive::new(Variant::BgNbd, Parameters { r, alpha, a, b }, x)
    }

    #[test]
    fn the_series_and_the_integral_are_the_same_number() {
        for x in [0, 1, 2, 26, 141] {
            for (r, a, b) in [
                (0.25, 0.8, 2.5),
                (0.5, 1.0, 1.0),
                (1.5, 0.0005, 50.0),
                (3.0, 30.0, 300.0),
            ] {
                let given = given(x, r, a, b);
                for odds in [1e-9, 1e-3, 0.3, 2.0, 20.0] {
                    let Some(sum) = given.by_series(odds) else {
                        continue;
                    };
                    let integral = given.by_integral(odds);
                    let error = (sum / integral - 1.0).abs();
                    assert!(
                        error < 1e-12,
                        "{x} {r} {a} {b} {odds}: {sum} {integral} {error:e}"
                    );
                }
            }
        }
    }

    #[test]
    fn without_dropout_the_purchases_are_those_of_the_rate() {
        // a → 0: nobody leaves, Y(t) = R t/(α+T).
        let loyal = given(3, 0.5, 1e-12, 5.0);
        assert!((loyal.purchases(6.0, 20.0) / (3.5 * 20.0 / 10.0) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_long_horizon_ends_in_the_expected_number_before_leaving() {
        // a > 1: E[1/p] = (a+B-1)/(a-1) purchases before leaving, after all time.
        let given = given(2, 0.5, 3.0, 4.0);
        let forever = given.purchases(1.0, 1e30);
        assert!((forever / (8.0 / 2.0) - 1.0).abs() < 1e-9, "{forever}");
    }
}
