//! The acceptance rule on arbitrary histories.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use bytes::Bytes;
use eventsourcing::Time;
use journal::{AppendTo, Commit, Event, Placement, Reason, StreamId, Verdict, accept};
use proptest::prelude::*;
use uuid::Uuid;

/// A reader: the versions of the streams, and the ids of the commits it accepted.
#[derive(Debug, Default, Clone, PartialEq)]
struct Reader {
    versions: BTreeMap<StreamId, u64>,
    accepted: Vec<Uuid>,
    events: BTreeMap<StreamId, Vec<Bytes>>,
}

impl Reader {
    fn version(&self, stream: &StreamId) -> u64 {
        self.versions.get(stream).copied().unwrap_or(0)
    }

    fn judge(&self, commit: &Commit) -> Verdict {
        let version = |stream: &StreamId| Ok::<_, Infallible>(self.version(stream));
        accept(commit, 0, &Placement::new(1, 0), version).unwrap()
    }

    fn apply(&mut self, commit: &Commit) -> Verdict {
        let verdict = self.judge(commit);
        if verdict == Verdict::Accepted {
            self.accepted.push(commit.commit_id);
            for append in &commit.appends {
                self.versions
                    .insert(append.stream.clone(), append.version_after());
                let payloads = append.events.iter().map(|event| event.payload.clone());
                let events = self.events.entry(append.stream.clone()).or_default();
                events.extend(payloads);
            }
        }
        verdict
    }
}

fn stream(number: usize) -> StreamId {
    StreamId::new(format!("customers/{number}")).unwrap()
}

fn event(payload: impl Into<Bytes>) -> Event {
    Event {
        kind: "Happened".to_owned(),
        schema: 1,
        public: false,
        payload: payload.into(),
    }
}

fn commit(id: u128, appends: Vec<AppendTo>) -> Commit {
    Commit {
        commit_id: Uuid::from_u128(id),
        request_id: Uuid::from_u128(id),
        fingerprint: [0; 16],
        actor: "test".to_owned(),
        time: Time::EPOCH,
        trace_context: String::new(),
        appends,
    }
}

fn to(number: usize, expected_version: u64, events: usize) -> AppendTo {
    AppendTo {
        stream: stream(number),
        expected_version,
        events: (0..events).map(|index| event(index.to_string())).collect(),
    }
}

/// What one writer does: to which streams, how many events each, and how stale its view is.
#[derive(Debug, Clone)]
struct Attempt {
    appends: BTreeMap<usize, usize>,
    lag: usize,
    /// After how many further records the same record stands in the log again.
    again_after: Option<usize>,
}

fn attempts() -> impl Strategy<Value = Vec<Attempt>> {
    let appends = proptest::collection::btree_map(0_usize..4, 0_usize..3, 1..4);
    let attempt = (
        appends,
        0_usize..4,
        proptest::option::weighted(0.3, 0_usize..8),
    );
    let attempt = attempt.prop_map(|(appends, lag, again_after)| Attempt {
        appends,
        lag,
        again_after,
    });
    proptest::collection::vec(attempt, 1..40)
}

/// Writers that decide on what they see (perhaps late) and append; the log as it comes to stand.
fn history(attempts: &[Attempt]) -> Vec<Commit> {
    let mut log: Vec<Commit> = Vec::new();
    let mut again: BTreeMap<usize, Vec<Commit>> = BTreeMap::new();
    for (id, attempt) in attempts.iter().enumerate() {
        let mut seen = Reader::default();
        for record in &log[..log.len().saturating_sub(attempt.lag)] {
            let _verdict = seen.apply(record);
        }
        let appends = attempt.appends.iter();
        let appends = appends
            .map(|(number, events)| to(*number, seen.version(&stream(*number)), *events))
            .collect();
        let written = commit(id as u128, appends);
        log.push(written.clone());
        if let Some(after) = attempt.again_after {
            again.entry(log.len() + after).or_default().push(written);
        }
        let due: Vec<usize> = again.range(..=log.len()).map(|(at, _)| *at).collect();
        for at in due {
            log.extend(again.remove(&at).unwrap_or_default());
        }
    }
    log
}

