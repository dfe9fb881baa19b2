//! Models are numbered, used only if they are better than a guess, and go stale.

use customer_value::Refusal as Why;
use eventsourcing::{Aggregate as _, Days, Time};
use uuid::Uuid;

use super::{
    FIT_ALGORITHM, FitModel, Fitted, Flag, Holdout, Model, PurchaseFit, Purchasing, SpendFit,
    Spending, Tenth, Unfitted, Variant,
};
use crate::ledger::statement::{Fact, Standing, What};
use crate::ledger::{
    ALGORITHM, Assumptions, Command, Event, Ledger, Method, Refusal, SetAssumptions, Valuation,
};
use crate::story::day;

/// A model as shops have them; each number has other parameters.
pub(crate) fn model(number: u32) -> Model {
    let shape = 0.5 + f64::from(number) / 10.0;
    let purchases = PurchaseFit {
        variant: Variant::MbgNbd,
        parameters: Purchasing {
            r: shape,
            alpha: 6.0,
            a: 0.9,
            b: 1.6,
        },
        standard_errors: Purchasing {
            r: 0.08,
            alpha: 0.7,
            a: 0.15,
            b: 0.54,
        },
        log_likelihood: -9_582.1,
        aic: 19_172.2,
    };
    let spend = SpendFit {
        parameters: Spending {
            p: 6.2,
            q: 3.7,
            v: 15.4,
        },
        standard_errors: Spending {
            p: 1.2,
            q: 0.3,
            v: 4.2,
        },
        log_likelihood: -4_058.0,
        aic: 8_122.0,
        customers: 946,
        spearman: Some(0.1),
    };
    let fitted = Fitted {
        as_of: day(1_000),
        purchases,
        other: Err("AT_BOUNDARY".to_owned()),
        spend,
        customers: 2_357,
        repeaters: 946,
        repeat_purchases: 2_457,
        purchase_count: 5_000,
        histogram_digest: [7; 32],
        holdout: Ok(holdout()),
        flags: vec![],
        cut: [(0, 17)].into_iter().collect(),
    };
    Model {
        number,
        fitted_at: day(1_001),
        algorithm: FIT_ALGORITHM,
        fitted,
    }
}

fn holdout() -> Holdout {
    let tenth = Tenth {
        customers: 235,
        predicted: 310.5,
        actual: 321.0,
    };
    Holdout {
        as_of: day(909),
        weeks: 13,
        customers: 2_357,
        predicted: 800.0,
        actual: 1_000,
        bias: Some(-0.2),
        predicted_error: 40.0,
        mae: 0.385,
        naive_mae: 0.481,
        naive_total: 1_200.0,
        brier: 0.12,
        brier_base_rate: 0.16,
        predicted_spend: Some(20_000.0),
        actual_spend: 21_000.0,
        by_decile: vec![tenth],
        p_buy_by_decile: vec![tenth],
    }
}

fn fit(ledger: &Ledger, flags: Vec<Flag>) -> Result<Vec<Event>, Refusal> {
    let fitted = Fitted {
        flags,
        ..model(1).fitted
    };
    ledger.decide(Command::FitModel(FitModel {
        fitted: Ok(Box::new(fitted)),
        now: day(1_001),
    }))
}

fn after(ledger: &Ledger, events: &[Event]) -> Ledger {
    let mut ledger = ledger.clone();
    for event in events {
        ledger.evolve(event);
    }
    ledger
}

fn set_method(ledger: &Ledger) -> Result<Vec<Event>, Refusal> {
    ledger.decide(Command::SetAssumptions(SetAssumptions {
        method: Some(Method::MbgNbd),
        annual_discount_rate: None,
        annual_retention_rate: None,
        default_margin_rate: None,
        horizon_months: None,
        inactivity_days: None,
        now: day(1_002),
    }))
}

#[test]
fn models_are_numbered_from_one_on() {
    let first = fit(&Ledger::default(), vec![]).unwrap();
    assert_eq!(first, [Event::ModelFitted(Box::new(model(1)))]);
    let ledger = after(&Ledger::default(), &first);
    let second = fit(&ledger, vec![]).unwrap();
    let Some(Event::ModelFitted(second)) = second.first() else {
        panic!("{second:?}");
    };
    assert_eq!(second.number, 2);
}

