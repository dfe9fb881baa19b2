//! A rate as a person writes it: a decimal, not a binary fraction.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::div_half_even;

/// A rate as an exact decimal with up to twelve places. 0.7 is seven tenths.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Rate(i64);

const PLACES: usize = 12;

impl Rate {
    /// How many parts a whole has: a rate of 1 is `SCALE` parts.
    pub const SCALE: i128 = 1_000_000_000_000;

    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// `parts` of a thousand: `Rate::per_mille(750)` is 0.75.
    pub const fn per_mille(parts: u16) -> Self {
        Self(parts as i64 * 1_000_000_000)
    }

    /// The decimal that `value` is written as (its shortest form); `None` if that is not finite, has more
    /// than twelve places, or is a million or more in size.
    pub fn from_f64(value: f64) -> Option<Self> {
        if !value.is_finite() || value.abs() >= 1e6 {
            return None;
        }
        let written = format!("{value}");
        let (sign, digits) = written
            .strip_prefix('-')
            .map_or((1, written.as_str()), |d| (-1, d));
        let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
        if places.len() > PLACES {
            return None;
        }
        let scaled: i64 = format!("{whole}{places:0<PLACES$}").parse().ok()?;
        Some(Self(sign * scaled))
    }

    /// In parts of [`SCALE`](Self::SCALE).
    pub const fn scaled(self) -> i128 {
        self.0 as i128
    }

    /// The nearest binary fraction, for answers.
    #[expect(
        clippy::cast_precision_loss,
        reason = "an answer for people; sums never use it"
    )]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / Self::SCALE as f64
    }

    /// Whether it is in `[0, 1)`.
    pub const fn is_below_one(self) -> bool {
        self.0 >= 0 && self.scaled() < Self::SCALE
    }

    /// Whether it is in `[0, 1]`.
    pub const fn is_share(self) -> bool {
        self.0 >= 0 && self.scaled() <= Self::SCALE
    }

    /// This share of `minor_units`, half to even; `None` when it does not fit.
    pub fn of(self, minor_units: i64) -> Option<i64> {
        let exact = i128::from(minor_units).checked_mul(self.scaled())?;
        i64::try_from(div_half_even(exact, Self::SCALE)?).ok()
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_f64())
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rate({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::Rate;

    #[test]
    fn a_rate_is_the_decimal_that_was_written() {
        assert_eq!(Rate::from_f64(0.7).unwrap().scaled(), 700_000_000_000);
        assert_eq!(Rate::from_f64(0.75), Some(Rate::per_mille(750)));
        assert_eq!(Rate::from_f64(-0.25).unwrap().scaled(), -250_000_000_000);
        assert_eq!(Rate::from_f64(1e-12).unwrap().scaled(), 1);
        assert_eq!(Rate::from_f64(3.0).unwrap().scaled(), 3_000_000_000_000);
    }

    #[test]
    fn what_cannot_be_exact_is_no_rate() {
        for wrong in [f64::NAN, f64::INFINITY, 1e-13, 1e6, 0.1 + 0.2] {
            assert_eq!(Rate::from_f64(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_share_of_an_amount_is_rounded_half_to_even() {
        assert_eq!(Rate::per_mille(500).of(5), Some(2));
        assert_eq!(Rate::per_mille(500).of(7), Some(4));
        assert_eq!(Rate::per_mille(500).of(-5), Some(-2));
        assert_eq!(Rate::per_mille(750).of(40_000), Some(30_000));
    }
}
