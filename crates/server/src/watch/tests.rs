//! A watcher sees everything once, wherever it goes on.

use std::collections::VecDeque;

use bytes::Bytes;
use eventsourcing::Time;
use futures::stream;
use journal::{AppendTo, Commit, Event, Offset, Partition, Position, StreamId};
use runtime::Accepted;
use uuid::Uuid;

use super::{Place, Watcher, Watchers, Watching};

fn watcher(place: Place) -> Watcher {
    Watcher {
        merged: stream::select_all([]),
        place,
        watching: Watching::default(),
        waiting: VecDeque::new(),
        _taken: Watchers::new(1).enter().unwrap(),
    }
}

fn accepted(partition: Partition, offset: Offset, events: usize) -> Accepted {
    let event = Event {
        kind: "patron.toy.v1.Happened".to_owned(),
        schema: 1,
        public: true,
        payload: Bytes::new(),
    };
    let commit = Commit {
        commit_id: Uuid::from_u64_pair(partition.into(), offset),
        request_id: Uuid::from_u128(1),
        fingerprint: [0; 16],
        actor: String::new(),
        time: Time::default(),
        trace_context: String::new(),
        appends: vec![AppendTo {
            stream: StreamId::new("toys/one").unwrap(),
            expected_version: 0,
            events: vec![event; events],
        }],
    };
    Accepted {
        partition,
        offset,
        time: Time::default(),
        recorded_at: Time::from_days(1),
        commit,
    }
}

fn place() -> Place {
    let journal = Uuid::from_u128(7);
    let offsets = vec![5; 3];
    Place::at(Position { journal, offsets }, vec![Time::default(); 3])
}

fn ids(watcher: &mut Watcher, commit: &Accepted) -> Vec<(String, String)> {
    watcher.take(commit);
    let events = watcher.waiting.drain(..);
    events
        .map(|event| (event.event_id, event.resume_token))
        .collect()
}

#[test]
fn an_event_inside_a_commit_is_not_repeated_when_another_partition_comes_first() {
    let (long, newer, newest) = (accepted(2, 5, 3), accepted(0, 5, 2), accepted(0, 6, 1));
    let all = ids(&mut watcher(place()), &long);
    let resumed = Place::read(&all[0].1).unwrap();

    // One stream after the resume: the rest of the commit, and nothing twice.
    let mut again = watcher(resumed.clone());
    assert_eq!(ids(&mut again, &newer).len(), 2);
    let rest: Vec<_> = ids(&mut again, &long)
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    assert_eq!(rest, [all[1].0.clone(), all[2].0.clone()]);

    // A token of the commit that came in between knows of both places.
    let mut again = watcher(resumed);
    let between = ids(&mut again, &newer);
    let mut third = watcher(Place::read(&between[0].1).unwrap());
    assert_eq!(ids(&mut third, &long).len(), 2);
    let left = ids(&mut third, &newer);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].0, between[1].0);
    // What was seen of one commit says nothing of the next.
    assert_eq!(ids(&mut third, &newest).len(), 1);
}

#[test]
fn a_place_is_taken_as_long_as_somebody_watches() {
    let watchers = Watchers::new(1);
    let taken = watchers.enter().unwrap();
    let refused = watchers.clone().enter().unwrap_err();
    assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
    assert!(refused.message().contains("end a watch"), "{refused}");
    drop(taken);
    assert!(watchers.enter().is_ok());
}