proptest! {
    /// The version of a stream is the number of its accepted events, and each accepted commit went on
    /// exactly where the one before it ended.
    #[test]
    fn any_interleaving_of_writers_gives_dense_versions(attempts in attempts()) {
        let mut reader = Reader::default();
        for record in history(&attempts) {
            let before = reader.clone();
            if reader.apply(&record) == Verdict::Accepted {
                for append in &record.appends {
                    prop_assert_eq!(before.version(&append.stream), append.expected_version);
                }
            } else {
                prop_assert_eq!(&before, &reader);
            }
            for (stream, version) in &reader.versions {
                let events = reader.events.get(stream).map_or(0, Vec::len);
                prop_assert_eq!(*version, events as u64);
            }
        }
    }

    #[test]
    fn a_commit_is_accepted_once_however_often_it_stands_there(attempts in attempts()) {
        let mut reader = Reader::default();
        for record in history(&attempts) {
            let _verdict = reader.apply(&record);
        }
        let distinct: BTreeSet<_> = reader.accepted.iter().collect();
        prop_assert_eq!(distinct.len(), reader.accepted.len());
    }

    #[test]
    fn a_rejection_is_final(attempts in attempts()) {
        let mut reader = Reader::default();
        let mut rejected: Vec<Commit> = Vec::new();
        for record in history(&attempts) {
            if reader.apply(&record) != Verdict::Accepted {
                rejected.push(record);
            }
            for old in &rejected {
                prop_assert_ne!(reader.judge(old), Verdict::Accepted);
            }
        }
    }

    /// However the history is cut, whoever goes on from the versions at the cut comes to the same end.
    #[test]
    fn a_reader_that_resumes_agrees_with_one_that_never_stopped(attempts in attempts(), cut: prop::sample::Index) {
        let log = history(&attempts);
        let cut = cut.index(log.len() + 1);
        let mut through = Reader::default();
        let mut first = Reader::default();
        for record in &log {
            let _verdict = through.apply(record);
        }
        for record in &log[..cut] {
            let _verdict = first.apply(record);
        }
        let mut resumed = first.clone();
        for record in &log[cut..] {
            let _verdict = resumed.apply(record);
        }
        prop_assert_eq!(resumed, through);
    }
}

#[test]
fn a_writer_that_saw_everything_is_accepted_and_a_stale_one_is_not() {
    let mut reader = Reader::default();
    assert_eq!(
        reader.apply(&commit(1, vec![to(0, 0, 2)])),
        Verdict::Accepted
    );
    assert_eq!(
        reader.apply(&commit(2, vec![to(0, 2, 1)])),
        Verdict::Accepted
    );
    assert_eq!(
        reader.apply(&commit(3, vec![to(0, 2, 1)])),
        Verdict::Ignored(Reason::Version {
            stream: stream(0),
            expected: 2,
            found: 3
        })
    );
}

#[test]
fn a_guard_checks_a_version_and_changes_none() {
    let mut reader = Reader::default();
    assert_eq!(
        reader.apply(&commit(1, vec![to(0, 0, 1)])),
        Verdict::Accepted
    );
    let guarded = commit(2, vec![to(1, 0, 1), to(0, 1, 0)]);
    assert_eq!(reader.apply(&guarded), Verdict::Accepted);
    assert_eq!(
        (reader.version(&stream(0)), reader.version(&stream(1))),
        (1, 1)
    );

    let stale = commit(3, vec![to(1, 1, 1), to(0, 0, 0)]);
    assert!(matches!(
        reader.apply(&stale),
        Verdict::Ignored(Reason::Version { .. })
    ));
    assert_eq!(reader.version(&stream(1)), 1);
}

#[test]
fn a_commit_of_guards_alone_is_no_commit() {
    let reader = Reader::default();
    let ignored = Verdict::Ignored(Reason::NoEvent);
    assert_eq!(reader.judge(&commit(1, vec![to(0, 0, 0)])), ignored);
    assert_eq!(reader.judge(&commit(1, vec![])), ignored);
}

#[test]
fn a_stream_that_is_named_twice_spoils_the_commit() {
    let reader = Reader::default();
    assert_eq!(
        reader.judge(&commit(1, vec![to(0, 0, 1), to(0, 1, 1)])),
        Verdict::Ignored(Reason::StreamTwice(stream(0)))
    );
}

#[test]
fn a_stream_of_another_partition_spoils_the_commit() {
    let placement = Placement::new(12, 0);
    let there = StreamId::pinned("tick/2026-01-01", 3).unwrap();
    let appends = vec![AppendTo {
        stream: there.clone(),
        expected_version: 0,
        events: vec![event("x")],
    }];
    let commit = commit(1, appends);
    let judge =
        |partition| accept(&commit, partition, &placement, |_| Ok::<_, Infallible>(0)).unwrap();
    assert_eq!(judge(3), Verdict::Accepted);
    assert_eq!(
        judge(4),
        Verdict::Ignored(Reason::OtherPartition(there.clone()))
    );
}

#[test]
fn a_version_that_cannot_be_looked_up_is_the_readers_error() {
    let judged = accept(
        &commit(1, vec![to(0, 0, 1)]),
        0,
        &Placement::new(1, 0),
        |_| Err("the store is gone"),
    );
    assert_eq!(judged, Err("the store is gone"));
}
