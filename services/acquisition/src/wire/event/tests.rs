//! Events are written and read as they were stored, for ever.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use acquisition_domain::campaign::{self, Plan, Spend, SpendKind};
use acquisition_domain::presentation::{self, Cause, Pitch};
use acquisition_domain::promise::{Claim, Promise, PromiseTerms};
use acquisition_domain::proposition::{
    self, Benefit, Content, Differentiator, Dimension, Level, Nature, Problem,
};
use acquisition_domain::prospect::{
    self, AbsorbedKey, AbsorbedTouch, CloseReason, Closing, Consent, ConsentStatus, Conversion,
    FirstPurchase, Identity, IdentityKind, Kind, Origin, Qualification, Touch, TouchKind,
    Touchpoint, Utm,
};
use eventsourcing::{Days, Sealed, Time};
use journal::Event;
use money::Money;
use uuid::Uuid;

use super::{PACKAGE, of_proposition, of_prospect};

const PROSPECT: Uuid = Uuid::from_u128(0x0b0e_6f5e_7c55_4d0c_9f50_3f3a_d5b3_a2c1);

const OLDER: Uuid = Uuid::from_u128(0x0b0e_6f5e_7c55_4d0c_9f50_3f3a_d5b3_a2c2);

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn at(day: i64) -> Time {
    Time::from_days(20_000 + day)
}

fn euros(minor_units: i64) -> Money {
    Money::new(id("EUR"), minor_units)
}

fn content() -> Content {
    Content {
        display_name: "Van repair".to_owned(),
        problems: vec![Problem {
            problem_id: id("van-off-road"),
            statement: "the van is off the road".to_owned(),
        }],
        benefits: vec![Benefit {
            benefit_id: id("next-day"),
            statement: "back on the road tomorrow".to_owned(),
            nature: Nature::Intangible,
            level: Level::Augmented,
            dimension: Some(Dimension::Responsiveness),
            problem_ids: vec![id("van-off-road")],
        }],
        differentiators: vec![Differentiator {
            differentiator_id: id("faster"),
            benefit_id: id("next-day"),
            competitor: "Acme".to_owned(),
            claim: "Acme takes a week".to_owned(),
        }],
    }
}

fn presentations() -> Vec<presentation::Event> {
    let pitch = Pitch {
        channel: "search".to_owned(),
        message: "tomorrow".to_owned(),
        claims: vec![Claim {
            benefit_id: id("next-day"),
            expectation: "back on the road tomorrow".to_owned(),
            expected_score: 6,
            importance: 100,
            due_days: Some(Days(30)),
        }],
    };
    let presentation_id = || id("speed");
    let cause = Cause::BrokenPromises {
        kept: 1,
        broken: 3,
        kept_rate_upper: 0.699,
    };
    vec![
        presentation::Event::Added {
            presentation_id: presentation_id(),
            pitch,
            occurred_at: at(1),
        },
        presentation::Event::Flagged {
            presentation_id: presentation_id(),
            cause,
            occurred_at: at(2),
        },
        presentation::Event::FlagCleared {
            presentation_id: presentation_id(),
            note: "a second mechanic".to_owned(),
            occurred_at: at(3),
        },
    ]
}

fn campaigns() -> Vec<campaign::Event> {
    let campaign_id = || id("fast");
    let plan = Plan {
        presentation_ids: vec![id("speed")],
        starts_at: at(4),
        ends_at: at(34),
        currency: id("EUR"),
        budget: Some(euros(200_000)),
    };
    let spend = Spend {
        kind: SpendKind::Media,
        amount: euros(100_000),
        incurred_at: at(5),
        presentation_id: Some(id("speed")),
        reverses: Some(id("invoice-1")),
    };
    vec![
        campaign::Event::Planned {
            campaign_id: campaign_id(),
            plan,
            occurred_at: at(4),
        },
        campaign::Event::Started {
            campaign_id: campaign_id(),
            occurred_at: at(5),
        },
        campaign::Event::SpendRecorded {
            campaign_id: campaign_id(),
            spend_id: id("invoice-2"),
            spend,
        },
        campaign::Event::Ended {
            campaign_id: campaign_id(),
            occurred_at: at(34),
        },
    ]
}

