//! Events are written and read as they were stored, for ever.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use eventsourcing::Sealed;
use retention_domain::Event;
use retention_domain::person::{Identity, IdentityKind, Who};
use uuid::Uuid;

use super::{PACKAGE, read, write};
use crate::story::{
    LI, ROSA, assigned, bought, broken, cancelled, completed, day, kept, lost, notice, opened,
    overdue, promised, proposed, recurring, repaired, reversed, risky, stays, waived, withdrew,
    won_back,
};

/// One event of every kind, each with all its fields.
fn samples() -> Vec<Event> {
    vec![
        opened(100),
        promised("next-day", "next-day"),
        bought("2026/INV#7", 40_000, 101),
        reversed("2026/INV#7", "credit-note-1", 10_000, 102),
        kept("next-day", Some(7)),
        broken("next-day", Some(3)),
        repaired("next-day"),
        waived("next-day"),
        lost(120),
        won_back(130),
        proposed("0b0e6f5e-7c55-4d0c-9f50-3f3ad5b3a2c1"),
        cancelled("0b0e6f5e-7c55-4d0c-9f50-3f3ad5b3a2c1"),
        notice(120, 150),
        stays(125),
        overdue("next-day", 131),
        risky(131),
        assigned("rosa", "EMEA/ES", 105),
        recurring(800, 500, 120),
        withdrew(140),
        completed("0b0e6f5e-7c55-4d0c-9f50-3f3ad5b3a2c1"),
        Event::Erased {
            erased_at: day(140),
        },
    ]
}

/// The same kinds of events with what the first ones do not have.
fn fuller() -> Vec<Event> {
    let mut events = vec![
        opened(100),
        kept("next-day", Some(7)),
        broken("next-day", Some(3)),
        waived("next-day"),
    ];
    for event in &mut events {
        if let Event::RelationshipOpened(opening) = event {
            opening.who = Who {
                identities: vec![Identity {
                    kind: IdentityKind::Email,
                    value: sealed(1),
                }],
                display_name: Some(sealed(2)),
            };
        } else if let Event::PromiseKept(it) | Event::PromiseBroken(it) = event {
            it.evidence = Some(sealed(3));
        } else if let Event::PromiseWaived { note, .. } = event {
            *note = Some(sealed(4));
        }
    }
    events
}

fn sealed(mark: u8) -> Sealed {
    Sealed {
        subject: format!("persons/{ROSA}"),
        key_id: "0102030405060708".to_owned(),
        nonce: [mark; 24],
        ciphertext: vec![mark; 3],
    }
}

/// All samples, each with the ending of its golden.
fn named() -> Vec<(Event, &'static str)> {
    let samples = samples().into_iter().map(|event| (event, ".1"));
    let fuller = fuller().into_iter().map(|event| (event, ".1.fuller"));
    samples.chain(fuller).collect()
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<char> = hex.chars().filter(|digit| !digit.is_whitespace()).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// The stored bytes, by kind and schema: `tests/golden/PromiseKept.1.hex`.
fn stored() -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(golden())
        .unwrap()
        .map(|file| file.unwrap().path());
    files
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, bytes(&fs::read_to_string(&path).unwrap()))
        })
        .collect()
}

#[test]
fn events_are_written_today_as_they_were_stored() {
    let written: BTreeMap<String, String> = named()
        .iter()
        .map(|(event, ending)| {
            let written = write(ROSA, event);
            assert!(written.public, "{}", written.kind);
            let kind = written.kind.strip_prefix(PACKAGE).unwrap();
            (format!("{kind}{ending}"), hex(&written.payload))
        })
        .collect();
    let stored: BTreeMap<String, String> = stored()
        .into_iter()
        .map(|(name, payload)| (name, hex(&payload)))
        .collect();
    assert_eq!(written, stored);
}

#[test]
fn every_stored_event_means_what_it_meant() {
    let stored = stored();
    for (event, ending) in named() {
        let mut written = write(ROSA, &event);
        let kind = written.kind.strip_prefix(PACKAGE).unwrap();
        let name = format!("{kind}{ending}");
        written.payload = stored[&name].clone().into();
        assert_eq!(read(ROSA, &written), Ok(event), "{name}");
    }
}

#[test]
fn what_this_release_does_not_know_is_not_guessed() {
    for event in samples() {
        let written = write(ROSA, &event);
        let newer = journal::Event {
            schema: 2,
            ..written.clone()
        };
        assert!(read(ROSA, &newer).is_err(), "{}", written.kind);
        let other = journal::Event {
            kind: format!("{}Again", written.kind),
            ..written.clone()
        };
        assert!(read(ROSA, &other).is_err(), "{}", written.kind);
        let nothing = journal::Event {
            payload: Vec::new().into(),
            ..written.clone()
        };
        assert!(read(ROSA, &nothing).is_err(), "{}", written.kind);
        let torn = journal::Event {
            payload: written.payload.slice(1..),
            ..written
        };
        assert!(read(ROSA, &torn).is_err(), "{}", torn.kind);
    }
}

#[test]
fn an_event_of_another_customer_is_refused() {
    for event in samples() {
        let written = write(LI, &event);
        assert!(read(ROSA, &written).is_err(), "{}", written.kind);
        assert!(read(Uuid::nil(), &written).is_err(), "{}", written.kind);
    }
}
