//! The worked example of the domain: five benefits, as customers expected and perceived them.

use super::gaps::Gap;

/// Importance, and ten times the mean expected and perceived scores.
const BENEFITS: [(u32, u32, u32); 5] = [
    (32, 64, 51),
    (22, 61, 54),
    (19, 59, 58),
    (16, 55, 56),
    (11, 50, 53),
];

/// Ten whole scores with this sum.
fn scores(sum: u32) -> impl Iterator<Item = u32> {
    (0..10).map(move |index| (sum + index) / 10)
}

#[test]
fn gaps_weigh_as_much_as_the_promise_matters() {
    let mut all = Gap::default();
    for (importance, expected, perceived) in BENEFITS {
        let mut of_benefit = Gap::default();
        for (expected, perceived) in scores(expected).zip(scores(perceived)) {
            let gap = perceived.cast_signed() - expected.cast_signed();
            of_benefit.count(expected, gap, importance);
            all.count(expected, gap, importance);
        }
        assert!((of_benefit.expected() - f64::from(expected) / 10.0).abs() < 1e-12);
        assert!((of_benefit.perceived() - f64::from(perceived) / 10.0).abs() < 1e-12);
    }
    assert!((all.mean() - -0.340).abs() < 1e-12);
    assert!((all.weighted().unwrap() - -0.540).abs() < 1e-12);
}

#[test]
fn without_importance_there_is_no_weighted_gap() {
    let mut gap = Gap::default();
    gap.count(6, -2, 0);
    assert_eq!((gap.mean(), gap.weighted()), (-2.0, None));
}
