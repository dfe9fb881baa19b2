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
    use super::{digamma_trigamma, ln_rising};

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
    fn a_rising_factorial_is_a_product() {
        close(ln_rising(0.25, 3.0), (0.25_f64 * 1.25 * 2.25).ln());
        assert!(ln_rising(7.0, 0.0).abs() < 1e-300);
    }
}
