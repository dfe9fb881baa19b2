//! What a conversion says, and what is no conversion.

use money::{Money, Rate};
use patron_proto::acquisition::v1 as proto;
use patron_proto::types::v1 as types;
use prost::Message as _;
use retention_domain::relationship::Source;
use server::{money_out, timestamp};

use super::{CONVERTED, Conversion, read};
use crate::story::{ROSA, day, parsed};
use server::Wrong;

fn converted() -> proto::ProspectConverted {
    proto::ProspectConverted {
        prospect: format!("prospects/{ROSA}"),
        customer: format!("customers/{ROSA}"),
        occurred_at: Some(timestamp(day(100))),
        proposition: "propositions/van-repair".to_owned(),
        campaign: "propositions/van-repair/campaigns/fast".to_owned(),
        presentation_id: "speed".to_owned(),
        promises: vec![types::PromiseTerms {
            promise_id: "next-day".to_owned(),
            benefit_id: "next-day".to_owned(),
            expectation: "back on the road tomorrow".to_owned(),
            expected_score: 6,
            importance: 100,
            due_at: Some(timestamp(day(130))),
        }],
        first_purchase: Some(proto::FirstPurchase {
            amount: Some(money_out(Money::new(parsed("EUR"), 40_000))),
            contribution_margin: None,
        }),
        currency_code: "EUR".to_owned(),
        consents: vec![types::Consent {
            purpose: "contact".to_owned(),
            status: types::ConsentStatus::Granted as i32,
            at: Some(timestamp(day(99))),
            evidence: "form 7".to_owned(),
        }],
        ..Default::default()
    }
}

fn told(event: &proto::ProspectConverted) -> Result<Option<Conversion>, Wrong> {
    read(CONVERTED, 1, &event.encode_to_vec())
}

#[test]
fn a_conversion_says_how_the_relationship_begins() {
    let conversion = told(&converted()).unwrap().unwrap();
    assert_eq!(conversion.customer, ROSA);
    assert_eq!(conversion.opening.origin.source, Source::Prospect);
    assert_eq!(conversion.opening.acquired_at, day(100));
    assert!(conversion.opening.consents.allows("contact"));
    let (_, consent) = conversion.opening.consents.iter().next().unwrap();
    assert_eq!(consent.evidence, Some(parsed("form 7")));
    let promise = &conversion.promises[0];
    assert_eq!(promise.promise_id, parsed("next-day"));
    assert_eq!(promise.terms.presentation_id, Some(parsed("speed")));
    assert_eq!(promise.terms.proposition, parsed("propositions/van-repair"));
}

#[test]
fn the_first_purchase_is_named_after_the_prospect() {
    let first = told(&converted()).unwrap().unwrap().first_purchase.unwrap();
    assert_eq!(first.purchase_id, parsed(&format!("first-{ROSA}")));
    assert_eq!(first.default_margin_rate, Rate::per_mille(500));
    let none = proto::ProspectConverted {
        first_purchase: None,
        ..converted()
    };
    assert_eq!(told(&none).unwrap().unwrap().first_purchase, None);
}

#[test]
fn other_events_do_not_concern_retention() {
    for kind in [
        "patron.acquisition.v1.ProspectClosed",
        "patron.acquisition.v2.ProspectConverted",
    ] {
        assert_eq!(read(kind, 7, b"whatever"), Ok(None));
    }
}

#[test]
fn a_conversion_that_cannot_be_read_says_why() {
    let newer = read(CONVERTED, 2, &converted().encode_to_vec());
    assert!(newer.unwrap_err().to_string().contains("schema 2"));
    let wrong = [
        proto::ProspectConverted {
            customer: "customers/rosa".to_owned(),
            ..converted()
        },
        proto::ProspectConverted {
            prospect: "prospects/00000000-0000-0000-0000-00000000000b".to_owned(),
            ..converted()
        },
        proto::ProspectConverted {
            occurred_at: None,
            ..converted()
        },
        proto::ProspectConverted {
            proposition: String::new(),
            ..converted()
        },
        proto::ProspectConverted {
            currency_code: "EURO".to_owned(),
            ..converted()
        },
    ];
    for event in wrong {
        assert!(told(&event).is_err(), "{event:?}");
    }
}
