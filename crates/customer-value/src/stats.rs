//! Correlations: how two columns of figures move together.

use crate::special::real;

/// Pearson's correlation; `None` when it is undefined (fewer than two pairs, or a constant column).
pub fn pearson(left: &[f64], right: &[f64]) -> Option<f64> {
    counted_pearson(left, right, &vec![1; left.len()])
}

/// Spearman's rank correlation, equal values sharing their mean rank.
pub fn spearman(left: &[f64], right: &[f64]) -> Option<f64> {
    counted_spearman(left, right, &vec![1; left.len()])
}

/// Pearson's correlation of pairs that occur `counts` times.
pub(crate) fn counted_pearson(left: &[f64], right: &[f64], counts: &[u64]) -> Option<f64> {
    let n: u64 = counts.iter().sum();
    if left.len() != right.len() || left.len() != counts.len() || n < 2 {
        return None;
    }
    let mean = |values: &[f64]| {
        let weighed = values.iter().zip(counts);
        weighed
            .map(|(value, count)| value * real(*count))
            .sum::<f64>()
            / real(n)
    };
    let (mean_l, mean_r) = (mean(left), mean(right));
    let (mut ll, mut rr, mut lr) = (0.0, 0.0, 0.0);
    for ((l, r), count) in left.iter().zip(right).zip(counts) {
        let (l, r, count) = (l - mean_l, r - mean_r, real(*count));
        ll += count * l * l;
        rr += count * r * r;
        lr += count * l * r;
    }
    (ll > 0.0 && rr > 0.0).then(|| (lr / (ll * rr).sqrt()).clamp(-1.0, 1.0))
}

/// Spearman's rank correlation of pairs that occur `counts` times.
pub(crate) fn counted_spearman(left: &[f64], right: &[f64], counts: &[u64]) -> Option<f64> {
    counted_pearson(&ranks(left, counts), &ranks(right, counts), counts)
}

/// The arithmetic mean; `None` of nothing.
pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    let n = real(u64::try_from(values.len()).ok()?);
    (n > 0.0).then(|| values.iter().sum::<f64>() / n)
}

/// The mean rank of each value among all that occur.
fn ranks(values: &[f64], counts: &[u64]) -> Vec<f64> {
    let mut order: Vec<(i64, usize)> = values
        .iter()
        .map(|value| order_key(*value))
        .zip(0..)
        .collect();
    order.sort_unstable();
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0.0;
    for alike in order.chunk_by(|a, b| a.0 == b.0) {
        let size: u64 = alike
            .iter()
            .filter_map(|(_, place)| counts.get(*place))
            .sum();
        for (_, place) in alike {
            if let Some(rank) = ranks.get_mut(*place) {
                *rank = before + f64::midpoint(real(size), 1.0);
            }
        }
        before += real(size);
    }
    ranks
}

/// A whole number that is ordered as the doubles are, -0 and 0 alike.
fn order_key(value: f64) -> i64 {
    let bits = (value + 0.0).to_bits().cast_signed();
    bits ^ (((bits >> 63).cast_unsigned() >> 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{counted_spearman, order_key, pearson, ranks, spearman};

    #[test]
    fn equal_values_share_their_mean_rank() {
        assert_eq!(
            ranks(&[10.0, 20.0, 10.0, 5.0], &[1; 4]),
            [2.5, 4.0, 2.5, 1.0]
        );
    }

    #[test]
    fn a_monotone_relation_has_rank_correlation_one() {
        let x = [1.0, 2.0, 3.0, 10.0];
        assert!((spearman(&x, &x.map(|v: f64| v.exp())).unwrap() - 1.0).abs() < 1e-15);
        assert!((spearman(&x, &x.map(|v| -v)).unwrap() + 1.0).abs() < 1e-15);
        assert!((pearson(&x, &x.map(|v| 3.0 * v + 1.0)).unwrap() - 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_constant_column_has_no_correlation() {
        assert_eq!(pearson(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(spearman(&[1.0], &[1.0]), None);
    }

    proptest! {
        #[test]
        fn counted_pairs_are_pairs_written_out(
            rows in prop::collection::vec((-3_i8..3, -3_i8..3, 1_u64..4), 2..12),
        ) {
            let column = |pick: &dyn Fn(&(i8, i8, u64)) -> i8| rows.iter().map(|row| f64::from(pick(row))).collect::<Vec<_>>();
            let (left, right) = (column(&|row| row.0), column(&|row| row.1));
            let counts: Vec<u64> = rows.iter().map(|row| row.2).collect();
            let written = |values: &[f64]| -> Vec<f64> {
                values.iter().zip(&counts).flat_map(|(value, count)| (0..*count).map(|_| *value)).collect()
            };
            let (counted, plain) = (
                counted_spearman(&left, &right, &counts),
                spearman(&written(&left), &written(&right)),
            );
            match (counted, plain) {
                (Some(a), Some(b)) => prop_assert!((a - b).abs() < 1e-12, "{} {}", a, b),
                (a, b) => prop_assert_eq!(a, b),
            }
        }

        #[test]
        fn keys_are_ordered_as_their_numbers(a in any::<f64>(), b in any::<f64>()) {
            prop_assert_eq!(order_key(a).cmp(&order_key(b)), (a + 0.0).total_cmp(&(b + 0.0)));
        }
    }
}
