//! A customer is forgotten.

use eventsourcing::Sealed;
use eventsourcing::scenario::{Given, given};
use uuid::Uuid;

use super::{Identity, IdentityKind, Who};
use crate::action::{self, Kind, ProposeAction};
use crate::consent::Status;
use crate::customer::{Command, Customer, Event};
use crate::promise::{AssessPromise, Finding};
use crate::refusal::{Refusal, Thing};
use crate::relationship::Cause;
use crate::story::{
    ACQUIRED, TODAY, buy, day, ending, eur, on, open, open_with_contact, opening, parsed,
};

fn sealed(mark: u8) -> Sealed {
    Sealed {
        subject: "persons/1".to_owned(),
        key_id: "k".to_owned(),
        nonce: [mark; 24],
        ciphertext: vec![mark],
    }
}

fn known() -> Given<Customer> {
    let mut command = opening();
    command.opening.who = Who {
        identities: vec![Identity {
            kind: IdentityKind::Email,
            value: sealed(1),
        }],
        display_name: Some(sealed(2)),
    };
    given::<Customer>([]).and(Command::OpenRelationship(Box::new(command)))
}

fn erase() -> Command {
    Command::Erase { when: on(TODAY) }
}

fn erased() -> Event {
    Event::Erased {
        erased_at: day(TODAY),
    }
}

fn assess(evidence: Option<Sealed>) -> Command {
    Command::AssessPromise(AssessPromise {
        request_id: Uuid::from_u128(9),
        promise_id: parsed("next-day"),
        finding: Finding::Kept,
        evidence,
        when: on(TODAY),
    })
}

fn ask_back() -> Command {
    Command::ProposeAction(Box::new(ProposeAction {
        action_id: parsed("ask"),
        kind: Kind::WinBack,
        owner: None,
        promise_id: None,
        due_at: day(TODAY),
        trigger_event_id: None,
        when: on(TODAY),
    }))
}

fn lost() -> Command {
    Command::EndRelationship(ending(
        Cause::Voluntary,
        Some(crate::relationship::Reason::Price),
        ACQUIRED + 20,
    ))
}

#[test]
fn who_it_is_goes_and_what_it_did_stays() {
    let before = known().and(buy("p1", eur(40_000), ACQUIRED + 1));
    let after = known()
        .and(buy("p1", eur(40_000), ACQUIRED + 1))
        .and(erase());
    let (before, after) = (before.state(), after.state());
    let who = |state: &Customer| state.relationship.as_ref().unwrap().who.clone();
    assert_ne!(who(before), Who::default());
    assert_eq!(who(after), Who::default());
    assert!(after.is_erased());
    assert_eq!(
        (&before.totals, &before.promises),
        (&after.totals, &after.promises)
    );
}

#[test]
fn erasing_twice_is_fine_and_changes_nothing() {
    known().when(erase()).then([erased()]);
    known().and(erase()).when(erase()).then([]);
    let heard = || Command::HearErased {
        erased_at: day(TODAY),
        now: day(TODAY),
    };
    known().when(heard()).then([erased()]);
    known().and(heard()).when(heard()).then([]);
    given::<Customer>([]).when(heard()).then([]);
    given::<Customer>([])
        .when(erase())
        .refused(Refusal::NotFound(Thing::Customer));
}

#[test]
fn nobody_asks_somebody_back_who_is_erased() {
    let asked = || {
        given::<Customer>([])
            .and(open_with_contact(Status::Granted))
            .and(lost())
    };
    let open: Vec<_> = asked().state().open_actions.keys().cloned().collect();
    assert_eq!(open.len(), 1, "a win-back was proposed");
    asked().when(erase()).then([
        erased(),
        Event::ActionCancelled {
            action_id: open[0].clone(),
            cancelled_at: day(TODAY),
        },
    ]);
    let gone = || asked().and(erase());
    gone().when(ask_back()).refused(Refusal::Erased);
    let back = Command::WinBack { when: on(TODAY) };
    gone().when(back).refused(Refusal::Erased);
    let proposes = |events: Vec<Event>| {
        events
            .iter()
            .any(|event| matches!(event, Event::ActionProposed(action::Proposed { .. })))
    };
    let allowed = || given::<Customer>([]).and(open_with_contact(Status::Granted));
    assert!(proposes(allowed().when(lost()).result().unwrap()));
    let erased_first = allowed().and(Command::HearErased {
        erased_at: day(ACQUIRED + 1),
        now: day(TODAY),
    });
    assert!(!proposes(erased_first.when(lost()).result().unwrap()));
}

#[test]
fn words_about_somebody_erased_are_refused_and_numbers_are_not() {
    let gone = || given::<Customer>([]).and(open()).and(erase());
    gone()
        .when(assess(Some(sealed(3))))
        .refused(Refusal::Erased);
    let waive = Command::WaivePromise {
        promise_id: parsed("next-day"),
        note: Some(sealed(4)),
        when: on(TODAY),
    };
    gone().when(waive).refused(Refusal::Erased);
    let goes_on = gone()
        .and(assess(None))
        .and(buy("p1", eur(1_000), ACQUIRED + 2));
    assert_eq!(goes_on.state().totals.purchases, 1);
}

#[test]
fn words_are_kept_with_their_promise() {
    let kept = given::<Customer>([])
        .and(open())
        .and(assess(Some(sealed(3))));
    let promise = &kept.state().promises[&parsed("next-day")];
    assert_eq!(promise.evidence, Some(sealed(3)));
    let waived = given::<Customer>([])
        .and(open())
        .and(Command::WaivePromise {
            promise_id: parsed("next-day"),
            note: Some(sealed(4)),
            when: on(TODAY),
        });
    let promise = &waived.state().promises[&parsed("next-day")];
    assert_eq!(promise.note, Some(sealed(4)));
}

#[test]
fn that_the_keys_are_destroyed_is_noted_once_and_only_after_an_erasure() {
    let note = || Command::NoteDestroyed { now: day(TODAY) };
    known().when(note()).then([]);
    known()
        .and(erase())
        .when(note())
        .then([Event::KeysDestroyed {
            destroyed_at: day(TODAY),
        }]);
    known().and(erase()).and(note()).when(note()).then([]);
}
