//! Sums of shares of amounts, exact until they are rounded.
//!
//! A half of one amount and two thirds of another have no sum among binary fractions, and a report that adds
//! them as such finds ties where there are none and misses those that there are. So a share that is a
//! fraction is added as one, and only what is left behind the point becomes a double, once.

use std::collections::BTreeMap;

use crate::round::half_even_of;

/// The smallest difference that counts between sums of fractions, in minor units. Their doubles are far
/// closer; sums of fractions whose denominators have thousands of millions in common may be closer and differ.
const OF_FRACTIONS: f64 = 1e-9;
/// The same between sums with shares that are no fractions: as far as doubles of large amounts carry.
const OF_REALS: f64 = 1e-6;
/// What a few additions of doubles below 1 leave.
const OF_DIGITS: f64 = 1e-12;
/// Into so many parts a unit is divided for shares that are no fractions.
const SCALE: i128 = 1 << 40;

/// A part of one whole, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Share {
    /// So many of so many.
    Fraction {
        /// So many.
        part: u64,
        /// Of so many; above 0.
        of: u64,
    },
    /// One that is no fraction: an exponential, the solution of a system.
    Real(f64),
}

/// A sum of shares of whole numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exact {
    whole: i128,
    /// By denominator, a numerator below it.
    fractions: BTreeMap<u64, u64>,
    /// What shares that are no fractions come to, in parts of a unit.
    reals: i128,
}

impl Share {
    /// Everything.
    pub const ALL: Self = Self::Fraction { part: 1, of: 1 };
    /// Nothing.
    pub const NONE: Self = Self::Fraction { part: 0, of: 1 };

    /// The nearest double.
    #[expect(
        clippy::cast_precision_loss,
        reason = "numerators and denominators are numbers of touches"
    )]
    pub fn to_f64(self) -> f64 {
        match self {
            Self::Fraction { part, of } => part as f64 / of as f64,
            Self::Real(share) => share,
        }
    }

    /// The sum of two shares of the same whole.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let real = || Self::Real(self.to_f64() + other.to_f64());
        let (Self::Fraction { part, of }, Self::Fraction { part: more, of: by }) = (self, other)
        else {
            return real();
        };
        if of == by {
            let part = part.checked_add(more);
            return part.map_or_else(real, |part| Self::Fraction { part, of });
        }
        let sum = part.checked_mul(by).zip(more.checked_mul(of));
        let sum = sum.and_then(|(part, more)| part.checked_add(more));
        let sum = sum.zip(of.checked_mul(by));
        sum.map_or_else(real, |(part, of)| Self::Fraction { part, of })
    }
}

impl Exact {
    /// Adds a share of an amount.
    pub fn add(&mut self, amount: i64, share: Share) {
        match share {
            Share::Fraction { of: 0, .. } => {}
            Share::Fraction { part, of } => {
                let (whole, rest) = divided(amount, part, of);
                self.whole += whole;
                self.add_fraction(rest, of);
            }
            Share::Real(share) => self.reals += scaled(amount, share),
        }
    }

    /// Both are below 1.
    fn add_fraction(&mut self, rest: u64, of: u64) {
        if rest == 0 {
            return;
        }
        let part = self.fractions.entry(of).or_default();
        let to_whole = of - *part;
        if rest < to_whole {
            *part += rest;
        } else {
            *part = rest - to_whole;
            self.whole += 1;
        }
    }

    /// Whether shares that are no fractions have left anything behind the point.
    const fn is_real(&self) -> bool {
        self.reals.rem_euclid(SCALE) != 0
    }

    /// Up to which difference it may be taken for another number, in its units: a millionth with shares that
    /// are no fractions, else a thousandth of that.
    pub const fn tolerance(&self) -> f64 {
        if self.is_real() {
            OF_REALS
        } else {
            OF_FRACTIONS
        }
    }

    /// The whole number below it, and what is left, from 0 to below 1. Within tolerance of a whole number it
    /// is that number.
    pub fn split(&self) -> (i128, f64) {
        self.split_within(self.tolerance())
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "only what is behind the point becomes a double; the floor of a few fractions is small"
    )]
    fn split_within(&self, tolerance: f64) -> (i128, f64) {
        let mut rest = self.reals.rem_euclid(SCALE) as f64 / SCALE as f64;
        for (of, part) in &self.fractions {
            rest += *part as f64 / *of as f64;
        }
        let carried = rest.floor();
        let whole = self.whole + self.reals.div_euclid(SCALE) + carried as i128;
        let rest = rest - carried;
        if rest > 1.0 - tolerance {
            (whole + 1, 0.0)
        } else if rest < tolerance {
            (whole, 0.0)
        } else {
            (whole, rest)
        }
    }

    /// The nearest double, which is a whole number only if it is one but for the last digits.
    #[expect(clippy::cast_precision_loss, reason = "that is what is asked for")]
    pub fn to_f64(&self) -> f64 {
        let (whole, rest) = self.split_within(OF_DIGITS);
        whole as f64 + rest
    }

    /// The nearest whole number, half to even; what is within tolerance of a half is one. Nothing beyond 64
    /// bits.
    pub fn rounded(&self) -> Option<i64> {
        let (whole, rest) = self.split();
        i64::try_from(half_even_of(whole, rest, self.tolerance())).ok()
    }
}

