//! The rules of what a customer allows.

use eventsourcing::Time;
use eventsourcing::scenario::given;
use proptest::prelude::*;

use super::{CONTACT, Changed, Consent, Consents, MAX_PURPOSES, SetConsent, Status};
use crate::input::{Invalid, When};
use crate::story::{TODAY, customer, day, leave, on, parsed};
use crate::{Command, Customer, Event, Refusal, Thing};

/// The consents to contact that remain of these, said on days in this order.
fn said(statements: &[(i64, Status)]) -> Consents {
    let consent = |&(day, status)| Consent {
        status,
        at: Time::from_days(day),
        evidence: None,
    };
    statements
        .iter()
        .map(|said| (CONTACT.parse().unwrap(), consent(said)))
        .collect()
}

#[test]
fn what_nobody_spoke_of_is_not_allowed() {
    assert!(!said(&[]).allows(CONTACT));
    assert!(!said(&[(1, Status::Granted)]).allows("newsletter"));
}

#[test]
fn the_consent_given_last_is_in_force_in_whatever_order_they_arrive() {
    assert!(said(&[(1, Status::Denied), (2, Status::Granted)]).allows(CONTACT));
    assert!(said(&[(2, Status::Granted), (1, Status::Withdrawn)]).allows(CONTACT));
    assert!(!said(&[(1, Status::Granted), (2, Status::Withdrawn)]).allows(CONTACT));
}

#[test]
fn of_two_consents_at_the_same_moment_the_stricter_is_in_force() {
    assert!(!said(&[(1, Status::Granted), (1, Status::Withdrawn)]).allows(CONTACT));
    assert!(!said(&[(1, Status::Denied), (1, Status::Granted)]).allows(CONTACT));
}

fn says(status: Status, when: When) -> Command {
    says_of(CONTACT, status, when)
}

fn says_of(purpose: &str, status: Status, when: When) -> Command {
    Command::SetConsent(SetConsent {
        purpose: parsed(purpose),
        status,
        evidence: Some(parsed("form 7")),
        when,
    })
}

#[test]
fn what_a_customer_says_is_noted_with_its_evidence() {
    let consent = Consent {
        status: Status::Granted,
        at: day(150),
        evidence: Some(parsed("form 7")),
    };
    let purpose = parsed(CONTACT);
    customer()
        .when(says(Status::Granted, on(150)))
        .then([Event::ConsentChanged(Changed { purpose, consent })]);
}

#[test]
fn what_changes_nothing_is_no_event() {
    let granted = || customer().and(says(Status::Granted, on(150)));
    granted().when(says(Status::Granted, on(150))).nothing();
    granted().when(says(Status::Withdrawn, on(149))).nothing();
    let denied = customer().and(says(Status::Denied, on(150)));
    denied.when(says(Status::Granted, on(150))).nothing();
}

#[test]
fn the_same_said_later_is_noted_so_that_what_is_told_late_cannot_undo_it() {
    let story = customer()
        .and(says(Status::Granted, on(150)))
        .and(says(Status::Granted, on(170)))
        .and(says(Status::Withdrawn, on(160)));
    let relationship = story.state().relationship.as_ref().unwrap();
    assert!(relationship.consents.allows(CONTACT));
}

#[test]
fn what_is_said_without_a_time_is_the_last_word() {
    let ahead = When {
        now: day(TODAY),
        occurred_at: Some(day(TODAY).plus_seconds(200)),
    };
    let story = customer()
        .and(says(Status::Granted, ahead))
        .and(says(Status::Withdrawn, When::now(day(TODAY))));
    let relationship = story.state().relationship.as_ref().unwrap();
    assert!(!relationship.consents.allows(CONTACT));
}

#[test]
fn nobody_has_said_yet_what_lies_ahead() {
    let (field, at) = ("at", day(TODAY + 1));
    let latest = day(TODAY).plus_seconds(300);
    let refused = Invalid::FutureTime { field, at, latest };
    customer()
        .when(says(Status::Granted, on(TODAY + 1)))
        .refused(refused.into());
    given::<Customer>([])
        .when(says(Status::Granted, on(150)))
        .refused(Refusal::NotFound(Thing::Customer));
}

#[test]
fn a_lost_customer_may_still_say_what_is_allowed() {
    let story = customer().and(leave(200));
    assert!(
        !story
            .when(says(Status::Granted, on(210)))
            .result()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_customer_is_asked_for_twenty_purposes_and_each_can_still_be_taken_back() {
    let number = |n: usize| format!("purpose {n}");
    let full = || {
        (0..MAX_PURPOSES).fold(customer(), |story, n| {
            story.and(says_of(&number(n), Status::Granted, on(150)))
        })
    };
    let what = "purposes of consent";
    full()
        .when(says_of(CONTACT, Status::Granted, on(160)))
        .refused(Refusal::Limit { what, limit: 20 });
    for n in 0..MAX_PURPOSES {
        let taken_back = full().and(says_of(&number(n), Status::Withdrawn, on(160)));
        let relationship = taken_back.state().relationship.as_ref().unwrap();
        assert!(!relationship.consents.allows(&number(n)));
    }
}

#[test]
fn what_acquisition_has_recorded_is_heard_whatever_the_limit() {
    let full = (0..MAX_PURPOSES).fold(customer(), |story, n| {
        story.and(says_of(&format!("purpose {n}"), Status::Granted, on(150)))
    });
    let consent = Consent {
        status: Status::Withdrawn,
        at: day(160),
        evidence: None,
    };
    let purpose = parsed(CONTACT);
    let changed = Changed { purpose, consent };
    let heard = full.state().hear_consent(changed.clone());
    assert_eq!(heard, [Event::ConsentChanged(changed)]);
}

proptest! {
    #[test]
    fn what_is_in_force_does_not_depend_on_the_order_in_which_it_is_told(
        said in prop::collection::vec((1_i64..5, 0_usize..3), 1..8),
        turns in 0_usize..8,
    ) {
        let status = [Status::Granted, Status::Denied, Status::Withdrawn];
        let commands = |said: &[(i64, usize)]| {
            said.iter().fold(customer(), |story, &(number, which)| {
                story.and(says(status[which], on(100 + number)))
            })
        };
        let mut turned = said.clone();
        turned.rotate_left(turns % said.len());
        let allows = |said: &[(i64, usize)]| {
            let story = commands(said);
            let relationship = story.state().relationship.clone();
            relationship.unwrap().consents.allows(CONTACT)
        };
        prop_assert_eq!(allows(&said), allows(&turned));
    }
}
