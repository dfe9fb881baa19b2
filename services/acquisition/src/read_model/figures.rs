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

/// Amounts added up, in whatever order; nothing if the sum is beyond 64 bits.
pub(crate) fn total(minor_units: impl IntoIterator<Item = i64>) -> Option<i64> {
    let sum: i128 = minor_units.into_iter().map(i128::from).sum();
    i64::try_from(sum).ok()
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
    use super::{ratio, share, total};

    #[test]
    fn what_is_undefined_is_nothing_and_never_zero() {
        assert_eq!((ratio(0.0, 0.0), ratio(0.0, 4.0)), (None, Some(0.0)));
        assert_eq!(share(100, 0.0), None);
    }

    #[test]
    fn a_sum_may_be_too_large_on_the_way_but_not_in_the_end() {
        assert_eq!(total([i64::MAX, 1, -2]), Some(i64::MAX - 1));
        assert_eq!(total([i64::MAX, 1]), None);
        assert_eq!(total([]), Some(0));
    }

    #[test]
    fn money_is_rounded_half_to_even() {
        assert_eq!((share(5, 2.0), share(7, 2.0)), (Some(2), Some(4)));
        assert_eq!(share(100_000, 3.0), Some(33_333));
        assert_eq!(share(34_333, 2.0 / 3.0), Some(51_500));
    }
}
