//! What is to be done, and when it no longer is.

use std::collections::BTreeSet;

use eventsourcing::scenario::{Given, given};

use super::{Action, Closing, Kind, Outcome, Proposed};
use crate::consent::Status;
use crate::promise::Finding;
use crate::relationship::{Cause, Reason};
use crate::story::{
    TODAY, assess, customer, day, end, leave, make, open_with_contact, opening, parsed, repair,
    win_back,
};
use crate::{Command, Customer, Event};

/// Who said this about being contacted.
fn customer_who(status: Status) -> Given<Customer> {
    given([]).and(open_with_contact(status))
}

fn open_kinds(story: &Given<Customer>) -> Vec<Kind> {
    story
        .state()
        .open_actions
        .values()
        .map(|action| action.kind)
        .collect()
}

/// The actions that came to an end, with how they did.
fn closed(story: &Given<Customer>) -> Vec<(Kind, Outcome)> {
    let outcome = |action: &Action| action.closing.map(|closing| closing.outcome);
    let actions = story
        .state()
        .closed_actions
        .iter()
        .map(|(_, action)| action);
    actions
        .map(|action| (action.kind, outcome(action).unwrap()))
        .collect()
}

/// The ids that the actions proposed by this command get.
fn proposed_ids(story: Given<Customer>, command: Command) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for event in story.when(command).result().unwrap() {
        if let Event::ActionProposed(proposed) = event {
            ids.insert(proposed.action_id.to_string());
        }
    }
    ids
}

#[test]
fn a_broken_promise_proposes_a_repair_within_two_days() {
    let story = customer().and(assess("next-day", Finding::Broken, 150));
    let actions: Vec<&Action> = story.state().open_actions.values().collect();
    let expected = Action {
        kind: Kind::Repair,
        owner: None,
        promise_id: Some(parsed("next-day")),
        trigger_event_id: None,
        proposed_at: day(TODAY),
        due_at: day(TODAY + 2),
        closing: None,
    };
    assert_eq!(actions, [&expected]);
}

#[test]
fn a_kept_promise_proposes_nothing() {
    let story = customer().and(assess("next-day", Finding::Kept, 150));
    assert_eq!(open_kinds(&story), []);
}

#[test]
fn a_repair_stays_to_be_completed_when_the_promise_is_repaired() {
    let story = customer()
        .and(assess("next-day", Finding::Broken, 150))
        .and(repair("next-day", 151));
    assert_eq!(open_kinds(&story), [Kind::Repair]);
}

#[test]
fn a_promise_broken_to_a_lost_customer_proposes_nothing() {
    let story = customer()
        .and(leave(200))
        .and(assess("next-day", Finding::Broken, 210));
    assert_eq!(open_kinds(&story), []);
}

#[test]
fn the_same_request_proposes_the_same_action() {
    let breaks = || assess("next-day", Finding::Broken, 150);
    let ids = proposed_ids(customer(), breaks());
    assert_eq!(ids.len(), 1);
    assert_eq!(ids, proposed_ids(customer(), breaks()));
}

#[test]
fn each_promise_broken_has_a_repair_of_its_own() {
    let story = customer()
        .and(make("more", 110))
        .and(assess("more", Finding::Broken, 150))
        .and(assess("next-day", Finding::Broken, 150));
    assert_eq!(open_kinds(&story), [Kind::Repair, Kind::Repair]);
}

#[test]
fn a_loss_cancels_what_was_still_to_be_done() {
    let story = customer()
        .and(assess("next-day", Finding::Broken, 150))
        .and(leave(200));
    assert_eq!(open_kinds(&story), []);
    assert_eq!(closed(&story), [(Kind::Repair, Outcome::Cancelled)]);
    let (_, repair) = story.state().closed_actions.iter().next().unwrap();
    let closing = Closing {
        outcome: Outcome::Cancelled,
        closed_at: day(TODAY),
        cost: None,
    };
    assert_eq!(repair.closing, Some(closing));
}

#[test]
fn a_loss_cancels_before_it_proposes() {
    let story = customer_who(Status::Granted).and(assess("next-day", Finding::Broken, 150));
    let events = story.when(leave(200)).result().unwrap();
    assert!(
        matches!(
            events.as_slice(),
            [
                Event::RelationshipLost(_),
                Event::ActionCancelled { .. },
                Event::ActionProposed(_)
            ]
        ),
        "{events:?}"
    );
}

#[test]
fn who_leaves_by_choice_and_may_be_contacted_is_to_be_won_back_within_90_days() {
    let story = customer_who(Status::Granted).and(leave(200));
    let actions: Vec<&Action> = story.state().open_actions.values().collect();
    let expected = Action {
        kind: Kind::WinBack,
        owner: None,
        promise_id: None,
        trigger_event_id: None,
        proposed_at: day(TODAY),
        due_at: day(TODAY + 90),
        closing: None,
    };
    assert_eq!(actions, [&expected]);
}

#[test]
fn who_may_not_be_contacted_is_left_alone() {
    for story in [
        customer(),
        customer_who(Status::Denied),
        customer_who(Status::Withdrawn),
    ] {
        assert_eq!(open_kinds(&story.and(leave(200))), []);
    }
}

#[test]
fn who_did_not_leave_by_choice_is_left_alone() {
    for cause in [
        Cause::PaymentFailure,
        Cause::Inactivity,
        Cause::OurDecision,
        Cause::Ceased,
    ] {
        let story = customer_who(Status::Granted).and(end(cause, Some(Reason::Other), 200));
        assert_eq!(open_kinds(&story), []);
    }
}

#[test]
fn nobody_needs_to_win_back_who_is_back() {
    let story = customer_who(Status::Granted)
        .and(leave(200))
        .and(win_back(250));
    assert_eq!(open_kinds(&story), []);
    assert_eq!(closed(&story), [(Kind::WinBack, Outcome::Cancelled)]);
}

#[test]
fn every_loss_asks_for_a_win_back_of_its_own() {
    let story = customer_who(Status::Granted)
        .and(leave(200))
        .and(win_back(250))
        .and(leave(300));
    assert_eq!(open_kinds(&story), [Kind::WinBack]);
    assert_eq!(closed(&story), [(Kind::WinBack, Outcome::Cancelled)]);
    let (cancelled, _) = story.state().closed_actions.iter().next().unwrap();
    assert!(!story.state().open_actions.contains_key(cancelled));
}

#[test]
fn a_loss_leaves_a_win_back_to_be_done() {
    let proposed = |action_id: &str, kind| {
        Event::ActionProposed(Proposed {
            action_id: parsed(action_id),
            kind,
            owner: None,
            promise_id: None,
            trigger_event_id: None,
            proposed_at: day(150),
            due_at: day(160),
        })
    };
    let events = [
        Event::RelationshipOpened(opening().opening),
        proposed("grow", Kind::Grow),
        proposed("win-back", Kind::WinBack),
    ];
    let story = given::<Customer>(events).and(leave(200));
    assert_eq!(open_kinds(&story), [Kind::WinBack]);
    assert_eq!(closed(&story), [(Kind::Grow, Outcome::Cancelled)]);
}
