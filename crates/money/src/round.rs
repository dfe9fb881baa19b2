//! Rounding, half to even, in one place.

/// `numerator / denominator`, rounded half to even; `None` for a zero denominator.
///
/// Half to even, so that many roundings do not drift to one side.
pub const fn div_half_even(numerator: i128, denominator: i128) -> Option<i128> {
    if denominator == 0 {
        return None;
    }
    let floor = numerator.div_euclid(denominator);
    let rest = numerator.rem_euclid(denominator);
    let size = denominator.unsigned_abs();
    let rest = rest.unsigned_abs();
    // Euclidean division leaves a rest in 0..|d|: the exact quotient lies `rest/|d|` from `floor`, away
    // from zero's side only for a negative denominator.
    let step = if denominator > 0 { 1 } else { -1 };
    let away = size - rest;
    Some(if rest < away || (rest == away && floor % 2 == 0) {
        floor
    } else {
        floor + step
    })
}

/// Doubles carry about sixteen digits; of these, the last one and a half are not relied on.
const OF_A_DOUBLE: f64 = 1e-14;

/// A double in whole minor units, half to even; nothing beyond 64 bits.
///
/// What is within a millionth of a minor unit of a half is a half, as the quotient of an amount and a sum of thirds may be
/// meant to be one and is none among doubles. Beyond a thousand million minor units it is as near to a half
/// as doubles of that size can tell.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked, and the floor is whole"
)]
pub fn half_even(minor_units: f64) -> Option<i64> {
    let tolerance = (minor_units.abs() * OF_A_DOUBLE).max(1e-6);
    let floor = minor_units.floor();
    let fits = floor.abs() < 9.0e18;
    fits.then(|| half_even_of(floor as i128, minor_units - floor, tolerance))
        .and_then(|rounded| i64::try_from(rounded).ok())
}

/// A whole number and a rest from 0 to below 1, half to even.
pub(crate) fn half_even_of(whole: i128, rest: f64, tolerance: f64) -> i128 {
    let up = if (rest - 0.5).abs() <= tolerance {
        whole % 2 != 0
    } else {
        rest > 0.5
    };
    whole + i128::from(up)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{div_half_even, half_even};

    #[test]
    fn a_half_goes_to_the_even_neighbour() {
        for (numerator, denominator, rounded) in [
            (1, 2, 0),
            (3, 2, 2),
            (5, 2, 2),
            (-1, 2, 0),
            (-3, 2, -2),
            (7, 3, 2),
            (8, 3, 3),
            (-8, 3, -3),
            (8, -3, -3),
            (5, -2, -2),
        ] {
            assert_eq!(
                div_half_even(numerator, denominator),
                Some(rounded),
                "{numerator}/{denominator}"
            );
        }
        assert_eq!(div_half_even(1, 0), None);
    }

    #[test]
    fn a_double_that_is_meant_to_be_a_half_is_one() {
        // 343.33 over two thirds is 514.995; 343.35 over the sixteen of twenty-four is 515.025.
        let two_thirds = 1.0 / 3.0 + 1.0 / 3.0;
        assert_eq!(half_even(34_333.0 / two_thirds), Some(51_500));
        let many: f64 = [1.0 / 24.0; 16].iter().sum();
        assert_eq!(half_even(34_335.0 / many), Some(51_502));
        assert_eq!((half_even(0.5), half_even(1.5)), (Some(0), Some(2)));
        assert_eq!((half_even(-0.5), half_even(-1.5)), (Some(0), Some(-2)));
        assert_eq!(
            (half_even(2.500_01), half_even(3.499_99)),
            (Some(3), Some(3))
        );
        assert_eq!((half_even(f64::NAN), half_even(1e19)), (None, None));
    }

    proptest! {
        #[test]
        fn a_quotient_of_doubles_is_rounded_as_the_exact_one(
            spend in 0_i64..100_000_000, above in 1_i64..2_000, below in 1_i64..2_000,
        ) {
            // spend / (above / below): as near to a half as a two-thousandth, or a half.
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let double = spend as f64 / (above as f64 / below as f64);
            let numerator = i128::from(spend) * i128::from(below);
            let exact = div_half_even(numerator, i128::from(above)).unwrap();
            prop_assert_eq!(half_even(double).map(i128::from), Some(exact));
        }

        #[test]
        fn it_is_never_further_than_a_half(n in -1_000_000_i128..1_000_000, d in 1_i128..1_000) {
            let rounded = div_half_even(n, d).unwrap();
            prop_assert!((rounded * d - n).abs() * 2 <= d);
            prop_assert_eq!(div_half_even(-n, d).unwrap(), -rounded);
            prop_assert_eq!(div_half_even(-n, -d).unwrap(), rounded);
        }
    }
}
