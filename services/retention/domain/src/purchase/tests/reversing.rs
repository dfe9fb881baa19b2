//! What can be taken back, and the margin that goes with it.

use eventsourcing::scenario::Given;

use super::{buyer, records, reverses};
use crate::input::{Invalid, When};
use crate::purchase::{MarginSource, Reversed};
use crate::story::{TODAY, buy, customer, day, eur, leave, parsed, reverse};
use crate::{Command, Customer, Event, Refusal, Thing};

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
fn a_reversal_takes_its_share_of_the_margin() {
    buyer()
        .when(reverse("invoice", "note", eur(10_000), 210))
        .then([Event::PurchaseReversed(Reversed {
            purchase_id: parsed("invoice"),
            reversal_id: parsed("note"),
            amount: eur(10_000),
            contribution_margin: eur(5_000),
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
    let command = reverses(|command| command.contribution_margin = Some(eur(8_000)));
    assert_eq!(taken_back(buyer(), command), (10_000, 8_000));
}

#[test]
fn what_follows_a_given_margin_takes_what_that_left() {
    let story = buyer().and(reverses(|command| {
        command.contribution_margin = Some(eur(8_000));
    }));
    let last = reverse("invoice", "rest", eur(30_000), 220);
    assert_eq!(taken_back(story, last), (30_000, 12_000));
}

#[test]
fn a_loss_is_taken_back_too() {
    let story = customer().and(records(|command| {
        command.contribution_margin = Some(eur(-400));
    }));
    assert_eq!(
        taken_back(story, reverse("invoice", "note", eur(10_000), 210)),
        (10_000, -100)
    );
}

#[test]
fn no_more_is_reversed_than_was_bought() {
    let over = |remaining: i64| Refusal::OverReversed {
        purchase_id: parsed("invoice"),
        remaining: eur(remaining),
    };
    buyer()
        .when(reverse("invoice", "note", eur(40_001), 210))
        .refused(over(40_000));
    buyer()
        .and(reverse("invoice", "first", eur(30_000), 210))
        .when(reverse("invoice", "second", eur(10_001), 211))
        .refused(over(10_000));
    buyer()
        .and(reverse("invoice", "all", eur(40_000), 210))
        .when(reverse("invoice", "again", eur(1), 211))
        .refused(over(0));
}

#[test]
fn a_free_purchase_is_reversed_once_and_gives_its_cost_back() {
    let story = || {
        customer().and(records(|command| {
            command.amount = eur(0);
            command.contribution_margin = Some(eur(-300));
        }))
    };
    assert_eq!(
        taken_back(story(), reverse("invoice", "note", eur(0), 210)),
        (0, -300)
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
        reverses(|command| command.amount = eur(10_001)),
        reverses(|command| command.contribution_margin = Some(eur(5_000))),
        reverses(|command| command.when.occurred_at = Some(day(211))),
    ] {
        let taken = Refusal::AlreadyExists(Thing::Reversal(parsed("note")));
        buyer().and(reverses(|_| ())).when(other).refused(taken);
    }
}

#[test]
fn two_purchases_may_have_a_reversal_of_the_same_id() {
    let story = buyer()
        .and(buy("other", eur(100), 200))
        .and(reverse("invoice", "1", eur(100), 210))
        .and(reverse("other", "1", eur(100), 210));
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
        .and(reverse("invoice", "note", eur(40_000), 210));
    assert_eq!(story.state().totals.revenue, 0);
}
