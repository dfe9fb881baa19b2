//! Splitting an amount so that the parts add up to it.

/// Splits `total` in proportion to `weights` so that the parts add up exactly.
///
/// Each part is first rounded towards zero; the units that are left go to the parts with the largest
/// remainders, ties to the earlier part (so sort by name first). Weights that are not finite or not
/// positive count as none. `None` when no weight is positive and there is something to split.
///
/// 100.00 over three equal parts is 33.34, 33.33, 33.33.
pub fn largest_remainder(total: i64, weights: &[f64]) -> Option<Vec<i64>> {
    let weights: Vec<f64> = weights
        .iter()
        .map(|w| if w.is_finite() && *w > 0.0 { *w } else { 0.0 })
        .collect();
    let sum: f64 = weights.iter().sum();
    if sum <= 0.0 {
        return (total == 0).then(|| vec![0; weights.len()]);
    }
    let size = total.unsigned_abs();
    let shares: Vec<Share> = weights.iter().map(|w| Share::of(size, *w / sum)).collect();
    let mut parts: Vec<u64> = shares.iter().map(|share| share.whole).collect();
    spread(&mut parts, &shares, size);
    let sign = total.signum();
    parts
        .into_iter()
        .map(|part| i64::try_from(part).ok().map(|part| sign * part))
        .collect()
}

struct Share {
    whole: u64,
    remainder: f64,
}

impl Share {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the lost fraction is what the remainders put right"
    )]
    fn of(size: u64, fraction: f64) -> Self {
        let exact = size as f64 * fraction;
        // A remainder within rounding error of a whole unit is that unit: 1/3 of 3 is 1, not 0.999….
        let nearest = exact.round();
        let near = (exact - nearest).abs() <= exact.abs().max(1.0) * 1e-12;
        let whole = if near { nearest } else { exact.floor() };
        Self {
            whole: whole as u64,
            remainder: if near { 0.0 } else { exact - whole },
        }
    }
}

/// Gives what is missing to the largest remainders, or takes back what rounding gave too much.
fn spread(parts: &mut [u64], shares: &[Share], size: u64) {
    let mut order: Vec<usize> = (0..shares.len()).collect();
    let remainder = |i: &usize| shares.get(*i).map_or(0.0, |share| share.remainder);
    order.sort_by(|a, b| remainder(b).total_cmp(&remainder(a)).then(a.cmp(b)));
    let given: u128 = parts.iter().map(|part| u128::from(*part)).sum();
    let missing = i128::from(size) - i128::try_from(given).unwrap_or(i128::MAX);
    let step: i64 = if missing < 0 { -1 } else { 1 };
    let eligible: Vec<usize> = if step > 0 {
        order
    } else {
        order.into_iter().rev().collect()
    };
    for i in eligible
        .iter()
        .cycle()
        .take(usize::try_from(missing.unsigned_abs()).unwrap_or(0))
    {
        if let Some(part) = parts.get_mut(*i) {
            *part = part.saturating_add_signed(step);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::largest_remainder;

    #[test]
    fn a_hundred_over_three_loses_no_cent() {
        assert_eq!(
            largest_remainder(10_000, &[1.0; 3]).unwrap(),
            vec![3_334, 3_333, 3_333]
        );
        assert_eq!(
            largest_remainder(-10_000, &[1.0; 3]).unwrap(),
            vec![-3_334, -3_333, -3_333]
        );
    }

    #[test]
    fn the_largest_remainder_gets_the_unit() {
        assert_eq!(
            largest_remainder(10, &[0.26, 0.26, 0.48]).unwrap(),
            vec![3, 2, 5]
        );
        assert_eq!(
            largest_remainder(3, &[1.0 / 3.0; 3]).unwrap(),
            vec![1, 1, 1]
        );
    }

    #[test]
    fn nothing_to_weigh_by_is_refused() {
        assert_eq!(largest_remainder(1, &[]), None);
        assert_eq!(largest_remainder(1, &[0.0, f64::NAN]), None);
        assert_eq!(largest_remainder(0, &[0.0]), Some(vec![0]));
    }

    proptest! {
        #[test]
        fn the_parts_always_add_up(
            total in -1_i64 << 52..1_i64 << 52,
            weights in prop::collection::vec(0.001_f64..1_000.0, 1..40),
        ) {
            let parts = largest_remainder(total, &weights).unwrap();
            prop_assert_eq!(parts.iter().sum::<i64>(), total);
            prop_assert!(parts.iter().all(|part| part.signum() * total.signum() >= 0));
        }
    }
}
