use eventsourcing::scenario::{Given, given};
use money::{Money, Rate};

use super::{
    MAX_PURCHASES, MarginSource, RecordPurchase, Recorded, ReversePurchase, Reversed, Totals,
};
use crate::input::{Invalid, MAX_MINOR_UNITS, When};
use crate::story::{
    ACQUIRED, TODAY, bought, buy, customer, day, eur, first_purchase, leave, opening, parsed,
    reverse, reversed, usd, win_back,
};
use crate::{Command, Customer, Event, Refusal, Thing};

fn records(change: impl FnOnce(&mut RecordPurchase)) -> Command {
    let mut command = bought("invoice", eur(400_00), 200);
    change(&mut command);
    Command::RecordPurchase(command)
}

fn reverses(change: impl FnOnce(&mut ReversePurchase)) -> Command {
    let mut command = reversed("invoice", "note", eur(100_00), 210);
    change(&mut command);
    Command::ReversePurchase(command)
}

/// Who bought for 400.00 with the default margin of 200.00 on day 200.
fn buyer() -> Given<Customer> {
    customer().and(buy("invoice", eur(400_00), 200))
}

fn recorded(margin: i64, margin_source: MarginSource) -> Event {
    Event::PurchaseRecorded(Recorded {
        purchase_id: parsed("invoice"),
        amount: eur(400_00),
        contribution_margin: eur(margin),
        margin_source,
        occurred_at: day(200),
    })
}

/// What a command takes back: amount and margin, in cents.
fn taken_back(story: Given<Customer>, command: Command) -> (i64, i64) {
    match story.when(command).result().unwrap().as_slice() {
        [
            Event::PurchaseReversed(Reversed {
                amount,
                contribution_margin,
                ..
            }),
        ] => (amount.minor_units, contribution_margin.minor_units),
        other => panic!("not a reversal: {other:?}"),
    }
}

#[test]
fn a_purchase_has_the_margin_that_was_given() {
    customer()
        .when(records(|command| {
            command.contribution_margin = Some(eur(150_00));
        }))
        .then([recorded(150_00, MarginSource::Given)]);
}

#[test]
fn a_purchase_may_leave_less_than_nothing() {
    customer()
        .when(records(|command| {
            command.contribution_margin = Some(eur(-5_00));
        }))
        .then([recorded(-5_00, MarginSource::Given)]);
}

