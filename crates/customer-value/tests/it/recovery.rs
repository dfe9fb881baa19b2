//! A13: what was put in comes out.

use customer_value::bg_nbd::{Fit, Model, Parameters, Variant, fit};
use customer_value::{Recency, Sample, Simulator};

const CUSTOMERS: usize = 200_000;

/// The parameters of CDNOW, with dropouts that a fit can tell.
const TRUTH: Parameters = Parameters {
    r: 0.25,
    alpha: 4.4,
    a: 0.8,
    b: 2.4,
};

fn simulated(variant: Variant, seed: u64, customers: usize) -> Vec<Recency> {
    let model = Model::new(variant, TRUTH).unwrap();
    let mut simulator = Simulator::new(model, seed);
    (0..customers)
        .map(|_| {
            // Acquired at any time within the first 24 of 78 weeks.
            let weeks = f64::from(simulator.below(24_000)) / 1_000.0;
            simulator.customer(78.0 - weeks)
        })
        .collect()
}

fn assert_within_three_errors(fit: &Fit, seed: u64) {
    let (found, errors) = (fit.model.parameters(), fit.standard_errors);
    for (what, value, truth, error) in [
        ("r", found.r, TRUTH.r, errors.r),
        ("alpha", found.alpha, TRUTH.alpha, errors.alpha),
        ("a", found.a, TRUTH.a, errors.a),
        ("b", found.b, TRUTH.b, errors.b),
    ] {
        assert!(
            (value - truth).abs() < 3.0 * error,
            "seed {seed}, {what}: {value} ± {error} instead of {truth}"
        );
        // A standard error that is too wide would make this test empty.
        assert!(error < 0.1 * truth, "seed {seed}, {what}: ± {error}");
    }
}

#[test]
fn a13_both_models_recover_the_truth_within_three_standard_errors() {
    for variant in [Variant::BgNbd, Variant::MbgNbd] {
        for seed in 1..=5 {
            let sample = Sample::continuous(&simulated(variant, seed, CUSTOMERS));
            let fit = fit(&sample, variant, 2).unwrap();
            assert_within_three_errors(&fit, seed);
        }
    }
}

#[test]
fn the_model_that_made_the_customers_has_the_lower_aic() {
    for (truth, other) in [
        (Variant::BgNbd, Variant::MbgNbd),
        (Variant::MbgNbd, Variant::BgNbd),
    ] {
        let sample = Sample::continuous(&simulated(truth, 1, 50_000));
        let (right, wrong) = (
            fit(&sample, truth, 1).unwrap(),
            fit(&sample, other, 1).unwrap(),
        );
        assert!(right.aic < wrong.aic);
        let best = customer_value::bg_nbd::fit_best(&sample, 1).unwrap();
        assert_eq!(best.model.variant(), truth);
    }
}

#[test]
fn a11_threads_and_the_order_of_customers_change_no_bit() {
    let mut customers = simulated(Variant::BgNbd, 9, 60_000);
    let one = fit(&Sample::continuous(&customers), Variant::BgNbd, 1).unwrap();
    for threads in 2..=4 {
        customers.rotate_left(12_345);
        customers.reverse();
        let sample = Sample::continuous(&customers);
        assert_eq!(fit(&sample, Variant::BgNbd, threads).unwrap(), one);
    }
}
