//! Who a prospect is.

use super::*;
use crate::prospect::{Claimed, Identify, Identity, IdentityKind, MAX_IDENTITIES, Named, Verdict};

fn identity(kind: IdentityKind, mark: u8) -> Identity {
    Identity {
        kind,
        value: sealed(mark),
    }
}

fn claim(kind: IdentityKind, mark: u8, verdict: Verdict) -> Claimed {
    Claimed {
        identity: identity(kind, mark),
        verdict,
    }
}

fn identify(identities: Vec<Claimed>) -> Command {
    Command::Identify(Identify {
        identities,
        name: None,
        when: on(7),
    })
}

fn name(mark: u8, verdict: Verdict) -> Command {
    Command::Identify(Identify {
        identities: vec![],
        name: Some(Named {
            display_name: sealed(mark),
            verdict,
        }),
        when: on(7),
    })
}

fn known(kind: IdentityKind) -> Given<Prospect> {
    created().and(identify(vec![claim(kind, 1, Verdict::Other)]))
}

#[test]
fn a_prospect_with_an_identity_is_identified() {
    let email = || claim(IdentityKind::Email, 1, Verdict::Other);
    created()
        .when(identify(vec![email()]))
        .then([Event::Identified {
            identities: vec![identity(IdentityKind::Email, 1)],
            display_name: None,
            occurred_at: day(7),
        }]);
    let story = created().and(identify(vec![email()]));
    assert_eq!(story.state().state, State::Identified);
}

#[test]
fn an_identity_that_is_known_changes_nothing() {
    for kind in [IdentityKind::Email, IdentityKind::Phone] {
        known(kind)
            .when(identify(vec![claim(kind, 2, Verdict::Same)]))
            .nothing();
    }
}

#[test]
fn a_prospect_has_one_email_and_one_external_id() {
    for kind in [IdentityKind::Email, IdentityKind::ExternalId] {
        let other = || claim(kind, 2, Verdict::Other);
        known(kind)
            .when(identify(vec![other()]))
            .refused(Refusal::IdentityConflict { kind });
        created()
            .when(identify(vec![claim(kind, 1, Verdict::Other), other()]))
            .refused(Refusal::IdentityConflict { kind });
    }
    let refusal = Refusal::IdentityConflict {
        kind: IdentityKind::ExternalId,
    };
    assert_eq!(refusal.reason(), "IDENTITY_CONFLICT");
    assert_eq!(refusal.class(), Class::FailedPrecondition);
    assert_eq!(refusal.metadata(), vec![("kind", "EXTERNAL_ID".to_owned())]);
}

#[test]
fn a_prospect_may_have_several_telephones_and_devices() {
    for kind in [IdentityKind::Phone, IdentityKind::Cookie] {
        let story = known(kind).and(identify(vec![claim(kind, 2, Verdict::Other)]));
        assert_eq!(
            story.state().identities,
            vec![identity(kind, 1), identity(kind, 2)]
        );
    }
}

#[test]
fn a_name_is_replaced_by_another_and_not_by_the_same() {
    let named = || created().and(name(1, Verdict::Other));
    named().when(name(2, Verdict::Same)).nothing();
    let renamed = named().and(name(3, Verdict::Other));
    assert_eq!(renamed.state().display_name, Some(sealed(3)));
}

#[test]
fn identifying_says_something() {
    created().when(identify(vec![])).refused(
        Invalid::Missing {
            field: "identities",
        }
        .into(),
    );
}

#[test]
fn a_prospect_has_a_hundred_identities_at_most() {
    let cookies = |count| vec![claim(IdentityKind::Cookie, 1, Verdict::Other); count];
    created()
        .and(identify(cookies(MAX_IDENTITIES)))
        .when(identify(cookies(1)))
        .refused(Refusal::Limit {
            what: "identities",
            limit: MAX_IDENTITIES,
        });
}

#[test]
fn who_is_further_than_identified_stays_there() {
    let email = || identify(vec![claim(IdentityKind::Email, 1, Verdict::Other)]);
    for (story, state) in [
        (
            created().and(qualify("van-off-road")).and(email()),
            State::Qualified,
        ),
        (converted().and(email()), State::Converted),
        (closed().and(email()), State::Closed),
    ] {
        assert_eq!(story.state().state, state);
        assert_eq!(story.state().identities.len(), 1);
    }
}

#[test]
fn a_conversion_takes_the_sealed_identities_along() {
    let story = known(IdentityKind::Email).and(name(9, Verdict::Other));
    let events = story.when(convert()).result().unwrap();
    let [
        Event::Converted {
            identities,
            display_name,
            ..
        },
    ] = events.as_slice()
    else {
        panic!("{events:?}");
    };
    assert_eq!(identities, &[identity(IdentityKind::Email, 1)]);
    assert_eq!(display_name, &Some(sealed(9)));
}

#[test]
fn nobody_and_the_merged_are_not_identified() {
    let email = || identify(vec![claim(IdentityKind::Email, 1, Verdict::Other)]);
    given::<Prospect>([])
        .when(email())
        .refused(Refusal::NotFound);
    let (prospect, into) = merged();
    assert_eq!(prospect.decide(email()), Err(Refusal::Merged { into }));
}
