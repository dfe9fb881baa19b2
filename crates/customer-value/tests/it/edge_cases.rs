//! E01 to E07 and E17 to E23: the stated status, never a number in its place.

use customer_value::bg_nbd::{Model, Parameters, Variant, fit, fit_best};
use customer_value::quality::{Flag, flags};
use customer_value::{Recency, Refusal, Sample, Simulator, Terms, Unit};
use proptest::prelude::*;

use crate::forecast::published;
use crate::support::close;

fn refusal(customers: &[Recency]) -> Refusal {
    let sample = Sample::continuous(customers);
    for variant in [Variant::BgNbd, Variant::MbgNbd] {
        assert_eq!(
            fit(&sample, variant, 1).unwrap_err(),
            fit_best(&sample, 1).unwrap_err()
        );
    }
    fit_best(&sample, 1).unwrap_err()
}

fn seen(x: u32, tx: f64, t: f64) -> Recency {
    Recency::new(x, tx, t).unwrap()
}

#[test]
fn e01_two_hundred_one_time_buyers_are_refused() {
    let once: Vec<Recency> = (1..=200).map(|n| seen(0, 0.0, f64::from(n % 40))).collect();
    assert_eq!(refusal(&once), Refusal::NoRepeatPurchases);
}

#[test]
fn e02_a_hundred_identical_customers_are_refused() {
    assert_eq!(refusal(&[seen(3, 20.0, 30.0); 100]), Refusal::NoVariation);
}

#[test]
fn e03_customers_who_all_bought_on_the_last_day_are_refused() {
    let loyal: Vec<Recency> = (0..300_u32)
        .map(|n| {
            let age = 20.0 + f64::from(n % 20);
            seen(n % 7 + 1, age, age)
        })
        .collect();
    assert_eq!(refusal(&loyal), Refusal::AtBoundary);
}

#[test]
fn e04_one_customer_is_refused() {
    assert_eq!(refusal(&[seen(2, 30.43, 38.86)]), Refusal::NotEnoughData);
}

/// A homogeneous Poisson process of 0.1 a week over 40 weeks without dropout, as far as a simulator of
/// heterogeneous customers can be: no spread of rates, nobody leaves.
fn poisson(seed: u64) -> Vec<Recency> {
    let model = Model::new(
        Variant::BgNbd,
        Parameters {
            r: 1e12,
            alpha: 1e13,
            a: 1e-12,
            b: 1.0,
        },
    )
    .unwrap();
    let mut simulator = Simulator::new(model, seed);
    (0..3_000).map(|_| simulator.customer(40.0)).collect()
}

#[test]
fn e05_customers_without_differences_are_refused() {
    for seed in [0, 1, 4, 33] {
        assert_eq!(refusal(&poisson(seed)), Refusal::AtBoundary, "seed {seed}");
    }
}

/// `repeaters` customers of CDNOW's kind who came back, and `others` who did not.
fn mixed(repeaters: usize, others: usize) -> Vec<Recency> {
    let mut simulator = Simulator::new(published(Variant::BgNbd), 3);
    let (mut back, mut once) = (Vec::new(), Vec::new());
    while back.len() < repeaters || once.len() < others {
        let weeks = f64::from(simulator.below(12));
        let customer = simulator.customer(39.0 - weeks);
        if customer.x() > 0 {
            &mut back
        } else {
            &mut once
        }
        .push(customer);
    }
    back.truncate(repeaters);
    once.truncate(others);
    back.append(&mut once);
    back
}

#[test]
fn e06_forty_nine_repeat_buyers_are_refused() {
    assert_eq!(refusal(&mixed(49, 71)), Refusal::NotEnoughData);
}

#[test]
fn e07_fifty_to_299_repeat_buyers_are_provisional() {
    for (repeaters, others) in [(200, 300), (299, 448)] {
        let sample = Sample::continuous(&mixed(repeaters, others));
        let fit = fit(&sample, Variant::BgNbd, 1).unwrap();
        assert!(flags(&fit, None, None).contains(&Flag::Provisional));
        assert!(fit.standard_errors.r > 0.0 && fit.standard_errors.r.is_finite());
    }
    let settled = fit(&Sample::continuous(&mixed(300, 450)), Variant::BgNbd, 1).unwrap();
    assert!(!flags(&settled, None, None).contains(&Flag::Provisional));
}

