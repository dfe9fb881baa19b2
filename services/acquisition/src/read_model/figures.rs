//! Figures of reports: undefined ones are nothing, and money is rounded once, half to even.

use money::half_even;

/// A part of a whole; nothing of nothing.
pub(crate) fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// An amount divided by a sum of credit, half to even; nothing among none.
pub(crate) fn share(minor_units: i64, among: f64) -> Option<i64> {
    ratio(double(minor_units), among).and_then(half_even)
}

/// Minor units as a double.
#[expect(
    clippy::cast_precision_loss,
    reason = "amounts below 2^53 minor units are exact"
)]
pub(crate) const fn double(minor_units: i64) -> f64 {
    minor_units as f64
}

#[cfg(test)]
mod tests {
    use super::{ratio, share};

    #[test]
    fn what_is_undefined_is_nothing_and_never_zero() {
        assert_eq!((ratio(0.0, 0.0), ratio(0.0, 4.0)), (None, Some(0.0)));
        assert_eq!(share(100, 0.0), None);
    }

    #[test]
    fn money_is_rounded_half_to_even() {
        assert_eq!((share(5, 2.0), share(7, 2.0)), (Some(2), Some(4)));
        assert_eq!(share(100_000, 3.0), Some(33_333));
        assert_eq!(share(34_333, 2.0 / 3.0), Some(51_500));
    }
}
