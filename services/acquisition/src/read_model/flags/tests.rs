//! After a flag is cleared only promises assessed later count.

use acquisition_domain::id::{PresentationId, PropositionId};
use acquisition_domain::presentation::{self, Cause, Pitch};
use acquisition_domain::promise::Claim;
use acquisition_domain::proposition::{Benefit, Content, Event, Level, Nature, Problem};
use eventsourcing::Time;
use read_model::Store;
use runtime::Recorded;
use uuid::Uuid;

use super::{Counts, apply, assessed, counts, due};
use crate::read_model::customers::{Fate, Promise, Verdict};
use crate::read_model::propositions;

const PROPOSITION: &str = "van-repair";
const PRESENTATION: &str = "speed";

/// A proposition with one problem and one benefit.
pub(crate) fn content() -> Content {
    Content {
        display_name: "Van repair".to_owned(),
        problems: vec![Problem {
            problem_id: "van-off-road".parse().unwrap(),
            statement: "the van is off the road".to_owned(),
        }],
        benefits: vec![Benefit {
            benefit_id: "next-day".parse().unwrap(),
            statement: "back on the road tomorrow".to_owned(),
            nature: Nature::Intangible,
            level: Level::Augmented,
            dimension: None,
            problem_ids: vec![],
        }],
        differentiators: vec![],
    }
}

/// A presentation that claims the benefit.
pub(crate) fn pitch() -> Pitch {
    Pitch {
        channel: "radio".to_owned(),
        message: "we are fast".to_owned(),
        claims: vec![Claim {
            benefit_id: "next-day".parse().unwrap(),
            expectation: "tomorrow".to_owned(),
            expected_score: 6,
            importance: 100,
            due_days: None,
        }],
    }
}

fn proposition() -> PropositionId {
    PROPOSITION.parse().unwrap()
}

fn shown() -> PresentationId {
    PRESENTATION.parse().unwrap()
}

fn happen(store: &Store, event: &Event) {
    let mut tx = store.begin().unwrap();
    propositions::apply(&mut tx, &proposition(), event).unwrap();
    if let Event::Presentation(event) = event {
        apply(&mut tx, &proposition(), event).unwrap();
    }
    store.commit(tx).unwrap();
}

fn flagged(on: i64) -> Event {
    Event::Presentation(presentation::Event::Flagged {
        presentation_id: shown(),
        cause: Cause::ByHand {
            note: String::new(),
        },
        occurred_at: Time::from_days(on),
    })
}

fn cleared(on: i64) -> Event {
    Event::Presentation(presentation::Event::FlagCleared {
        presentation_id: shown(),
        note: "we have more vans now".to_owned(),
        occurred_at: Time::from_days(on),
    })
}

/// The promise to a customer was assessed.
fn judge(store: &Store, customer: u128, on: i64, fate: Fate) {
    let recorded = Recorded {
        partition: 0,
        offset: 0,
        at: Time::EPOCH,
    };
    let promise = Promise {
        recorded,
        made_at: Time::EPOCH,
        overdue: None,
        proposition_id: Some(proposition()),
        presentation_id: Some(shown()),
        benefit_id: "next-day".parse().unwrap(),
        verdicts: vec![Verdict {
            recorded,
            at: Time::from_days(on),
            fate,
        }],
    };
    let mut tx = store.begin().unwrap();
    assessed(&mut tx, Uuid::from_u128(customer), "next-day", &promise).unwrap();
    store.commit(tx).unwrap();
}

fn counted(store: &Store) -> (u32, u32) {
    let key = (PROPOSITION.to_owned(), PRESENTATION.to_owned());
    let Counts { kept, broken } = store.read(|rows| counts(rows, &key)).unwrap();
    (kept, broken)
}

fn is_due(store: &Store) -> bool {
    !store.read(|rows| due(rows, 9)).unwrap().is_empty()
}

/// One kept and three broken on day 10, flagged on day 11.
fn flagged_story() -> Store {
    let store = Store::in_memory();
    happen(
        &store,
        &Event::Drafted {
            content: content(),
            occurred_at: Time::EPOCH,
        },
    );
    let added = presentation::Event::Added {
        presentation_id: shown(),
        pitch: pitch(),
        occurred_at: Time::EPOCH,
    };
    happen(&store, &Event::Presentation(added));
    judge(&store, 1, 10, Fate::Kept);
    for customer in 2..=4 {
        assert!(!is_due(&store));
        judge(&store, customer, 10, Fate::Broken);
    }
    assert!(is_due(&store));
    assert_eq!(counted(&store), (1, 3));
    happen(&store, &flagged(11));
    assert!(!is_due(&store));
    store
}

#[test]
fn what_was_assessed_before_a_flag_was_cleared_counts_no_more() {
    let store = flagged_story();
    happen(&store, &cleared(20));
    assert_eq!((counted(&store), is_due(&store)), ((0, 0), false));
    // Told after the clearing, of the days up to it: no more than the rest.
    judge(&store, 5, 19, Fate::Broken);
    judge(&store, 6, 20, Fate::Broken);
    assert_eq!(counted(&store), (0, 0));
    for customer in 7..=10 {
        assert!(!is_due(&store));
        judge(&store, customer, 21, Fate::Broken);
    }
    assert_eq!((counted(&store), is_due(&store)), ((0, 4), true));
}

#[test]
fn what_was_assessed_later_counts_whether_it_is_told_before_or_after_the_clearing() {
    let store = flagged_story();
    judge(&store, 5, 21, Fate::Broken);
    // A promise that was kept before and is broken after it, too.
    judge(&store, 1, 22, Fate::Broken);
    assert_eq!(counted(&store), (0, 5));
    happen(&store, &cleared(20));
    assert_eq!(counted(&store), (0, 2));
}