#[test]
fn a_margin_left_out_is_the_rate_in_force_half_to_even() {
    customer()
        .when(records(|_| ()))
        .then([recorded(200_00, MarginSource::Default)]);
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
        records(|command| command.amount = eur(400_01)),
        records(|command| command.amount = usd(400_00)),
        records(|command| command.contribution_margin = Some(eur(200_00))),
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
fn a_reversal_takes_its_share_of_the_margin() {
    buyer()
        .when(reverse("invoice", "note", eur(100_00), 210))
        .then([Event::PurchaseReversed(Reversed {
            purchase_id: parsed("invoice"),
            reversal_id: parsed("note"),
            amount: eur(100_00),
            contribution_margin: eur(50_00),
            margin_source: MarginSource::Default,
            occurred_at: day(210),
        })]);
}

#[test]
fn the_share_is_of_the_original_margin_half_to_even() {
    let story = || {
        customer().and(records(|command| {
            command.amount = eur(8);
            command.contribution_margin = Some(eur(4));
        }))
    };
    for (amount, margin) in [(1, 0), (3, 2), (5, 2), (7, 4)] {
        let command = reverse("invoice", "note", eur(amount), 210);
        assert_eq!(taken_back(story(), command), (amount, margin));
    }
    let again = story().and(reverse("invoice", "first", eur(3), 210));
    assert_eq!(
        taken_back(again, reverse("invoice", "second", eur(3), 211)),
        (3, 2)
    );
}

#[test]
fn the_reversal_that_takes_the_last_of_the_amount_takes_the_last_of_the_margin() {
    let story = customer()
        .and(records(|command| {
            command.amount = eur(3);
            command.contribution_margin = Some(eur(1));
        }))
        .and(reverse("invoice", "one", eur(1), 210))
        .and(reverse("invoice", "two", eur(1), 210));
    assert_eq!(
        taken_back(story, reverse("invoice", "three", eur(1), 210)),
        (1, 1)
    );
}

#[test]
fn a_reversal_has_the_margin_that_was_given() {
    let command = reverses(|command| command.contribution_margin = Some(eur(80_00)));
    assert_eq!(taken_back(buyer(), command), (100_00, 80_00));
}

#[test]
fn what_follows_a_given_margin_takes_what_that_left() {
    let story = buyer().and(reverses(|command| {
        command.contribution_margin = Some(eur(80_00));
    }));
    let last = reverse("invoice", "rest", eur(300_00), 220);
    assert_eq!(taken_back(story, last), (300_00, 120_00));
}

#[test]
fn a_loss_is_taken_back_too() {
    let story = customer().and(records(|command| {
        command.contribution_margin = Some(eur(-4_00));
    }));
    assert_eq!(
        taken_back(story, reverse("invoice", "note", eur(100_00), 210)),
        (100_00, -1_00)
    );
}

#[test]
fn no_more_is_reversed_than_was_bought() {
    let over = |remaining: i64| Refusal::OverReversed {
        purchase_id: parsed("invoice"),
        remaining: eur(remaining),
    };
    buyer()
        .when(reverse("invoice", "note", eur(400_01), 210))
        .refused(over(400_00));
    buyer()
        .and(reverse("invoice", "first", eur(300_00), 210))
        .when(reverse("invoice", "second", eur(100_01), 211))
        .refused(over(100_00));
    buyer()
        .and(reverse("invoice", "all", eur(400_00), 210))
        .when(reverse("invoice", "again", eur(1), 211))
        .refused(over(0));
}

#[test]
fn a_free_purchase_is_reversed_once_and_gives_its_cost_back() {
    let story = || {
        customer().and(records(|command| {
            command.amount = eur(0);
            command.contribution_margin = Some(eur(-3_00));
        }))
    };
    assert_eq!(
        taken_back(story(), reverse("invoice", "note", eur(0), 210)),
        (0, -3_00)
    );
    let purchase_id = parsed("invoice");
    story()
        .and(reverse("invoice", "note", eur(0), 210))
        .when(reverse("invoice", "again", eur(0), 211))
        .refused(Refusal::OverReversed {
            purchase_id,
            remaining: eur(0),
        });
}

#[test]
fn a_reversal_takes_something_back() {
    for amount in [eur(0), eur(-1)] {
        let (field, wanted) = ("amount", "above 0");
        buyer()
            .when(reverse("invoice", "note", amount, 210))
            .refused(
                Invalid::WrongSign {
                    field,
                    amount,
                    wanted,
                }
                .into(),
            );
    }
}

#[test]
fn the_same_reversal_recorded_twice_is_recorded_once() {
    let once = || buyer().and(reverses(|_| ()));
    once().when(reverses(|_| ())).nothing();
    once()
        .when(reverses(|command| command.when = When::now(day(TODAY))))
        .nothing();
}

#[test]
fn another_reversal_needs_another_id() {
    for other in [
        reverses(|command| command.amount = eur(100_01)),
        reverses(|command| command.contribution_margin = Some(eur(50_00))),
        reverses(|command| command.when.occurred_at = Some(day(211))),
    ] {
        let taken = Refusal::AlreadyExists(Thing::Reversal(parsed("note")));
        buyer().and(reverses(|_| ())).when(other).refused(taken);
    }
}

#[test]
fn two_purchases_may_have_a_reversal_of_the_same_id() {
    let story = buyer()
        .and(buy("other", eur(1_00), 200))
        .and(reverse("invoice", "1", eur(1_00), 210))
        .and(reverse("other", "1", eur(1_00), 210));
    assert_eq!(story.state().totals.reversals, 2);
}

#[test]
fn what_was_not_bought_cannot_be_reversed() {
    buyer()
        .when(reverse("other", "note", eur(1), 210))
        .refused(Refusal::NotFound(Thing::Purchase(parsed("other"))));
}

#[test]
fn nothing_is_reversed_before_it_was_bought() {
    let (field, at, earliest) = ("occurred_at", day(199), day(200));
    buyer()
        .when(reverse("invoice", "note", eur(1), 199))
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
fn nothing_is_reversed_in_the_future() {
    let (field, at, latest) = ("occurred_at", day(TODAY + 1), day(TODAY).plus_seconds(300));
    buyer()
        .when(reverse("invoice", "note", eur(1), TODAY + 1))
        .refused(Invalid::FutureTime { field, at, latest }.into());
}

#[test]
fn a_purchase_has_at_most_a_hundred_reversals() {
    let cent = |n: u32| reverse("invoice", &format!("note-{n}"), eur(1), 210);
    let story = (0..100).fold(buyer(), |story, n| story.and(cent(n)));
    let what = "reversals of this purchase";
    story
        .when(cent(100))
        .refused(Refusal::Limit { what, limit: 100 });
}

#[test]
fn what_a_lost_customer_bought_can_be_reversed() {
    let story = buyer()
        .and(leave(205))
        .and(reverse("invoice", "note", eur(400_00), 210));
    assert_eq!(story.state().totals.revenue, 0);
}

#[test]
fn the_totals_are_purchases_less_reversals() {
    let story = buyer().and(buy("earlier", eur(100_00), 150)).and(reverse(
        "invoice",
        "note",
        eur(40_00),
        210,
    ));
    let expected = Totals {
        purchases: 2,
        reversals: 1,
        revenue: 460_00,
        contribution_margin: 230_00,
        last_purchase_at: Some(day(200)),
    };
    assert_eq!(story.state().totals, expected);
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
        .when(buy("first", eur(400_00), ACQUIRED))
        .nothing();
}
