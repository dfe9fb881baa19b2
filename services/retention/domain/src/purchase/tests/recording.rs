//! What is a purchase, and what it leaves.

use eventsourcing::scenario::given;
use money::{Money, Rate};

use super::{buyer, records, reverses};
use crate::input::{Invalid, MAX_MINOR_UNITS, When};
use crate::purchase::{MAX_PURCHASES, MarginSource, Recorded};
use crate::story::{
    ACQUIRED, TODAY, bought, buy, customer, day, eur, first_purchase, leave, opening, parsed, usd,
    win_back,
};
use crate::{Command, Customer, Event, Refusal, Thing};

fn recorded(margin: i64, margin_source: MarginSource) -> Event {
    Event::PurchaseRecorded(Recorded {
        purchase_id: parsed("invoice"),
        amount: eur(40_000),
        contribution_margin: eur(margin),
        margin_source,
        occurred_at: day(200),
    })
}

#[test]
fn a_purchase_has_the_margin_that_was_given() {
    customer()
        .when(records(|command| {
            command.contribution_margin = Some(eur(15_000));
        }))
        .then([recorded(15_000, MarginSource::Given)]);
}

#[test]
fn a_purchase_may_leave_less_than_nothing() {
    customer()
        .when(records(|command| {
            command.contribution_margin = Some(eur(-500));
        }))
        .then([recorded(-500, MarginSource::Given)]);
}

#[test]
fn a_margin_left_out_is_the_rate_in_force_half_to_even() {
    customer()
        .when(records(|_| ()))
        .then([recorded(20_000, MarginSource::Default)]);
    for (cents, margin) in [(5, 2), (7, 4)] {
        let story = customer().and(buy("invoice", eur(cents), 200));
        let purchase = story.state().purchases.get(&parsed("invoice")).unwrap();
        assert_eq!(purchase.contribution_margin, margin);
    }
}

#[test]
fn a_default_margin_is_frozen_whatever_rate_comes_later() {
    buyer()
        .when(records(|command| {
            command.default_margin_rate = Rate::per_mille(900);
        }))
        .nothing();
}

#[test]
fn a_free_purchase_is_a_purchase() {
    let story = customer().and(buy("sample", eur(0), 200));
    assert_eq!(story.state().totals.purchases, 1);
    assert_eq!(story.state().totals.last_purchase_at, Some(day(200)));
}

#[test]
fn nobody_pays_less_than_nothing() {
    let (field, amount, wanted) = ("amount", eur(-1), "of 0 or more");
    customer().when(buy("invoice", amount, 200)).refused(
        Invalid::WrongSign {
            field,
            amount,
            wanted,
        }
        .into(),
    );
}

#[test]
fn a_customer_buys_in_one_currency() {
    let mismatch = |field| {
        let (expected, given) = (parsed("EUR"), parsed("USD"));
        Refusal::from(Invalid::CurrencyMismatch {
            field,
            expected,
            given,
        })
    };
    customer()
        .when(buy("invoice", usd(1), 200))
        .refused(mismatch("amount"));
    customer()
        .when(records(|command| {
            command.contribution_margin = Some(usd(1));
        }))
        .refused(mismatch("contribution_margin"));
    buyer()
        .when(reverses(|command| command.amount = usd(1)))
        .refused(mismatch("amount"));
    buyer()
        .when(reverses(|command| {
            command.contribution_margin = Some(usd(1));
        }))
        .refused(mismatch("contribution_margin"));
}

#[test]
fn an_amount_has_a_size_that_sums_can_bear() {
    let too_large = |field| {
        let (limit, currency) = (MAX_MINOR_UNITS, parsed("EUR"));
        Refusal::from(Invalid::TooLarge {
            field,
            limit,
            currency,
        })
    };
    let (largest, larger) = (eur(MAX_MINOR_UNITS), eur(MAX_MINOR_UNITS + 1));
    assert!(
        customer()
            .when(buy("invoice", largest, 200))
            .result()
            .is_ok()
    );
    customer()
        .when(buy("invoice", larger, 200))
        .refused(too_large("amount"));
    for margin in [larger, eur(-MAX_MINOR_UNITS - 1), eur(i64::MIN)] {
        customer()
            .when(records(|command| {
                command.contribution_margin = Some(margin);
            }))
            .refused(too_large("contribution_margin"));
    }
    let repeatedly = reverses(|command| {
        command.reversal_id = parsed("second");
        command.contribution_margin = Some(largest);
    });
    buyer()
        .and(reverses(|command| {
            command.contribution_margin = Some(eur(1));
        }))
        .when(repeatedly)
        .refused(too_large("contribution_margin"));
}