#[test]
fn data_that_carry_no_model_leave_the_ledger_as_it_is() {
    let unfitted = Unfitted {
        why: Why::NotEnoughData,
        as_of: day(1_000),
        customers: 60,
        repeaters: 49,
    };
    let command = FitModel {
        fitted: Err(unfitted),
        now: day(1_001),
    };
    let refused = Ledger::default().decide(Command::FitModel(command));
    assert_eq!(refused, Err(Refusal::Unfitted(unfitted)));
}

#[test]
fn the_method_needs_a_model_that_is_better_than_a_guess() {
    let ledger = Ledger::default();
    assert_eq!(set_method(&ledger), Err(Refusal::NoModel));
    let worse = fit(&ledger, vec![Flag::Weak, Flag::WorseThanNaive]).unwrap();
    let ledger = after(&ledger, &worse);
    let refused = Refusal::WorseThanNaive { number: 1 };
    assert_eq!(set_method(&ledger), Err(refused));
    let ledger = after(&ledger, &fit(&ledger, vec![Flag::Provisional]).unwrap());
    assert_eq!(set_method(&ledger).map(|events| events.len()), Ok(1));
    // A later one that is worse does not take its place.
    let ledger = after(&ledger, &fit(&ledger, vec![Flag::WorseThanNaive]).unwrap());
    assert_eq!((ledger.models, ledger.usable_model()), (3, Ok(2)));
}

#[test]
fn a_fit_is_of_the_past_and_checked_on_some_weeks() {
    let may = |as_of, weeks| Ledger::may_fit(day(as_of), weeks, day(100));
    assert_eq!(may(100, 13), Ok(()));
    let ahead = Refusal::FitAhead {
        as_of: day(101),
        now: day(100),
    };
    assert_eq!(may(101, 13), Err(ahead));
    assert!(may(100, 0).is_err() && may(100, 105).is_err());
    assert_eq!(may(100, 104), Ok(()));
}

#[test]
fn a_model_is_stale_after_35_days_or_a_tenth_of_new_purchases() {
    let fitted = model(1).fitted;
    assert_eq!(fitted.flags_at(day(1_035), 5_500), []);
    assert_eq!(fitted.flags_at(day(1_036), 5_000), [Flag::Stale]);
    assert_eq!(fitted.flags_at(day(1_000), 5_501), [Flag::Stale]);
}

#[test]
fn the_band_is_the_bias_and_what_the_parameters_do_not_tell() {
    assert!((holdout().band().unwrap() - 0.25).abs() < 1e-12);
    let nothing_came = Holdout {
        bias: None,
        ..holdout()
    };
    assert_eq!(nothing_came.band(), None);
}

fn valuation(months: u32) -> Valuation {
    let assumptions = Assumptions {
        method: Method::MbgNbd,
        horizon_months: months,
        ..Assumptions::default()
    };
    Valuation::new(assumptions, Some(&model(1)), "EUR".parse().unwrap())
}

/// A customer with these facts as of a day, the days of purchases and reversals given.
fn standing(facts: &[(i64, What)]) -> Standing {
    let mut standing = Standing::at(day(1_000)).with_days();
    for (at, what) in facts {
        standing.take(&Fact {
            at: day(*at),
            what: *what,
        });
    }
    standing
}

const BOUGHT: What = What::Bought { margin: 3_000 };

#[test]
fn nobody_is_worth_anything_before_the_first_purchase_or_after_a_loss() {
    let valuation = valuation(12);
    let opened = [(900, What::Opened)];
    assert_eq!(valuation.value(&standing(&opened)), 0);
    assert_eq!(valuation.score(&standing(&opened), Days(91)), None);
    let bought = [(900, What::Opened), (900, BOUGHT), (950, BOUGHT)];
    let value = valuation.value(&standing(&bought));
    assert!(value > 0);
    let lost = [bought.as_slice(), &[(990, What::Lost)]].concat();
    assert_eq!(valuation.value(&standing(&lost)), 0);
    assert_eq!(valuation.value_if_active(&standing(&lost)), value);
}

