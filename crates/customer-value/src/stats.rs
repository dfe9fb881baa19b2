//! Correlations: how two columns of figures move together.

/// Pearson's correlation; `None` when it is undefined (fewer than two pairs, or a constant column).
pub fn pearson(left: &[f64], right: &[f64]) -> Option<f64> {
    if left.len() != right.len() || left.len() < 2 {
        return None;
    }
    let (mean_l, mean_r) = (mean(left)?, mean(right)?);
    let (mut ll, mut rr, mut lr) = (0.0, 0.0, 0.0);
    for (l, r) in left.iter().zip(right) {
        let (l, r) = (l - mean_l, r - mean_r);
        ll += l * l;
        rr += r * r;
        lr += l * r;
    }
    (ll > 0.0 && rr > 0.0).then(|| (lr / (ll * rr).sqrt()).clamp(-1.0, 1.0))
}

/// Spearman's rank correlation, equal values sharing their mean rank.
pub fn spearman(left: &[f64], right: &[f64]) -> Option<f64> {
    pearson(&ranks(left), &ranks(right))
}

/// The arithmetic mean; `None` of nothing.
pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    let n = crate::special::real(u64::try_from(values.len()).ok()?);
    (n > 0.0).then(|| values.iter().sum::<f64>() / n)
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<(f64, usize)> = values.iter().copied().zip(0..).collect();
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0.0;
    for alike in order.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let size: f64 = alike.iter().map(|_| 1.0).sum();
        for (_, place) in alike {
            if let Some(rank) = ranks.get_mut(*place) {
                *rank = before + f64::midpoint(size, 1.0);
            }
        }
        before += size;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::{pearson, ranks, spearman};

    #[test]
    fn equal_values_share_their_mean_rank() {
        assert_eq!(ranks(&[10.0, 20.0, 10.0, 5.0]), [2.5, 4.0, 2.5, 1.0]);
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
}
