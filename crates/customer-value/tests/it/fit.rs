//! A1, A2, A3, A11: from transactions to parameters.

use customer_value::bg_nbd::{Fit, Parameters, Variant, fit, fit_best, fit_from};
use customer_value::{Histogram, Sample, Unit};

use crate::support::{
    AS_OF, cdnow_cells, cdnow_histories, cdnow_sample, cents, close, day, parameter, table, whole,
};

#[test]
fn a1_transactions_become_recency_frequency_and_spend_exactly() {
    let histories = cdnow_histories();
    let rows = table("given_cdnow_rfm");
    assert_eq!((histories.len(), rows.len()), (2_357, 2_357));
    let (as_of, end) = (day(AS_OF), day("1998-06-30"));
    for row in &rows {
        let days = &histories[&whole(row, "customer_id")];
        let summary = days.as_of(as_of).unwrap();
        let cell = summary.cell;
        assert_eq!(cell.x(), whole(row, "x"));
        assert_eq!(cell.last_day() - cell.first_day(), whole(row, "tx_days"));
        assert_eq!(as_of - cell.first_day(), whole(row, "T_days"));
        assert_eq!(summary.repeat_spend_minor, cents(&row["repeat_spend"]));
        assert_eq!(summary.first_spend_minor, cents(&row["first_spend"]));
        let later: Vec<_> = days.between(as_of, end).collect();
        assert_eq!(later.len(), whole(row, "x_holdout"));
        let spend: i64 = later.iter().map(|(_, amount)| amount).sum();
        assert_eq!(spend, cents(&row["holdout_spend"]));
    }
}

fn assert_published(fit: &Fit) {
    let model = fit.model.variant().name();
    let (p, se) = (fit.model.parameters(), fit.standard_errors);
    for (quantity, value, error) in [
        ("r", p.r, se.r),
        ("alpha", p.alpha, se.alpha),
        ("a", p.a, se.a),
        ("b", p.b, se.b),
    ] {
        let (expected, expected_error) = parameter(model, quantity);
        close(quantity, value, expected, 1e-6);
        close(quantity, error, expected_error, 1e-4);
    }
    let log_likelihood = parameter(model, "loglik").0;
    assert!((fit.log_likelihood - log_likelihood).abs() < 1e-6);
    close("aic", fit.aic, 8.0 - 2.0 * log_likelihood, 1e-9);
    assert_eq!((fit.customers, fit.repeaters), (2_357, 946));
    assert_eq!(fit.repeat_purchases, 2_457);
}

#[test]
fn a2_a3_both_models_reach_the_published_parameters_on_cdnow() {
    let sample = cdnow_sample();
    for variant in [Variant::BgNbd, Variant::MbgNbd] {
        assert_published(&fit(&sample, variant, 1).unwrap());
    }
    let best = fit_best(&sample, 1).unwrap();
    assert_eq!(best.model.variant(), Variant::MbgNbd);
}

#[test]
fn e09_in_days_only_alpha_changes() {
    let histogram: Histogram = cdnow_cells().into_iter().collect();
    let by_day = Sample::by_day(&histogram, day(AS_OF), Unit::Days).unwrap();
    let days = fit(&by_day, Variant::BgNbd, 1).unwrap();
    let weeks = fit(&cdnow_sample(), Variant::BgNbd, 1).unwrap();
    let (d, w) = (days.model.parameters(), weeks.model.parameters());
    for (what, in_days, in_weeks) in [
        ("r", d.r, w.r),
        ("alpha", d.alpha, 7.0 * w.alpha),
        ("a", d.a, w.a),
        ("b", d.b, w.b),
    ] {
        close(what, in_days, in_weeks, 1e-9);
    }
    let shift = 2_457.0 * 7_f64.ln();
    close(
        "log-likelihood",
        days.log_likelihood,
        weeks.log_likelihood - shift,
        1e-12,
    );
    close("published", days.log_likelihood, -14_363.530_4, 1e-8);
}

/// A generator of starts that needs no state beyond a counter.
fn uniform(seed: u64) -> f64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double")]
    let fraction = ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
    fraction
}

#[test]
fn a11_e10_a_thousand_starts_reach_one_optimum() {
    let sample = cdnow_sample();
    let best = fit(&sample, Variant::BgNbd, 1).unwrap();
    let expected = best.model.parameters();
    for start in 0..1_000_u64 {
        let near_one = |k: u64| (8.0 * uniform(4 * start + k + 1) - 4.0).exp();
        let from = Parameters {
            r: near_one(0),
            alpha: 5.0 * near_one(1),
            a: near_one(2),
            b: near_one(3),
        };
        let found = fit_from(&sample, Variant::BgNbd, from, 1)
            .unwrap_or_else(|refusal| panic!("{from:?}: {refusal}"));
        let p = found.model.parameters();
        assert!(
            (found.log_likelihood - best.log_likelihood).abs() < 1e-6,
            "{from:?}"
        );
        for (value, expected) in [
            (p.r, expected.r),
            (p.alpha, expected.alpha),
            (p.a, expected.a),
            (p.b, expected.b),
        ] {
            close("start", value, expected, 1e-6);
        }
    }
}

#[test]
fn a11_e08_any_split_and_any_number_of_threads_give_the_same_bits() {
    let cells = cdnow_cells();
    let whole = fit(&cdnow_sample(), Variant::BgNbd, 1).unwrap();
    for partitions in 1..=16 {
        let mut sum = Histogram::default();
        for part in 0..partitions {
            // Interleaved, so that each partition has customers of all kinds.
            let own = cells.iter().skip(part).step_by(partitions);
            sum.merge(&own.copied().collect());
        }
        let sample = Sample::by_day(&sum, day(AS_OF), Unit::Weeks).unwrap();
        for threads in 1..=4 {
            assert_eq!(fit(&sample, Variant::BgNbd, threads).unwrap(), whole);
        }
    }
}