#[test]
fn a_purchase_that_is_taken_back_whole_is_no_purchase() {
    let valuation = valuation(12);
    let once = [(900, What::Opened), (900, BOUGHT)];
    let twice = [once.as_slice(), &[(950, BOUGHT)]].concat();
    let with = |what| valuation.value(&standing(&[twice.as_slice(), &[(960, what)]].concat()));
    let whole = with(taken(3_000, true));
    assert_eq!(whole, valuation.value(&standing(&once)));
    let in_part = with(taken(1_000, false));
    assert!(in_part < valuation.value(&standing(&twice)));
    assert!(in_part > valuation.value(&standing(&once)));
}

/// So much of what was bought for 3,000 on day 950 is taken back.
fn taken(amount: i64, told_last: bool) -> What {
    What::Reversed {
        margin: amount,
        bought_at: day(950),
        purchase: Uuid::from_u128(1),
        paid: 3_000,
        amount,
        told_last,
    }
}

#[test]
fn a_purchase_is_none_once_all_of_it_was_taken_back_in_whatever_order_that_is_told() {
    let days = |reversals: &[What], algorithm| {
        let mut standing = Standing::before(day(1_001), algorithm).with_days();
        let bought = [(950, What::Opened), (950, BOUGHT)];
        let reversed = reversals.iter().map(|what| (960, *what));
        for (at, what) in bought.into_iter().chain(reversed) {
            standing.take(&Fact { at: day(at), what });
        }
        standing.summary().is_some()
    };
    // The larger part happened later, and was told first: before it happened, something is left.
    let (first, last) = (taken(1_800, false), taken(1_200, true));
    assert!(days(&[last], ALGORITHM));
    assert!(days(&[first], ALGORITHM));
    assert!(!days(&[first, last], ALGORITHM));
    assert!(!days(&[last, first], ALGORITHM));
    // A statement that was closed by the rules of before is measured by them for ever.
    assert!(!days(&[last], 1));
}

#[test]
fn what_was_free_is_none_once_it_is_taken_back() {
    let free = What::Reversed {
        margin: 0,
        bought_at: day(950),
        purchase: Uuid::from_u128(2),
        paid: 0,
        amount: 0,
        told_last: true,
    };
    let bought = What::Bought { margin: 0 };
    assert!(standing(&[(950, bought)]).summary().is_some());
    assert!(standing(&[(950, bought), (960, free)]).summary().is_none());
}

#[test]
fn a_longer_horizon_is_worth_more_and_every_figure_is_given() {
    let facts = [(900, What::Opened), (900, BOUGHT), (950, BOUGHT)];
    let standing = standing(&facts);
    assert!(valuation(12).value(&standing) < valuation(24).value(&standing));
    let score = valuation(12).score(&standing, Days(91)).unwrap();
    assert_eq!(score.repeat_days, 1);
    assert!(0.0 < score.p_buy_within && score.p_buy_within < score.p_alive);
    let value = score.discounted_purchases * score.expected_spend * 100.0;
    let stated = f64::from(i32::try_from(valuation(12).value(&standing)).unwrap());
    assert!((stated - value).abs() <= 0.5, "{stated} {value}");
}

#[test]
fn midnight_belongs_to_the_day_that_it_begins() {
    let bought = Fact {
        at: day(990),
        what: BOUGHT,
    };
    let until = |mut standing: Standing| {
        standing.take(&bought);
        standing.summary().unwrap().1
    };
    assert_eq!(until(Standing::at(day(1_000)).with_days()), 1_000);
    assert_eq!(
        until(Standing::before(day(1_000), ALGORITHM).with_days()),
        999
    );
    let just_before = Time::from_micros(day(1_000).micros() - 1);
    assert_eq!(until(Standing::at(just_before).with_days()), 999);
}

#[test]
fn assumptions_without_a_model_mean_simple() {
    let assumptions = Assumptions {
        method: Method::MbgNbd,
        ..Assumptions::default()
    };
    let valuation = Valuation::new(assumptions, None, "EUR".parse().unwrap());
    assert_eq!(
        (valuation.method(), valuation.model()),
        (Method::Simple, None)
    );
    let simple = Valuation::new(
        Assumptions::default(),
        Some(&model(1)),
        "EUR".parse().unwrap(),
    );
    assert_eq!(simple.of_margin(20_000), Some(30_000));
}