#[test]
fn the_same_purchase_recorded_twice_is_recorded_once() {
    buyer().when(records(|_| ())).nothing();
    buyer()
        .when(records(|command| command.when = When::now(day(TODAY))))
        .nothing();
    let with_margin = || records(|command| command.contribution_margin = Some(eur(1)));
    customer().and(with_margin()).when(with_margin()).nothing();
}

#[test]
fn a_purchase_is_found_recorded_even_when_the_customer_is_lost_by_now() {
    buyer().and(leave(210)).when(records(|_| ())).nothing();
}

#[test]
fn another_purchase_needs_another_id() {
    for other in [
        records(|command| command.amount = eur(40_001)),
        records(|command| command.amount = usd(40_000)),
        records(|command| command.contribution_margin = Some(eur(20_000))),
        records(|command| command.when.occurred_at = Some(day(201))),
    ] {
        buyer()
            .when(other)
            .refused(Refusal::AlreadyExists(Thing::Purchase(parsed("invoice"))));
    }
}

#[test]
fn nobody_buys_before_being_a_customer() {
    let (field, at, earliest) = ("occurred_at", day(ACQUIRED - 1), day(ACQUIRED));
    customer()
        .when(buy("invoice", eur(1), ACQUIRED - 1))
        .refused(
            Invalid::TooEarly {
                field,
                at,
                earliest,
            }
            .into(),
        );
}

#[test]
fn nobody_buys_in_the_future() {
    let (field, at, latest) = ("occurred_at", day(TODAY + 1), day(TODAY).plus_seconds(300));
    customer()
        .when(buy("invoice", eur(1), TODAY + 1))
        .refused(Invalid::FutureTime { field, at, latest }.into());
}

#[test]
fn a_lost_customer_who_buys_must_be_won_back_first() {
    let ended_at = day(200);
    customer()
        .and(leave(200))
        .when(buy("invoice", eur(1), 201))
        .refused(Refusal::WinBackFirst { ended_at });
    customer()
        .and(leave(200))
        .when(records(|command| command.when = When::now(day(TODAY))))
        .refused(Refusal::WinBackFirst { ended_at });
}

#[test]
fn what_a_lost_customer_bought_before_the_end_may_be_recorded_late() {
    let story = customer().and(leave(200)).and(buy("invoice", eur(1), 200));
    assert_eq!(story.state().totals.purchases, 1);
}

#[test]
fn a_customer_who_was_won_back_buys_again() {
    let story = customer()
        .and(leave(200))
        .and(win_back(250))
        .and(buy("invoice", eur(1), 251));
    assert_eq!(story.state().totals.purchases, 1);
}

#[test]
fn a_customer_has_at_most_100_000_purchases() {
    let mut many = buyer().state().clone();
    many.totals.purchases = MAX_PURCHASES;
    let command = bought("one-more", eur(1), 200);
    let refusal = Refusal::Limit {
        what: "purchases",
        limit: 100_000,
    };
    assert_eq!(many.record_purchase(command), Err(refusal));
}

#[test]
fn a_rate_that_no_margin_can_have_is_refused() {
    let rate = Rate::from_f64(999_999.0).unwrap();
    let (field, limit, currency) = ("amount", MAX_MINOR_UNITS, parsed("EUR"));
    customer()
        .when(records(|command| {
            command.amount = Money::new(currency, MAX_MINOR_UNITS);
            command.default_margin_rate = rate;
        }))
        .refused(
            Invalid::TooLarge {
                field,
                limit,
                currency,
            }
            .into(),
        );
}

#[test]
fn a_first_purchase_is_repeated_as_any_other() {
    let mut command = opening();
    command.first_purchase = Some(first_purchase());
    given::<Customer>([])
        .and(Command::OpenRelationship(Box::new(command)))
        .when(buy("first", eur(40_000), ACQUIRED))
        .nothing();
}
