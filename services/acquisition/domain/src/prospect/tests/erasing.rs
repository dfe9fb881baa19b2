//! A prospect is forgotten.

use super::*;
use crate::prospect::{Claimed, Identify, Identity, IdentityKind, Merge, Named, Verdict};

fn identify() -> Command {
    Command::Identify(Identify {
        identities: vec![Claimed {
            identity: Identity {
                kind: IdentityKind::Email,
                value: sealed(1),
            },
            verdict: Verdict::Other,
        }],
        name: Some(Named {
            display_name: sealed(2),
            verdict: Verdict::Other,
        }),
        when: on(7),
    })
}

fn erase() -> Command {
    Command::Erase { when: on(12) }
}

fn erased() -> Event {
    Event::Erased { erased_at: day(12) }
}

fn forgotten() -> Given<Prospect> {
    created()
        .and(identify())
        .and(qualify("van-off-road"))
        .and(erase())
}

#[test]
fn who_it_is_goes_and_what_it_did_stays() {
    let before = created()
        .and(identify())
        .and(touched("t1", 8))
        .state()
        .clone();
    let after = created()
        .and(identify())
        .and(touched("t1", 8))
        .and(erase())
        .state()
        .clone();
    assert!(after.identities.is_empty() && after.display_name.is_none());
    assert_eq!(after.erased_at, Some(day(12)));
    assert_eq!(after.origin, before.origin);
    assert_eq!((after.touch_count, after.state), (1, before.state));
}

#[test]
fn erasing_twice_is_fine_and_changes_nothing() {
    created().when(erase()).then([erased()]);
    forgotten().when(erase()).then([]);
    forgotten()
        .when(Command::HearErased { erased_at: day(13) })
        .then([]);
}

#[test]
fn nobody_is_erased_who_does_not_exist() {
    given::<Prospect>([])
        .when(erase())
        .refused(Refusal::NotFound);
    given::<Prospect>([])
        .when(Command::HearErased { erased_at: day(13) })
        .then([]);
}

#[test]
fn a_merged_prospect_refuses_everything_but_to_be_erased() {
    let merged = created().and(Command::Merge(Merge {
        id: Uuid::from_u128(2),
        into: Uuid::from_u128(1),
        state: State::Converted,
        erased: false,
        created_at: Some(day(1)),
        touches: 0,
        when: on(9),
    }));
    merged.when(erase()).then([erased()]);
}

#[test]
fn nothing_makes_somebody_known_again() {
    forgotten().when(identify()).refused(Refusal::Erased);
    forgotten()
        .when(closing(CloseReason::Other, None, true))
        .refused(Refusal::Erased);
    forgotten().when(convert()).refused(Refusal::Erased);
    let goes_on = forgotten()
        .and(touched("t9", 11))
        .and(closing(CloseReason::NoNeed, None, false));
    assert_eq!(goes_on.state().touch_count, 1);
    assert_eq!(goes_on.state().state, State::Closed);
}

#[test]
fn nobody_is_merged_into_somebody_erased() {
    created()
        .when(Command::Merge(Merge {
            id: Uuid::from_u128(2),
            into: Uuid::from_u128(1),
            state: State::Identified,
            erased: true,
            created_at: Some(day(1)),
            touches: 0,
            when: on(9),
        }))
        .refused(Refusal::TargetErased);
}

#[test]
fn that_the_keys_are_destroyed_is_noted_once_and_only_after_an_erasure() {
    let note = || Command::NoteDestroyed { now: day(13) };
    created().when(note()).then([]);
    forgotten().when(note()).then([Event::KeysDestroyed {
        destroyed_at: day(13),
    }]);
    forgotten().and(note()).when(note()).then([]);
}
