//! Special functions, our own so that every machine gets the same bits.
//!
//! `ln`, `exp` and `lgamma` come from `libm`, which is compiled code and not the machine's C library.

/// Above this the asymptotic series below are exact to a double's last digits.
const ASYMPTOTIC: f64 = 12.0;

/// The digamma function ψ(x) = d ln Γ(x)/dx and the trigamma function ψ'(x), for x > 0.
///
/// Abramowitz & Stegun (1964) 6.3.5 and 6.4.6 (recurrence), 6.3.18 and 6.4.12 (asymptotic series).
pub(crate) fn digamma_trigamma(x: f64) -> (f64, f64) {
    let (mut digamma, mut trigamma) = (0.0, 0.0);
    let mut x = x;
    while x < ASYMPTOTIC {
        let inverse = 1.0 / x;
        digamma -= inverse;
        trigamma += inverse * inverse;
        x += 1.0;
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let digamma_series = 1.0 / 12.0
        - square
            * (1.0 / 120.0
                - square
                    * (1.0 / 252.0
                        - square
                            * (1.0 / 240.0 - square * (1.0 / 132.0 - square * 691.0 / 32_760.0))));
    let trigamma_series = 1.0 / 6.0
        - square
            * (1.0 / 30.0
                - square
                    * (1.0 / 42.0
                        - square
                            * (1.0 / 30.0 - square * (5.0 / 66.0 - square * 691.0 / 2_730.0))));
    digamma += libm::log(x) - inverse * 0.5 - square * digamma_series;
    trigamma += inverse + square * (0.5 + inverse * trigamma_series);
    (digamma, trigamma)
}

/// ln of the rising factorial (x)ₙ = Γ(x + n)/Γ(x), for x > 0 and n >= 0.
pub(crate) fn ln_rising(x: f64, n: f64) -> f64 {
    if n == 0.0 {
        return 0.0;
    }
    libm::lgamma(x + n) - libm::lgamma(x)
}

/// ln of the rising factorial (x)ₙ and its first two derivatives by x, for n that only grows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rising {
    x: f64,
    n: f64,
    /// ln (x)ₙ
    pub(crate) ln: f64,
    /// ψ(x + n) - ψ(x)
    pub(crate) slope: f64,
    /// ψ'(x + n) - ψ'(x)
    pub(crate) curvature: f64,
}

/// Up to so many factors are multiplied one by one.
const FEW_FACTORS: f64 = 12.0;

impl Rising {
    /// At n = 0.
    pub(crate) const fn new(x: f64) -> Self {
        Self {
            x,
            n: 0.0,
            ln: 0.0,
            slope: 0.0,
            curvature: 0.0,
        }
    }

    /// Goes on to a whole number `n`, at least as large as before.
    pub(crate) fn advance(&mut self, n: f64) {
        let (from, to) = (self.x + self.n, self.x + n);
        if n - self.n <= FEW_FACTORS {
            let (mut factor, mut product) = (from, 1.0);
            while factor < to - 0.5 {
                let inverse = 1.0 / factor;
                product *= factor;
                self.slope += inverse;
                self.curvature -= inverse * inverse;
                factor += 1.0;
            }
            self.ln += libm::log(product);
        } else {
            let (before, after) = (digamma_trigamma(from), digamma_trigamma(to));
            self.ln += libm::lgamma(to) - libm::lgamma(from);
            self.slope += after.0 - before.0;
            self.curvature += after.1 - before.1;
        }
        self.n = n;
    }
}

/// A sum of logarithms, most of them taken together as the logarithm of a product.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LnSum {
    ln: f64,
    product: f64,
}

impl Default for LnSum {
    fn default() -> Self {
        Self {
            ln: 0.0,
            product: 1.0,
        }
    }
}