/// The whole number below a fraction of an amount, and what is left of it in its parts.
fn divided(amount: i64, part: u64, of: u64) -> (i128, u64) {
    // Nearly always it fits 64 bits, in which it is several times faster.
    let part_64 = i64::try_from(part).ok();
    let exact = part_64.and_then(|part| amount.checked_mul(part));
    if let (Some(exact), Ok(of)) = (exact, i64::try_from(of)) {
        return (
            i128::from(exact.div_euclid(of)),
            exact.rem_euclid(of).unsigned_abs(),
        );
    }
    let (exact, of) = (i128::from(amount) * i128::from(part), i128::from(of));
    let rest = u64::try_from(exact.rem_euclid(of));
    (exact.div_euclid(of), rest.unwrap_or_default())
}

/// A share that is no fraction of an amount, in parts of a unit.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "as exact as a double is; the cast stops at the largest number, and what is no number is 0"
)]
fn scaled(amount: i64, share: f64) -> i128 {
    (amount as f64 * share * SCALE as f64).round() as i128
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Exact, Share};

    fn fraction(part: u64, of: u64) -> Share {
        Share::Fraction { part, of }
    }

    fn sum(shares: &[(i64, Share)]) -> Exact {
        let mut sum = Exact::default();
        for (amount, share) in shares {
            sum.add(*amount, *share);
        }
        sum
    }

    #[test]
    fn thirds_and_sixths_add_up_to_the_half_that_they_are() {
        let third_and_sixth = sum(&[(1, fraction(1, 3)), (1, fraction(1, 6))]);
        assert_eq!(third_and_sixth.rounded(), Some(0));
        let one_more = sum(&[(1, fraction(1, 3)), (1, fraction(1, 6)), (1, Share::ALL)]);
        assert_eq!(one_more.rounded(), Some(2));
        let whole = sum(&[
            (10, fraction(1, 3)),
            (11, fraction(2, 3)),
            (4, fraction(1, 3)),
        ]);
        assert_eq!(whole.split(), (12, 0.0));
    }

    #[test]
    fn amounts_near_the_largest_lose_nothing() {
        let half = sum(&[(i64::MAX, fraction(1, 2))]);
        assert_eq!(half.split(), (i128::from(i64::MAX / 2), 0.5));
        // The product does not fit 64 bits.
        let third = sum(&[(i64::MAX, fraction(2, 6))]);
        assert_eq!(third.split().0, i128::from(i64::MAX / 3));
        let below = sum(&[(-1, fraction(1, 2)), (i64::MIN + 2, Share::ALL)]);
        assert_eq!(below.rounded(), Some(i64::MIN + 2));
        assert_eq!(
            sum(&[(i64::MAX, Share::ALL), (1, Share::ALL)]).rounded(),
            None
        );
    }

    #[test]
    fn a_real_share_is_as_exact_as_its_double_allows() {
        let third = 1.0 / 3.0;
        let exact = sum(&[(300_000, Share::Real(third)), (3, Share::Real(third / 2.0))]);
        assert_eq!(exact.split(), (100_000, 0.5));
        assert_eq!(exact.rounded(), Some(100_000));
        assert_eq!(sum(&[(1, Share::Real(f64::NAN))]).rounded(), Some(0));
    }

    #[test]
    fn as_a_double_it_is_not_rounded() {
        let more = sum(&[(1, Share::ALL), (1, Share::Real(7e-7))]);
        assert!((more.to_f64() - 1.000_000_7).abs() < 1e-12);
        let close = sum(&[(1, fraction(1, 4_000_000_000))]);
        assert!((close.to_f64() - 2.5e-10).abs() < 1e-15);
        let sixths = sum(&[
            (1, fraction(1, 2)),
            (1, fraction(1, 3)),
            (1, fraction(1, 6)),
        ]);
        assert!((sixths.to_f64() - 1.0).abs() <= 0.0);
    }

    #[test]
    fn shares_of_one_whole_are_added_as_fractions_as_long_as_they_fit() {
        assert_eq!(fraction(1, 5).plus(fraction(2, 5)), fraction(3, 5));
        assert_eq!(fraction(1, 2).plus(fraction(1, 3)), fraction(5, 6));
        let long = fraction(1, u64::MAX - 1);
        assert!(matches!(long.plus(fraction(1, 2)), Share::Real(_)));
        assert!((fraction(1, 2).plus(Share::Real(0.25)).to_f64() - 0.75).abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn it_is_what_whole_numbers_over_a_common_denominator_are(
            shares in prop::collection::vec((-1_000_000_i64..1_000_000, 0_u64..60, 1_u64..13), 0..40),
        ) {
            // 27720 is a multiple of 1 to 12.
            let common = 27_720_i128;
            let mut numerator = 0;
            let mut exact = Exact::default();
            for (amount, part, of) in shares {
                exact.add(amount, fraction(part, of));
                numerator += i128::from(amount) * i128::from(part) * (common / i128::from(of));
            }
            let (whole, rest) = exact.split();
            prop_assert_eq!(whole, numerator.div_euclid(common));
            #[expect(clippy::cast_precision_loss, reason = "below 27720")]
            let expected = numerator.rem_euclid(common) as f64 / common as f64;
            prop_assert!((rest - expected).abs() < 1e-12);
            let rounded = crate::div_half_even(numerator, common).unwrap();
            prop_assert_eq!(exact.rounded().map(i128::from), Some(rounded));
        }
    }
}