fn propositions() -> Vec<proposition::Event> {
    use proposition::Event::{Campaign, Drafted, Presentation, Published, Retired, Revised};
    let mut all = vec![
        Drafted {
            content: content(),
            occurred_at: at(0),
        },
        Revised {
            content: content(),
            revision: 2,
            occurred_at: at(1),
        },
        Published {
            revision: 2,
            occurred_at: at(2),
        },
        Retired {
            occurred_at: at(40),
        },
    ];
    all.extend(presentations().into_iter().map(Presentation));
    all.extend(campaigns().into_iter().map(Campaign));
    all
}

fn conversion() -> Conversion {
    Conversion {
        converted_at: at(8),
        proposition_id: id("van-repair"),
        revision: 2,
        problem_id: id("van-off-road"),
        campaign_id: Some(id("fast")),
        presentation_id: Some(id("speed")),
        promises: vec![Promise {
            promise_id: id("next-day-1"),
            terms: PromiseTerms {
                benefit_id: id("next-day"),
                expectation: "back on the road tomorrow".to_owned(),
                expected_score: 6,
                importance: 100,
                due_at: Some(at(38)),
            },
        }],
        first_purchase: Some(FirstPurchase {
            amount: euros(40_000),
            contribution_margin: Some(euros(20_000)),
        }),
        currency: id("EUR"),
        consents: vec![Consent {
            purpose: "contact".to_owned(),
            status: ConsentStatus::Granted,
            at: at(8),
            evidence: "form 7".to_owned(),
        }],
    }
}

fn closing() -> Closing {
    Closing {
        reason: CloseReason::LostToCompetitor,
        competitor: Some("Acme".to_owned()),
    }
}

fn prospects() -> Vec<prospect::Event> {
    let touch = Touch {
        campaign: Some(acquisition_domain::id::CampaignName {
            proposition_id: id("van-repair"),
            campaign_id: id("fast"),
        }),
        presentation_id: Some(id("speed")),
        channel: "search".to_owned(),
        kind: TouchKind::Click,
        utm: Some(Utm {
            source: "engine".to_owned(),
            medium: "cpc".to_owned(),
            ..Utm::default()
        }),
    };
    let origin = Origin {
        kind: Kind::Organisation,
        source: "website".to_owned(),
        created_at: at(6),
    };
    let qualification = Qualification {
        proposition_id: id("van-repair"),
        problem_id: id("van-off-road"),
    };
    vec![
        prospect::Event::Created { origin },
        prospect::Event::TouchpointRecorded {
            touchpoint_id: id("click-1"),
            touchpoint: Touchpoint {
                touch,
                occurred_at: at(7),
            },
        },
        prospect::Event::Qualified {
            qualification,
            occurred_at: at(7),
        },
        prospect::Event::Converted {
            conversion: Box::new(conversion()),
            path: vec![id("click-1")],
            identities: vec![],
            display_name: None,
        },
        prospect::Event::Closed {
            closing: closing(),
            note: None,
            occurred_at: at(9),
        },
        identified(),
        prospect::Event::Reopened {
            occurred_at: at(10),
        },
        prospect::Event::Merged {
            into: OLDER,
            occurred_at: at(11),
        },
        absorbed(),
        prospect::Event::ConsentChanged {
            consent: conversion().consents.remove(0),
        },
        prospect::Event::Erased { erased_at: at(13) },
    ]
}

fn absorbed() -> prospect::Event {
    let touch = Touch {
        campaign: None,
        presentation_id: None,
        channel: "fair".to_owned(),
        kind: TouchKind::Meeting,
        utm: None,
    };
    prospect::Event::Absorbed {
        from: OLDER,
        part: 2,
        parts: 3,
        touches: vec![AbsorbedTouch {
            key: AbsorbedKey {
                from: OLDER,
                touchpoint_id: id("talk-1"),
            },
            touchpoint: Touchpoint {
                touch,
                occurred_at: at(5),
            },
        }],
        consents: conversion().consents,
        occurred_at: at(12),
    }
}

