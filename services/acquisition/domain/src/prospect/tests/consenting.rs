//! What counts of what somebody agreed to.

use super::*;
use crate::prospect::{Absorb, Consent, ConsentStatus, MAX_CONSENTS};

fn said(status: ConsentStatus, number: i64) -> Consent {
    Consent {
        purpose: "contact".to_owned(),
        status,
        at: day(number),
        evidence: "form 7".to_owned(),
    }
}

fn set(status: ConsentStatus, number: i64) -> Command {
    Command::SetConsent {
        consent: said(status, number),
        now: day(90),
    }
}

fn changed(status: ConsentStatus, number: i64) -> [Event; 1] {
    [Event::ConsentChanged {
        consent: said(status, number),
    }]
}

use ConsentStatus::{Denied, Granted, Withdrawn};

#[test]
fn the_first_word_counts() {
    created().when(set(Granted, 8)).then(changed(Granted, 8));
}

#[test]
fn the_later_word_counts_in_whatever_order_they_arrive() {
    let granted = || created().and(set(Granted, 8));
    granted().when(set(Denied, 9)).then(changed(Denied, 9));
    granted().when(set(Denied, 7)).nothing();
    let denied = || created().and(set(Denied, 8));
    denied().when(set(Granted, 9)).then(changed(Granted, 9));
    denied().when(set(Granted, 7)).nothing();
}

#[test]
fn of_two_words_at_once_the_stricter_counts() {
    for strict in [Denied, Withdrawn] {
        let granted = created().and(set(Granted, 8));
        granted.when(set(strict, 8)).then(changed(strict, 8));
        created()
            .and(set(strict, 8))
            .when(set(Granted, 8))
            .nothing();
    }
    created()
        .and(set(Denied, 8))
        .when(set(Withdrawn, 8))
        .nothing();
}

#[test]
fn the_same_word_again_changes_nothing_and_a_later_one_is_remembered() {
    let granted = || created().and(set(Granted, 8));
    granted().when(set(Granted, 8)).nothing();
    granted()
        .and(set(Granted, 10))
        .when(set(Denied, 9))
        .nothing();
}

#[test]
fn what_the_other_service_has_recorded_is_taken_over_once() {
    let heard = || Command::HearConsent {
        consent: said(Withdrawn, 40),
    };
    converted().when(heard()).then(changed(Withdrawn, 40));
    converted().and(heard()).when(heard()).nothing();
}

#[test]
fn nobody_consents_in_the_future() {
    created().when(set(Granted, 91)).refused(
        Invalid::FutureTime {
            field: "consents.at",
            at: day(91),
            latest: day(90).plus_seconds(300),
        }
        .into(),
    );
}

#[test]
fn a_consent_has_a_purpose() {
    let purposeless = Consent {
        purpose: " ".to_owned(),
        ..said(Granted, 8)
    };
    created()
        .when(Command::SetConsent {
            consent: purposeless,
            now: day(90),
        })
        .refused(
            Invalid::Missing {
                field: "consents.purpose",
            }
            .into(),
        );
}

#[test]
fn there_are_twenty_purposes_at_most() {
    let about_purpose = |number: usize| Command::SetConsent {
        consent: Consent {
            purpose: format!("purpose {number}"),
            ..said(Granted, 8)
        },
        now: day(90),
    };
    let full = (0..MAX_CONSENTS).fold(created(), |story, n| story.and(about_purpose(n)));
    let too_many = Refusal::Limit {
        what: "consents",
        limit: MAX_CONSENTS,
    };
    full.when(about_purpose(MAX_CONSENTS)).refused(too_many);
}

/// Somebody with more purposes than anybody may name, who got them by a merge.
fn with_more() -> Given<Prospect> {
    let consents = (0..=MAX_CONSENTS).map(|number| Consent {
        purpose: format!("purpose {number}"),
        ..said(Denied, 8)
    });
    let absorb = Absorb {
        from: Uuid::from_u128(9),
        part: 1,
        parts: 1,
        touches: vec![],
        consents: consents.collect(),
        when: When::now(day(90)),
    };
    let story = created().and(Command::Absorb(absorb));
    assert_eq!(story.state().consents.len(), MAX_CONSENTS + 1);
    story
}

fn about(purpose: &str, status: ConsentStatus) -> Consent {
    Consent {
        purpose: purpose.to_owned(),
        ..said(status, 9)
    }
}

#[test]
fn the_limit_is_for_new_purposes_and_whoever_has_more_still_changes_every_one() {
    let set = |consent| Command::SetConsent {
        consent,
        now: day(90),
    };
    let too_many = Refusal::Limit {
        what: "consents",
        limit: MAX_CONSENTS,
    };
    with_more()
        .when(set(about("another", Granted)))
        .refused(too_many);
    let known = about("purpose 3", Withdrawn);
    with_more()
        .when(set(known.clone()))
        .then([Event::ConsentChanged { consent: known }]);
}

#[test]
fn whoever_has_more_purposes_by_merges_still_converts() {
    let with = |consents| {
        Command::Convert(Convert {
            consents,
            ..converting()
        })
    };
    let known = about("purpose 3", Granted);
    let story = with_more().and(with(vec![known.clone()]));
    let conversion = story.state().conversion.as_ref().unwrap();
    assert_eq!(conversion.consents.len(), MAX_CONSENTS + 1);
    assert!(conversion.consents.contains(&known));
    let too_many = Refusal::Limit {
        what: "consents",
        limit: MAX_CONSENTS,
    };
    with_more()
        .when(with(vec![about("another", Granted)]))
        .refused(too_many);
}

#[test]
fn a_conversion_carries_what_was_said_before_and_with_it() {
    let call = Consent {
        purpose: "call".to_owned(),
        ..said(Granted, 8)
    };
    let converting = Convert {
        consents: vec![said(Granted, 7), call.clone()],
        ..converting()
    };
    let story = created()
        .and(set(Denied, 8))
        .and(Command::Convert(converting.clone()));
    let conversion = story.state().conversion.as_ref().unwrap();
    assert_eq!(conversion.consents, vec![call, said(Denied, 8)]);
    story.when(Command::Convert(converting)).nothing();
}

#[test]
fn a_customer_does_not_convert_again_with_another_consent() {
    let consenting = Convert {
        consents: vec![said(Granted, 8)],
        ..converting()
    };
    converted()
        .when(Command::Convert(consenting))
        .refused(Refusal::AlreadyConverted);
}

#[test]
fn nobody_and_the_merged_do_not_consent() {
    given::<Prospect>([])
        .when(set(Granted, 8))
        .refused(Refusal::NotFound);
    let (prospect, into) = merged();
    assert_eq!(
        prospect.decide(set(Granted, 8)),
        Err(Refusal::Merged { into })
    );
}
