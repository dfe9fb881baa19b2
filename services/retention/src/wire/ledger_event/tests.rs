//! Events are written and read as they were stored, for ever.

use std::fs;
use std::path::Path;

use money::{Currency, Rate};
use retention_domain::ledger::statement::{Counts, Lines};
use retention_domain::ledger::{Assumptions, Closed, Event, Figures, Memo, Method};

use super::{PACKAGE, read, write};
use crate::story::model::model;
use crate::story::{day, parsed};

fn euros() -> Currency {
    parsed("EUR")
}

/// One event of every kind, each with all its fields.
fn samples() -> Vec<Event> {
    let assumptions = Assumptions {
        method: Method::Simple,
        annual_discount_rate: Rate::per_mille(200),
        annual_retention_rate: Rate::per_mille(800),
        default_margin_rate: Rate::per_mille(450),
        horizon_months: 24,
        inactivity_days: Some(400),
    };
    let closed = Closed {
        statement_id: parsed("2026-q2"),
        closed_at: day(300),
        start: day(100),
        end: day(191),
        figures: Figures {
            counts: Counts {
                opening: 3,
                created: 1,
                won_back: 1,
                lost: 1,
                closing: 4,
            },
            lines: Lines {
                opening: 120_000,
                created: 30_000,
                won_back: 30_000,
                grown: 15_000,
                eroded: -7_500,
                lost: -30_000,
                remeasured: 52_500,
                closing: 210_000,
            },
            memo: Memo {
                acquisition_spend: 100_000,
                realised_margin: 45_000,
                under_notice: 12_345,
            },
        },
        assumptions,
        model: None,
        cut: [(0, 17), (1, 0), (11, 300)].into_iter().collect(),
        algorithm: 1,
        movements_digest: std::array::from_fn(|i| u8::try_from(i).unwrap()),
    };
    vec![
        Event::AssumptionsSet {
            assumptions,
            set_at: day(200),
        },
        Event::PeriodClosed(Box::new(closed)),
        Event::ModelFitted(Box::new(model(2))),
    ]
}

/// Events with parts that their first releases did not know, or without some that may be missing.
fn others() -> Vec<(&'static str, Event)> {
    let closed = samples().into_iter().find_map(|event| match event {
        Event::PeriodClosed(closed) => Some(*closed),
        Event::AssumptionsSet { .. } | Event::ModelFitted(_) => None,
    });
    let by_model = Closed {
        model: Some(2),
        ..closed.unwrap()
    };
    let mut unchecked = model(1);
    unchecked.fitted.other = Err("AT_BOUNDARY".to_owned());
    unchecked.fitted.holdout = Err("NOT_ENOUGH_DATA".to_owned());
    unchecked.fitted.spend.spearman = None;
    unchecked.fitted.flags = vec![];
    vec![
        (
            "PeriodClosed.1.by-model",
            Event::PeriodClosed(Box::new(by_model)),
        ),
        (
            "ModelFitted.1.unchecked",
            Event::ModelFitted(Box::new(unchecked)),
        ),
    ]
}

/// The stored bytes, as `tests/golden/ledgers/PeriodClosed.1.hex` has them.
fn stored(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/ledgers");
    let text = fs::read_to_string(folder.join(format!("{name}.hex")));
    text.unwrap_or_else(|error| panic!("{name}: {error}"))
        .trim()
        .to_owned()
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<char> = hex.chars().collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

#[test]
fn events_are_written_today_and_read_as_they_were_stored() {
    for event in samples() {
        let mut written = write(euros(), &event);
        assert!(written.public, "{}", written.kind);
        let kind = written.kind.strip_prefix(PACKAGE).unwrap();
        let stored = stored(&format!("{kind}.{}", written.schema));
        assert_eq!(hex(&written.payload), stored, "{}", written.kind);
        written.payload = bytes(&stored).into();
        assert_eq!(read(euros(), &written), Ok(event), "{}", written.kind);
    }
}

#[test]
fn parts_that_came_later_or_may_be_missing_are_stored_and_read_too() {
    for (name, event) in others() {
        let mut written = write(euros(), &event);
        let stored = stored(name);
        assert_eq!(hex(&written.payload), stored, "{name}");
        written.payload = bytes(&stored).into();
        assert_eq!(read(euros(), &written), Ok(event), "{name}");
    }
}

#[test]
fn a_model_that_could_not_be_one_is_not_read() {
    let mut wrong = model(1);
    wrong.fitted.spend.parameters.q = 1.0;
    assert!(
        read(
            euros(),
            &write(euros(), &Event::ModelFitted(Box::new(wrong)))
        )
        .is_err()
    );
    let mut silent = model(1);
    silent.fitted.holdout = Err(String::new());
    assert!(
        read(
            euros(),
            &write(euros(), &Event::ModelFitted(Box::new(silent)))
        )
        .is_err()
    );
}

#[test]
fn what_this_release_does_not_know_is_not_guessed() {
    for event in samples() {
        let written = write(euros(), &event);
        let newer = journal::Event {
            schema: 2,
            ..written.clone()
        };
        assert!(read(euros(), &newer).is_err(), "{}", written.kind);
        let nothing = journal::Event {
            payload: Vec::new().into(),
            ..written.clone()
        };
        assert!(read(euros(), &nothing).is_err(), "{}", written.kind);
        let torn = journal::Event {
            payload: written.payload.slice(1..),
            ..written
        };
        assert!(read(euros(), &torn).is_err(), "{}", torn.kind);
    }
}

#[test]
fn an_event_of_another_ledger_is_refused() {
    for event in samples() {
        let written = write(parsed("USD"), &event);
        assert!(read(euros(), &written).is_err(), "{}", written.kind);
    }
}
