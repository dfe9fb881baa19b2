//! The acceptance rule: the one place that decides whether a commit stands.
//!
//! Every reader applies it to every record, in the order of the partition. It looks at streams and versions
//! and never into an event, so instances of different releases cannot disagree. Versions only grow, so what
//! is ignored once would be ignored for ever: a late or doubled commit is harmless.

use crate::{Commit, Partition, Placement, StreamId};

/// What the rule says of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It stands: each stream's version grows by its events.
    Accepted,
    /// Everybody ignores it, for ever.
    Ignored(Ignored),
}

/// Why a commit is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// It has no event, a stream twice, or a stream of another partition.
    IllFormed,
    /// A stream has moved since the writer looked.
    Conflict,
}

/// Whether `commit`, read in `partition`, stands. `version` tells each stream's version before it; it is
/// asked once for each append, in order.
pub fn accept(
    commit: &Commit,
    partition: Partition,
    placement: &Placement,
    mut version: impl FnMut(&StreamId) -> u64,
) -> Verdict {
    if !is_well_formed(commit, partition, placement) {
        return Verdict::Ignored(Ignored::IllFormed);
    }
    for append in &commit.appends {
        if version(&append.stream) != append.expected_version {
            return Verdict::Ignored(Ignored::Conflict);
        }
    }
    Verdict::Accepted
}

fn is_well_formed(commit: &Commit, partition: Partition, placement: &Placement) -> bool {
    let mut streams: Vec<&StreamId> = commit.appends.iter().map(|append| &append.stream).collect();
    streams.sort_unstable();
    let twice = streams
        .windows(2)
        .any(|pair| matches!(pair, [one, other] if one == other));
    let here = streams
        .iter()
        .all(|stream| placement.partition_of(stream) == partition);
    let empty = commit.appends.iter().all(|append| append.events.is_empty());
    here && !twice && !empty
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bytes::Bytes;
    use eventsourcing::Time;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::{Ignored, Verdict, accept};
    use crate::{AppendTo, Commit, Event, Placement, StreamId};

    const PLACEMENT: Placement = Placement::new(1, 0);

    fn commit(appends: &[(&str, u64, usize)]) -> Commit {
        let event = || Event {
            kind: "e".to_owned(),
            schema: 1,
            public: false,
            payload: Bytes::new(),
        };
        Commit {
            commit_id: Uuid::nil(),
            request_id: Uuid::nil(),
            fingerprint: [0; 16],
            actor: String::new(),
            time: Time::EPOCH,
            trace_context: String::new(),
            appends: appends
                .iter()
                .map(|(stream, expected_version, events)| AppendTo {
                    stream: StreamId::new(stream).unwrap(),
                    expected_version: *expected_version,
                    events: (0..*events).map(|_| event()).collect(),
                })
                .collect(),
        }
    }

    /// Applies the rule as every reader does.
    fn judge(versions: &mut BTreeMap<String, u64>, commit: &Commit) -> Verdict {
        let verdict = accept(commit, 0, &PLACEMENT, |stream| {
            versions.get(stream.as_str()).copied().unwrap_or(0)
        });
        if verdict == Verdict::Accepted {
            for append in &commit.appends {
                *versions.entry(append.stream.to_string()).or_default() +=
                    append.events.len() as u64;
            }
        }
        verdict
    }

    #[test]
    fn a_commit_stands_if_every_stream_is_where_the_writer_saw_it() {
        let mut versions = BTreeMap::new();
        assert_eq!(
            judge(&mut versions, &commit(&[("x/a", 0, 2), ("x/b", 0, 0)])),
            Verdict::Accepted
        );
        assert_eq!(versions["x/a"], 2);
        let conflict = Verdict::Ignored(Ignored::Conflict);
        assert_eq!(judge(&mut versions, &commit(&[("x/a", 1, 1)])), conflict);
        assert_eq!(
            judge(&mut versions, &commit(&[("x/b", 0, 1), ("x/a", 1, 0)])),
            conflict,
            "a guard"
        );
        assert_eq!(
            judge(&mut versions, &commit(&[("x/b", 0, 1), ("x/a", 2, 0)])),
            Verdict::Accepted
        );
    }

    #[test]
    fn a_doubled_commit_stands_once() {
        let mut versions = BTreeMap::new();
        let once = commit(&[("x/a", 0, 1)]);
        assert_eq!(judge(&mut versions, &once), Verdict::Accepted);
        assert_eq!(
            judge(&mut versions, &once),
            Verdict::Ignored(Ignored::Conflict)
        );
    }

    #[test]
    fn an_ill_formed_commit_is_ignored_by_everybody() {
        let ill = Verdict::Ignored(Ignored::IllFormed);
        let mut versions = BTreeMap::new();
        assert_eq!(judge(&mut versions, &commit(&[])), ill);
        assert_eq!(
            judge(&mut versions, &commit(&[("x/a", 0, 0)])),
            ill,
            "nothing happened"
        );
        assert_eq!(
            judge(&mut versions, &commit(&[("x/a", 0, 1), ("x/a", 1, 1)])),
            ill,
            "twice"
        );
        let elsewhere = commit(&[("inbox/t/~3", 0, 1)]);
        assert_eq!(judge(&mut versions, &elsewhere), ill, "another partition");
    }

    proptest! {
        /// Whatever order racing writers get through in: versions are dense, each version of a stream is
        /// written once, and a commit that was ignored stays ignored.
        #[test]
        fn racing_writers_leave_dense_versions(
            writes in prop::collection::vec((0_usize..3, 0_u64..6, 1_usize..3), 1..60),
        ) {
            let names = ["x/a", "x/b", "x/c"];
            let mut versions = BTreeMap::new();
            let mut written: BTreeMap<(usize, u64), usize> = BTreeMap::new();
            let mut ignored: Vec<Commit> = Vec::new();
            for (stream, expected, events) in writes {
                let one = commit(&[(names[stream], expected, events)]);
                if judge(&mut versions, &one) == Verdict::Accepted {
                    for version in expected..expected + events as u64 {
                        *written.entry((stream, version)).or_default() += 1;
                    }
                } else if versions.get(names[stream]).is_some_and(|now| *now > expected) {
                    ignored.push(one);
                }
                for late in &ignored {
                    prop_assert_ne!(judge(&mut versions.clone(), late), Verdict::Accepted);
                }
            }
            for (stream, name) in names.iter().enumerate() {
                for version in 0..versions.get(*name).copied().unwrap_or(0) {
                    prop_assert_eq!(written.get(&(stream, version)), Some(&1));
                }
            }
        }
    }
}
