//! How sure a share is: the Wilson score interval of k successes in n trials.

/// The standard normal quantile of 0.975.
const Z: f64 = 1.959_963_984_540_054;

/// A range that holds the true share in about 95 of 100 samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower bound, in `[0, 1]`.
    pub low: f64,
    /// The upper bound, in `[0, 1]`.
    pub high: f64,
}

impl Interval {
    /// The 95 % interval of `k` of `n`; `None` when `n` is 0 or `k` is above it.
    ///
    /// Wilson (1927), JASA 22. Unlike `p ± 2 se` it stays inside `[0, 1]` and is honest for small n:
    /// 1 of 4 may well be 0.05 or 0.69.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts beyond 2^53 would not change a printed digit"
    )]
    pub fn wilson95(k: u64, n: u64) -> Option<Self> {
        if n == 0 || k > n {
            return None;
        }
        let (successes, trials) = (k as f64, n as f64);
        let share = successes / trials;
        let squared = Z * Z;
        let scale = 1.0 + squared / trials;
        let middle = (share + squared / (2.0 * trials)) / scale;
        let variance = share * (1.0 - share) / trials + squared / (4.0 * trials * trials);
        let half = Z * variance.sqrt() / scale;
        // At the edges the bound is the edge exactly; rounding must not move it.
        Some(Self {
            low: if k == 0 {
                0.0
            } else {
                (middle - half).max(0.0)
            },
            high: if k == n {
                1.0
            } else {
                (middle + half).min(1.0)
            },
        })
    }

    /// Whether `share` lies within the bounds.
    pub fn contains(self, share: f64) -> bool {
        (self.low..=self.high).contains(&share)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Interval;

    fn bounds(k: u64, n: u64) -> (f64, f64) {
        let interval = Interval::wilson95(k, n).unwrap();
        let thousandth = |x: f64| (x * 1_000.0).round() / 1_000.0;
        (thousandth(interval.low), thousandth(interval.high))
    }

    #[test]
    fn the_published_examples_hold() {
        assert_eq!(bounds(12, 40), (0.181, 0.454));
        assert_eq!(bounds(9, 60), (0.081, 0.261));
        assert_eq!(bounds(1, 4), (0.046, 0.699));
    }

    #[test]
    fn none_and_all_reach_the_edge_but_still_have_width() {
        let none = Interval::wilson95(0, 10).unwrap();
        let all = Interval::wilson95(10, 10).unwrap();
        assert_eq!((none.low, all.high), (0.0, 1.0));
        assert!(none.high > 0.2 && all.low < 0.8);
    }

    #[test]
    fn a_share_of_nothing_has_no_interval() {
        assert_eq!(Interval::wilson95(0, 0), None);
        assert_eq!(Interval::wilson95(5, 4), None);
    }

    proptest! {
        #[test]
        fn it_holds_the_observed_share_and_narrows_with_n(n in 1_u64..100_000, part in 0.0_f64..=1.0) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a test's own small counts")]
            let (k, share) = {
                let k = (n as f64 * part) as u64;
                (k, k as f64 / n as f64)
            };
            let interval = Interval::wilson95(k, n).unwrap();
            prop_assert!(interval.contains(share));
            let larger = Interval::wilson95(k * 4, n * 4).unwrap();
            prop_assert!(larger.high - larger.low < interval.high - interval.low);
            let mirrored = Interval::wilson95(n - k, n).unwrap();
            prop_assert!((interval.low - (1.0 - mirrored.high)).abs() < 1e-12);
        }
    }
}