fn sealed(mark: u8) -> Sealed {
    Sealed {
        subject: format!("prospects/{PROSPECT}"),
        key_id: "key-1".to_owned(),
        nonce: [mark; 24],
        ciphertext: vec![mark; 3],
    }
}

fn identified() -> prospect::Event {
    let identity = |kind, mark| Identity {
        kind,
        value: sealed(mark),
    };
    prospect::Event::Identified {
        identities: vec![
            identity(IdentityKind::Email, 1),
            identity(IdentityKind::Phone, 2),
        ],
        display_name: Some(sealed(3)),
        occurred_at: at(7),
    }
}

/// The same kinds of events with what the first ones do not have.
fn fuller() -> Vec<prospect::Event> {
    let prospect::Event::Identified {
        identities,
        display_name,
        ..
    } = identified()
    else {
        unreachable!("it is one");
    };
    vec![
        prospect::Event::Converted {
            conversion: Box::new(conversion()),
            path: vec![],
            identities,
            display_name,
        },
        prospect::Event::Closed {
            closing: closing(),
            note: Some(sealed(4)),
            occurred_at: at(9),
        },
    ]
}

fn written() -> Vec<Event> {
    let van_repair = id("van-repair");
    let propositions = propositions();
    let of_propositions = propositions
        .iter()
        .map(|event| of_proposition(&van_repair, event));
    let prospects = prospects();
    of_propositions
        .chain(prospects.iter().map(|event| of_prospect(PROSPECT, event)))
        .collect()
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The stored bytes in hexadecimal, by kind and schema: `tests/golden/ProspectConverted.1.hex`.
fn stored() -> BTreeMap<String, String> {
    let files = fs::read_dir(golden())
        .unwrap()
        .map(|file| file.unwrap().path());
    files
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(&path).unwrap().trim().to_owned())
        })
        .collect()
}

/// Name and bytes, as [`stored`] has them.
fn shown(event: &Event, more: &str) -> (String, String) {
    assert!(event.public, "{}", event.kind);
    let kind = event.kind.strip_prefix(PACKAGE).unwrap();
    let digits = event.payload.iter().map(|byte| format!("{byte:02x}"));
    (format!("{kind}.{}{more}", event.schema), digits.collect())
}

#[test]
fn events_are_written_today_as_they_were_stored() {
    let mut today: BTreeMap<String, String> =
        written().iter().map(|event| shown(event, "")).collect();
    let fuller = fuller();
    let fuller = fuller.iter().map(|event| of_prospect(PROSPECT, event));
    today.extend(fuller.map(|event| shown(&event, ".fuller")));
    assert_eq!(today, stored());
}

#[test]
fn that_the_keys_are_destroyed_is_nobody_elses_business() {
    let event = prospect::Event::KeysDestroyed {
        destroyed_at: at(14),
    };
    let written = of_prospect(PROSPECT, &event);
    assert!(!written.public);
    assert_eq!(written.kind, "patron.journal.v1.KeysDestroyed");
    // As it was written by the first release that could erase.
    assert_eq!(
        *written.payload,
        [0x0a, 6, 0x08, 0x80, 0xca, 0xc6, 0xb8, 0x06]
    );
    assert_eq!(super::prospect(&written), Ok(event));
}

#[test]
fn every_event_is_read_as_it_was_written() {
    let van_repair = id("van-repair");
    for event in propositions() {
        let stored = of_proposition(&van_repair, &event);
        assert_eq!(super::proposition(&stored), Ok(event));
    }
    for event in prospects().into_iter().chain(fuller()) {
        assert_eq!(super::prospect(&of_prospect(PROSPECT, &event)), Ok(event));
    }
}

#[test]
fn a_kind_or_schema_of_a_newer_release_is_not_guessed_at() {
    for event in written() {
        let newer = Event {
            schema: event.schema + 1,
            ..event
        };
        assert!(super::proposition(&newer).is_err() && super::prospect(&newer).is_err());
    }
}
