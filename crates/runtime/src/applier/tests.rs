//! Whatever the batches, the rows are the same; and request ids are remembered as long as they must be.

use std::sync::Arc;

use eventsourcing::Time;
use journal::{AppendTo, Commit, Event, Offset, Placement, Record, Stored, StreamId};
use proptest::prelude::*;
use read_model::{Digest, RowsMut, Store, Table};
use uuid::Uuid;

use super::Applier;
use crate::progress::Progress;
use crate::recent::Recent;
use crate::rows::{EXPIRIES, IGNORED, PositionRow, REQUESTS, VERSIONS};
use crate::tailer::Feed;
use crate::waiters::Waiters;
use crate::{ApplyError, Fact, Foreign, Receipt, Service, Work};

const COUNTS: Table<String, u64> = Table::new("counts");
const PARTITIONS: u32 = 2;

/// Counts the events of each stream.
#[derive(Debug)]
struct Counting;

impl Service for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }

    fn schema(&self) -> u32 {
        1
    }

    fn apply(&self, rows: &mut dyn RowsMut, fact: &Fact<'_>) -> Result<(), ApplyError> {
        let stream = fact.stream.to_string();
        let count = COUNTS.get(rows, &stream)?.unwrap_or(0);
        Ok(COUNTS.put(rows, &stream, &(count + 1))?)
    }

    fn receive(&self, _: &mut Work<'_>, _: &Foreign) -> Result<Receipt, ApplyError> {
        Ok(Receipt::Skipped)
    }
}

fn applier() -> Applier<Counting> {
    Applier {
        service: Arc::new(Counting),
        store: Store::in_memory(),
        placement: Placement::new(PARTITIONS, 0),
        positions: vec![PositionRow::default(); PARTITIONS as usize],
        progress: Progress::at(vec![0; PARTITIONS as usize]),
        recent: Recent::at([], 0),
        waiters: Arc::new(Waiters::default()),
    }
}

fn stream(partition: u32, number: u8) -> StreamId {
    StreamId::pinned(format!("things/{number}"), partition).unwrap()
}

/// A commit that appends `events` to one stream and rests on another.
fn commit(id: u128, partition: u32, (number, expected, events): (u8, u64, usize)) -> Commit {
    let event = Event {
        kind: "test.Happened".to_owned(),
        schema: 1,
        public: true,
        payload: Vec::new().into(),
    };
    let append = |number, expected_version, events| AppendTo {
        stream: stream(partition, number),
        expected_version,
        events: vec![event.clone(); events],
    };
    Commit {
        commit_id: Uuid::from_u128(id),
        request_id: Uuid::from_u128(id),
        fingerprint: [0; 16],
        actor: "tests".to_owned(),
        time: Time::EPOCH,
        trace_context: String::new(),
        appends: vec![
            append(number, expected, events),
            append(number + 1, expected, 0),
        ],
    }
}

fn stored(offset: Offset, time: Time, commit: &Commit) -> Stored {
    Stored {
        offset,
        time,
        record: Record::value(journal::encode_commit(commit)),
    }
}

/// Records of one partition: commits of which some are accepted, and some are written twice.
fn history(partition: u32) -> impl Strategy<Value = Vec<Stored>> {
    let attempt = (0_u8..3, 0_u64..4, 0_usize..3, 0_i64..50);
    prop::collection::vec((attempt, any::<bool>()), 1..40).prop_map(move |attempts| {
        let mut records = Vec::new();
        for (id, ((number, expected, events, day), doubled)) in (0_u128..).zip(attempts) {
            let commit = commit(id, partition, (number, expected, events));
            for _ in 0..=usize::from(doubled) {
                let offset = records.len() as u64;
                records.push(stored(offset, Time::from_days(day), &commit));
            }
        }
        records
    })
}

fn folded(histories: &[Vec<Stored>], cuts: &[usize]) -> Digest {
    let mut applier = applier();
    let mut rest: Vec<&[Stored]> = histories.iter().map(Vec::as_slice).collect();
    let mut cuts = cuts.iter().cycle();
    while rest.iter().any(|rest| !rest.is_empty()) {
        let mut feeds = Vec::new();
        for (partition, rest) in (0..).zip(&mut rest) {
            let cut = (*cuts.next().unwrap()).min(rest.len());
            let (now, later) = rest.split_at(cut);
            *rest = later;
            if !now.is_empty() {
                let records = now.to_vec();
                feeds.push(Feed { partition, records });
            }
        }
        applier.step(&feeds).unwrap();
    }
    applier.store.digest()
}

proptest! {
    #[test]
    fn any_cut_into_batches_gives_the_same_rows(
        histories in (history(0), history(1)),
        cuts in prop::collection::vec(0_usize..9, 3..8),
    ) {
        prop_assume!(cuts.iter().any(|cut| *cut > 0) && cuts.len() % 2 == 1);
        let histories = [histories.0, histories.1];
        prop_assert_eq!(folded(&histories, &[1]), folded(&histories, &cuts));
        prop_assert_eq!(folded(&histories, &[1]), folded(&histories, &[usize::MAX]));
    }
}

#[test]
fn an_ignored_record_leaves_a_mark_and_nothing_else() {
    let mut applier = applier();
    let records = vec![
        stored(0, Time::EPOCH, &commit(1, 0, (0, 0, 2))),
        stored(1, Time::EPOCH, &commit(2, 0, (0, 0, 1))),
    ];
    applier
        .step(&[Feed {
            partition: 0,
            records,
        }])
        .unwrap();
    applier
        .store
        .read(|rows| -> Result<(), read_model::Error> {
            let name = stream(0, 0).to_string();
            assert_eq!(VERSIONS.get(rows, &name)?, Some(2));
            assert_eq!(COUNTS.get(rows, &name)?, Some(2));
            assert!(!IGNORED.contains(rows, &(0, 0))? && IGNORED.contains(rows, &(0, 1))?);
            assert_eq!(REQUESTS.scan(rows, &(), None, 9)?.len(), 1);
            Ok(())
        })
        .unwrap();
    let position = applier.positions.first().unwrap();
    assert_eq!((position.accepted, position.published), (1, 2));
}

#[test]
fn request_ids_are_cleared_away_when_their_time_is_over() {
    let mut applier = applier();
    for day in 0..128_i64 {
        let offset = u64::try_from(day).unwrap();
        let commit = commit(u128::from(offset), 0, (0, offset, 1));
        let mut commit = commit;
        commit.appends.truncate(1);
        let records = vec![stored(offset, Time::from_days(day), &commit)];
        applier
            .step(&[Feed {
                partition: 0,
                records,
            }])
            .unwrap();
    }
    let kept = applier
        .store
        .read(|rows| -> Result<_, read_model::Error> {
            let requests = REQUESTS.scan(rows, &(), None, 1_000)?.len();
            Ok((requests, EXPIRIES.scan(rows, &(), None, 1_000)?.len()))
        })
        .unwrap();
    assert_eq!(kept, (31, 31));
}

#[test]
fn a_gap_in_the_offsets_ends_the_fold() {
    let mut applier = applier();
    let records = vec![stored(1, Time::EPOCH, &commit(1, 0, (0, 0, 1)))];
    let feed = Feed {
        partition: 0,
        records,
    };
    let error = applier.step(&[feed]).unwrap_err();
    assert!(error.to_string().contains("history is missing"), "{error}");
}
