//! Splitting an amount so that the parts add up to it.

use crate::Exact;

/// Rounds parts of `total` to whole numbers that add up to it.
///
/// Each part is first rounded down; the units that are left go to the parts with the largest remainders, ties
/// to the earlier part (so sort by name first). Remainders are equal if they differ by less than the
/// [tolerance](Exact::tolerance) of either. `None` when a part does not fit 64 bits, or when all parts are 0 and
/// there is something to split.
///
/// 100.00 over three equal parts is 33.34, 33.33, 33.33.
pub fn largest_remainder(total: i64, parts: &[Exact]) -> Option<Vec<i64>> {
    let split: Vec<(i128, f64)> = parts.iter().map(Exact::split).collect();
    if split
        .iter()
        .all(|(whole, rest)| *whole == 0 && *rest <= 0.0)
    {
        return (total == 0).then(|| vec![0; parts.len()]);
    }
    let mut rounded: Vec<i128> = split.iter().map(|(whole, _)| *whole).collect();
    let missing = i128::from(total) - rounded.iter().sum::<i128>();
    let order = by_remainder(parts, &split);
    let step = missing.signum();
    // Parts of another total than this one come to more than a unit each: those are spread evenly.
    let each = missing / i128::try_from(order.len()).ok()?;
    let some =
        usize::try_from((missing % i128::try_from(order.len()).ok()?).unsigned_abs()).ok()?;
    for part in &mut rounded {
        *part += each;
    }
    let receive = |i: &usize| {
        if let Some(part) = rounded.get_mut(*i) {
            *part += step;
        }
    };
    if step < 0 {
        order.iter().rev().take(some).for_each(receive);
    } else {
        order.iter().take(some).for_each(receive);
    }
    rounded
        .into_iter()
        .map(|part| i64::try_from(part).ok())
        .collect()
}

/// The places of the parts, those with the largest remainders first, equal ones in their order.
fn by_remainder(parts: &[Exact], split: &[(i128, f64)]) -> Vec<usize> {
    let rest = |i: usize| split.get(i).map_or(0.0, |(_, rest)| *rest);
    let tolerance = |i: usize| parts.get(i).map_or(0.0, Exact::tolerance);
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by(|a, b| rest(*b).total_cmp(&rest(*a)));
    let equal = |a: &usize, b: &usize| rest(*a) - rest(*b) <= tolerance(*a).max(tolerance(*b));
    for equals in order.chunk_by_mut(equal) {
        equals.sort_unstable();
    }
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::largest_remainder;
    use crate::{Exact, Share};

    fn exact(shares: &[(i64, u64, u64)]) -> Exact {
        let mut exact = Exact::default();
        for &(amount, part, of) in shares {
            exact.add(amount, Share::Fraction { part, of });
        }
        exact
    }

    #[test]
    fn a_hundred_over_three_loses_no_cent() {
        let thirds = |total| vec![exact(&[(total, 1, 3)]); 3];
        assert_eq!(
            largest_remainder(10_000, &thirds(10_000)).unwrap(),
            vec![3_334, 3_333, 3_333]
        );
        assert_eq!(
            largest_remainder(-10_000, &thirds(-10_000)).unwrap(),
            vec![-3_333, -3_333, -3_334]
        );
        assert_eq!(largest_remainder(3, &thirds(3)).unwrap(), vec![1, 1, 1]);
    }

    #[test]
    fn the_largest_remainder_gets_the_unit() {
        let parts = [26, 26, 48].map(|part| exact(&[(10, part, 100)]));
        assert_eq!(largest_remainder(10, &parts).unwrap(), vec![3, 2, 5]);
    }

    #[test]
    fn equal_remainders_go_by_their_order_however_they_came_about() {
        // 300.00 to a; 123.45 to both: 361.725 and 61.725.
        let a = exact(&[(30_000, 1, 1), (12_345, 1, 2)]);
        let b = exact(&[(12_345, 1, 2)]);
        assert_eq!(
            largest_remainder(42_345, &[a, b]).unwrap(),
            vec![36_173, 6_172]
        );
        // Two thirds are a third and a third, and a sixth more than a half.
        let parts = [
            exact(&[(1, 2, 3)]),
            exact(&[(1, 1, 3), (1, 1, 3)]),
            exact(&[(1, 1, 2), (1, 1, 6)]),
        ];
        assert_eq!(largest_remainder(2, &parts).unwrap(), vec![1, 1, 0]);
    }

    #[test]
    fn real_shares_that_a_double_cannot_tell_apart_are_a_tie() {
        let mut parts = vec![Exact::default(); 2];
        parts[0].add(1_000_001, Share::Real(0.499_999_999_999_9));
        parts[1].add(1_000_001, Share::Real(0.500_000_000_000_1));
        assert_eq!(
            largest_remainder(1_000_001, &parts).unwrap(),
            vec![500_001, 500_000]
        );
    }

    #[test]
    fn nothing_to_weigh_by_is_refused() {
        assert_eq!(largest_remainder(1, &[]), None);
        assert_eq!(largest_remainder(1, &[Exact::default()]), None);
        assert_eq!(largest_remainder(0, &[Exact::default()]), Some(vec![0]));
    }

    #[test]
    fn parts_of_another_total_add_up_to_this_one() {
        let parts = [exact(&[(5, 1, 1)]), exact(&[(5, 1, 2)])];
        assert_eq!(largest_remainder(20, &parts).unwrap(), vec![11, 9]);
        assert_eq!(largest_remainder(2, &parts).unwrap(), vec![2, 0]);
    }

    proptest! {
        #[test]
        fn the_parts_always_add_up_and_none_is_a_unit_off(
            values in prop::collection::vec((0_i64..1 << 40, 1_u64..60), 1..12),
            channels in 1_u64..7,
        ) {
            let total: i64 = values.iter().map(|(value, _)| value).sum();
            let mut parts = vec![Exact::default(); usize::try_from(channels).unwrap()];
            for (value, first) in values {
                for (part, place) in parts.iter_mut().zip(0_u64..) {
                    // The first gets one share more than each of the others.
                    let share = 1 + u64::from(place == first % channels);
                    part.add(value, Share::Fraction { part: share, of: channels + 1 });
                }
            }
            let rounded = largest_remainder(total, &parts).unwrap();
            prop_assert_eq!(rounded.iter().sum::<i64>(), total);
            for (rounded, exact) in rounded.iter().zip(&parts) {
                let (whole, _) = exact.split();
                prop_assert!((0..=1).contains(&(i128::from(*rounded) - whole)));
            }
        }
    }
}