#[test]
fn e17_a_one_time_buyer_is_alive_by_definition_but_hardly_buys() {
    let model = published(Variant::BgNbd);
    let silent = seen(0, 0.0, 500.0);
    assert!((model.p_alive(&silent) - 1.0).abs() < 1e-300);
    assert!(model.p_buy_within(&silent, 13.0) < 0.01);
}

#[test]
fn e18_a_horizon_of_zero_has_no_purchases_and_no_value() {
    let model = published(Variant::BgNbd);
    let customer = seen(2, 30.43, 38.86);
    assert!(model.expected_purchases(&customer, 0.0).abs() < 1e-300);
    assert!(model.p_buy_within(&customer, 0.0).abs() < 1e-300);
    let terms = Terms::new(0, 0.15, Unit::Weeks).unwrap();
    assert!(terms.purchases(&model.given_alive(2), customer.t()).abs() < 1e-300);
}

#[test]
fn e19_the_pole_at_a_equal_to_one_is_none() {
    let Parameters { r, alpha, b, .. } = published(Variant::BgNbd).parameters();
    let model = Model::new(
        Variant::BgNbd,
        Parameters {
            r,
            alpha,
            a: 1.0,
            b,
        },
    )
    .unwrap();
    let computed = model.expected_purchases(&seen(2, 30.43, 38.86), 39.0);
    close("a = 1", computed, 1.101_988_54, 1e-8);
}

#[test]
fn e20_five_thousand_purchases_overflow_nothing() {
    let model = published(Variant::BgNbd);
    let computed = model.expected_purchases(&seen(5_000, 38.0, 38.857), 39.0);
    close("x = 5,000", computed, 7.852_242e-37, 1e-6);
}

fn models() -> impl Strategy<Value = Model> {
    (
        any::<bool>(),
        0.05_f64..5.0,
        0.1_f64..50.0,
        0.05_f64..20.0,
        0.05_f64..50.0,
    )
        .prop_map(|(bg, r, alpha, a, b)| {
            let variant = if bg { Variant::BgNbd } else { Variant::MbgNbd };
            Model::new(variant, Parameters { r, alpha, a, b }).unwrap()
        })
}

proptest! {
    #[test]
    fn e23_purchases_rise_ever_slower_with_the_horizon(
        model in models(), x in 0_u32..300, t in 0.0_f64..200.0, horizon in 0.01_f64..500.0,
    ) {
        let given = model.given_alive(x);
        let [none, half, whole] = [0.0, horizon / 2.0, horizon].map(|h| given.purchases(t, h));
        let slack = 1e-10 * whole;
        prop_assert!(whole.is_finite() && none <= half && half <= whole + slack);
        prop_assert!(half - none + slack >= whole - half);
        // Nobody buys more than without leaving.
        let rate = (model.parameters().r + f64::from(x)) / (model.parameters().alpha + t);
        prop_assert!(whole <= rate * horizon * (1.0 + 1e-10));
    }

    #[test]
    fn e23_p_alive_falls_with_silence_and_stays_a_probability(
        model in models(), x in 1_u32..300, tx in 0.1_f64..100.0, silence in 0.0_f64..300.0, more in 0.0_f64..50.0,
    ) {
        let now = model.p_alive(&seen(x, tx, tx + silence));
        let later = model.p_alive(&seen(x, tx, tx + silence + more));
        prop_assert!((0.0..=1.0).contains(&now) && later <= now);
        let buys = model.p_buy_within(&seen(x, tx, tx + silence), 13.0);
        prop_assert!(buys <= now && buys >= 0.0);
    }

    #[test]
    fn the_chances_of_all_frequencies_add_to_one(
        model in models(), t in 0.1_f64..20.0,
    ) {
        prop_assume!(model.parameters().r / model.parameters().alpha * t < 2.0);
        let sum: f64 = (0..200).map(|x| model.p_frequency(x, t)).sum();
        prop_assert!((sum - 1.0).abs() < 1e-6, "{}", sum);
    }
}