impl LnSum {
    /// Adds `count · ln factor`, for a factor between 1e-50 and 1e50.
    #[inline]
    pub(crate) fn add(&mut self, factor: f64, count: f64) {
        if count > 1.0 {
            self.ln += count * libm::log(factor);
            return;
        }
        self.product *= factor;
        if !(1e-250..1e250).contains(&self.product) {
            self.ln += libm::log(self.product);
            self.product = 1.0;
        }
    }

    /// The sum.
    pub(crate) fn total(self) -> f64 {
        self.ln + libm::log(self.product)
    }
}

/// The nearest double of a count. Counts of customers stay far below 2^53, where this is exact.
#[expect(
    clippy::cast_precision_loss,
    reason = "exact below 2^53, and no business has that many customers"
)]
pub(crate) const fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::{LnSum, Rising, digamma_trigamma, ln_rising};

    const EULER: f64 = 0.577_215_664_901_532_9;
    const PI: f64 = std::f64::consts::PI;

    fn close(computed: f64, expected: f64) {
        let error = (computed - expected).abs() / expected.abs().max(1e-300);
        assert!(error < 4e-15, "{computed} is not {expected}: {error:e}");
    }

    #[test]
    fn known_values_are_reached_to_the_last_digits() {
        let (digamma, trigamma) = digamma_trigamma(1.0);
        close(digamma, -EULER);
        close(trigamma, PI * PI / 6.0);
        let (digamma, trigamma) = digamma_trigamma(0.5);
        close(digamma, -EULER - 2.0 * std::f64::consts::LN_2);
        close(trigamma, PI * PI / 2.0);
        let (digamma, trigamma) = digamma_trigamma(1e-5);
        close(digamma, -100_000.577_199_215_68);
        close(trigamma, 10_000_000_001.644_91);
        close(digamma_trigamma(1e6).0, 13.815_510_057_964_19);
    }

    #[test]
    fn the_recurrence_holds_across_the_asymptotic_edge() {
        for tenth in 1..200 {
            let x = f64::from(tenth) / 10.0;
            let (low, high) = (digamma_trigamma(x), digamma_trigamma(x + 1.0));
            assert!((high.0 - low.0 - 1.0 / x).abs() < 1e-13 / x, "{x}");
            assert!(
                (low.1 - high.1 - 1.0 / (x * x)).abs() < 1e-13 / (x * x),
                "{x}"
            );
        }
    }

    #[test]
    fn logarithms_taken_together_are_those_taken_one_by_one() {
        for factor in [1e-50, 0.01, 1.0, 1.5, 1e49] {
            let mut sum = LnSum::default();
            for _ in 0..1_000 {
                sum.add(factor, 1.0);
            }
            sum.add(factor, 7.0);
            let expected = 1_007.0 * factor.ln();
            assert!(
                (sum.total() - expected).abs() <= 1e-13 * (1.0 + expected.abs()),
                "{factor}"
            );
        }
    }

    #[test]
    fn a_rising_factorial_goes_on_by_factors_or_by_gamma_functions() {
        for x in [1e-4, 0.25, 7.0, 3_000.0] {
            let mut rising = Rising::new(x);
            for n in [0.0, 1.0, 2.0, 14.0, 40.0, 41.0, 20_000.0] {
                rising.advance(n);
                let (start, end) = (digamma_trigamma(x), digamma_trigamma(x + n));
                let near = |computed: f64, expected: f64, scale: f64| {
                    let error = (computed - expected).abs();
                    assert!(error <= 1e-13 * scale, "{x} {n}: {computed} {expected}");
                };
                near(rising.ln, ln_rising(x, n), 1.0 + libm::lgamma(x + n).abs());
                near(rising.slope, end.0 - start.0, 1.0 + start.0.abs());
                near(rising.curvature, end.1 - start.1, 1.0 + start.1);
            }
        }
    }

    #[test]
    fn a_rising_factorial_is_a_product() {
        close(ln_rising(0.25, 3.0), (0.25_f64 * 1.25 * 2.25).ln());
        assert!(ln_rising(7.0, 0.0).abs() < 1e-300);
    }
}
