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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::div_half_even;

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

    proptest! {
        #[test]
        fn it_is_never_further_than_a_half(n in -1_000_000_i128..1_000_000, d in 1_i128..1_000) {
            let rounded = div_half_even(n, d).unwrap();
            prop_assert!((rounded * d - n).abs() * 2 <= d);
            prop_assert_eq!(div_half_even(-n, d).unwrap(), -rounded);
            prop_assert_eq!(div_half_even(-n, -d).unwrap(), rounded);
        }
    }
}
