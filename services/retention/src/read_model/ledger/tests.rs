//! Promises add up by benefit, in whatever order partitions are read.

use eventsourcing::Aggregate as _;
use proptest::prelude::*;
use retention_domain::promise::{NoteOverdue, State};
use retention_domain::{Command, Customer, Event};
use uuid::Uuid;

use super::{Line, OfBenefit, lines};
use crate::read_model::customers;
use crate::story::{
    LI, ROSA, broken, day, in_the_end, kept, lost, opened, overdue, parsed, promised, repaired,
    rows, waived,
};

fn ledger(events: &[(Uuid, Event)]) -> Vec<OfBenefit> {
    rows(events)
        .read(|rows| lines(rows, None, &in_the_end()))
        .unwrap()
}

fn only(events: &[(Uuid, Event)]) -> Line {
    let ledger = ledger(events);
    assert_eq!(ledger.len(), 1, "{ledger:?}");
    ledger[0].line
}

/// What happens to the promises of one customer.
fn history(customer: Uuid) -> Vec<(Uuid, Event)> {
    let events = [
        opened(100),
        promised("a", "next-day"),
        promised("b", "next-day"),
        promised("c", "next-day"),
        promised("d", "next-day"),
        kept("a", Some(7)),
        broken("a", None),
        repaired("a"),
        broken("b", Some(3)),
        waived("c"),
    ];
    events.into_iter().map(|event| (customer, event)).collect()
}

#[test]
fn a_promise_counts_where_it_stands_now() {
    let line = only(&history(ROSA));
    assert_eq!((line.made, line.open, line.kept, line.waived), (4, 1, 0, 1));
    assert_eq!((line.broken(), line.repaired), (2, 1));
    assert_eq!(line.kept_rate(), Some(0.0));
    assert_eq!((line.overdue, line.repaired_rate()), (0, Some(0.5)));
}

#[test]
fn a_promise_is_overdue_from_the_day_that_finds_it_so_until_it_is_assessed() {
    let mut events = vec![
        (ROSA, opened(100)),
        (ROSA, promised("a", "next-day")),
        (ROSA, promised("b", "next-day")),
        (ROSA, overdue("a", 131)),
    ];
    let line = only(&events);
    assert_eq!(
        (line.open, line.overdue, line.repaired_rate()),
        (2, 1, None)
    );
    events.push((ROSA, kept("a", None)));
    let line = only(&events);
    assert_eq!((line.open, line.overdue), (1, 0));
}

/// The same story is told of acquisition's scorecards in its `tests/it/staying.rs`.
#[test]
fn an_overdue_promise_is_open_and_none_is_found_overdue_while_its_customer_is_lost() {
    let mut events = vec![
        (ROSA, opened(100)),
        (LI, opened(100)),
        (ROSA, promised("a", "next-day")),
        (LI, promised("a", "next-day")),
        (LI, lost(110)),
    ];
    // What a day finds is what the domain finds: nothing of who is lost.
    let found = |events: &[(Uuid, Event)], customer| {
        let mut state = Customer::default();
        for (_, event) in events.iter().filter(|(id, _)| *id == customer) {
            state.evolve(event);
        }
        let note = Command::NoteOverdue(NoteOverdue {
            request_id: Uuid::from_u128(7),
            now: day(131),
        });
        let noted = state.decide(note).unwrap();
        let noted = noted.into_iter().map(move |event| (customer, event));
        noted.collect::<Vec<_>>()
    };
    let counts = |events: &[(Uuid, Event)]| {
        let line = only(events);
        (line.made, line.open, line.overdue, line.kept)
    };
    assert_eq!(counts(&events), (2, 2, 0, 0));
    assert_eq!(found(&events, LI), []);
    let noted = found(&events, ROSA);
    assert!(!noted.is_empty());
    events.extend(noted);
    assert_eq!(counts(&events), (2, 2, 1, 0));
    events.push((ROSA, kept("a", None)));
    assert_eq!(counts(&events), (2, 1, 0, 1));
}

#[test]
fn the_gap_is_of_the_last_score_and_stays_after_a_repair() {
    // 7 of 6, then broken without a score and repaired; 3 of 6.
    assert_eq!(only(&history(ROSA)).mean_gap(), Some(-1.0));
    let unscored = [
        (ROSA, opened(100)),
        (ROSA, promised("a", "b")),
        (ROSA, kept("a", None)),
    ];
    assert_eq!(only(&unscored).mean_gap(), None);
}

#[test]
fn a_rate_of_nothing_is_absent() {
    let line = only(&[(ROSA, opened(100)), (ROSA, promised("a", "b"))]);
    assert_eq!((line.kept_rate(), line.interval()), (None, None));
}

#[test]
fn one_line_a_benefit_and_one_proposition_if_it_is_asked_for() {
    let story = [
        (ROSA, opened(100)),
        (ROSA, promised("a", "x")),
        (ROSA, promised("b", "y")),
    ];
    let store = rows(&story);
    let of = |name: &str| {
        store
            .read(|rows| lines(rows, Some(&parsed(name)), &in_the_end()))
            .unwrap()
            .len()
    };
    assert_eq!(
        (of("propositions/van-repair"), of("propositions/van")),
        (2, 0)
    );
}

#[test]
fn what_was_told_adds_up_to_where_the_promises_stand() {
    let mut story = history(ROSA);
    story.push((ROSA, overdue("d", 131)));
    story.extend(history(LI));
    story.push((LI, kept("d", Some(5))));
    for told in 1..=story.len() {
        let store = rows(&story[..told]);
        let found = store.read(|rows| lines(rows, None, &in_the_end())).unwrap();
        let found = found
            .iter()
            .fold(Line::default(), |sum, of| sum.plus(of.line));
        let mut expected = Line::default();
        let customers = store.read(|rows| customers::list(rows, None, usize::MAX));
        for (_, state) in customers.unwrap() {
            expected.made += i64::try_from(state.promises.len()).unwrap();
            for promise in state.promises.values() {
                *match promise.state {
                    State::Open => &mut expected.open,
                    State::Kept => &mut expected.kept,
                    State::Broken => &mut expected.unrepaired,
                    State::Repaired => &mut expected.repaired,
                    State::Waived => &mut expected.waived,
                } += 1;
                expected.overdue += i64::from(promise.is_noted_overdue());
                expected.scored += i64::from(promise.score.is_some());
                expected.gaps += promise.score.map_or(0, |score| i64::from(score.gap));
            }
        }
        assert_eq!(found, expected, "after {told}");
    }
}

proptest! {
    #[test]
    fn two_partitions_make_the_same_rows_in_whatever_order(choices in prop::collection::vec(any::<bool>(), 20)) {
        let (mut one, mut other) = (history(ROSA).into_iter(), history(LI).into_iter());
        let mut mixed = Vec::new();
        for choice in choices {
            let (first, second) = if choice { (&mut one, &mut other) } else { (&mut other, &mut one) };
            mixed.extend(first.next().or_else(|| second.next()));
        }
        let apart: Vec<_> = history(ROSA).into_iter().chain(history(LI)).collect();
        prop_assert_eq!(rows(&mixed).digest(), rows(&apart).digest());
    }
}
