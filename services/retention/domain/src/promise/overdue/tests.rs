//! The rules of promises whose day has passed.

use eventsourcing::scenario::given;

use super::Overdue;
use crate::action::Kind;
use crate::promise::Finding;
use crate::story::{
    assess, customer, day, give_notice, leave, make, note_overdue, parsed, waive, win_back,
};
use crate::{Customer, Event, Refusal, Thing};

/// The day on which `next-day` is due.
const DUE: i64 = 130;

#[test]
fn a_promise_whose_day_has_passed_is_noted_and_the_customer_is_to_be_kept() {
    let events = customer().when(note_overdue(DUE + 1)).result().unwrap();
    let [Event::PromiseOverdue(overdue), Event::ActionProposed(save)] = events.as_slice() else {
        panic!("{events:?}");
    };
    let expected = Overdue {
        promise_id: parsed("next-day"),
        due_at: day(DUE),
        occurred_at: day(DUE + 1),
    };
    assert_eq!(overdue, &expected);
    assert_eq!((save.kind, save.due_at), (Kind::Save, day(DUE + 3)));
}

#[test]
fn a_promise_may_still_be_kept_at_the_moment_it_is_due() {
    customer().when(note_overdue(DUE)).nothing();
}

#[test]
fn a_promise_is_noted_once() {
    customer()
        .and(note_overdue(DUE + 1))
        .when(note_overdue(DUE + 2))
        .nothing();
}

#[test]
fn only_an_open_promise_with_a_day_is_overdue() {
    for settled in [
        assess("next-day", Finding::Kept, 120),
        assess("next-day", Finding::Broken, 120),
        waive("next-day", 120),
    ] {
        let story = customer().and(settled).and(make("some-day", 120));
        story.when(note_overdue(DUE + 100)).nothing();
    }
}

#[test]
fn a_customer_who_is_to_be_kept_already_is_not_twice() {
    let story = customer().and(give_notice(120, 500));
    let events = story.when(note_overdue(DUE + 1)).result().unwrap();
    assert!(
        matches!(events.as_slice(), [Event::PromiseOverdue(_)]),
        "{events:?}"
    );
}

#[test]
fn a_promise_to_a_lost_customer_is_noted_once_the_customer_is_back() {
    let story = customer().and(leave(120));
    story.when(note_overdue(DUE + 1)).nothing();
    let story = customer().and(leave(120)).and(win_back(140));
    assert!(!story.when(note_overdue(141)).result().unwrap().is_empty());
}

#[test]
fn a_promise_that_is_overdue_may_yet_turn_out_to_have_been_kept_in_time() {
    let story =
        customer()
            .and(note_overdue(DUE + 1))
            .and(assess("next-day", Finding::Kept, DUE - 1));
    let promise = &story.state().promises[&parsed("next-day")];
    assert!(!promise.is_noted_overdue());
    assert_eq!(promise.overdue_since(day(DUE + 2)), None);
}

#[test]
fn nothing_is_overdue_of_nobody() {
    given::<Customer>([])
        .when(note_overdue(DUE))
        .refused(Refusal::NotFound(Thing::Customer));
}
