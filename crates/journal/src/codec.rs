//! The bytes of what stands in a journal: four that say whose they are, then protobuf.

use bytes::{Bytes, BytesMut};
use eventsourcing::Time;
use patron_proto::journal::v1 as proto;
use prost::Message as _;
use prost_types::Timestamp;
use uuid::Uuid;

use crate::commit::FORMAT;
use crate::{AppendTo, Commit, Decoded, Entry, Event, Genesis, StreamId};

/// What every record of a journal begins with.
const MAGIC: &[u8; 4] = b"PTRN";

/// The bytes of a commit.
pub fn encode_commit(commit: &Commit) -> Bytes {
    let appends = commit.appends.iter();
    encode(proto::record::Body::Commit(proto::Commit {
        commit_id: Bytes::copy_from_slice(commit.commit_id.as_bytes()),
        request_id: Bytes::copy_from_slice(commit.request_id.as_bytes()),
        fingerprint: Bytes::copy_from_slice(&commit.fingerprint),
        actor: commit.actor.clone(),
        time: Some(timestamp(commit.time)),
        trace_context: commit.trace_context.clone(),
        appends: appends
            .map(|append| proto::Append {
                stream: append.stream.to_string(),
                expected_version: append.expected_version,
                events: append.events.iter().map(event_out).collect(),
            })
            .collect(),
    }))
}

/// The bytes of a genesis.
pub fn encode_genesis(genesis: &Genesis) -> Bytes {
    encode(proto::record::Body::Genesis(proto::Genesis {
        cluster_uuid: genesis.cluster_uuid.to_string(),
        partitions: genesis.partitions,
        hash: genesis.hash.clone(),
        seed: genesis.seed,
        format: genesis.format,
    }))
}

fn encode(body: proto::record::Body) -> Bytes {
    let record = proto::Record {
        format: FORMAT,
        body: Some(body),
    };
    let mut bytes = BytesMut::with_capacity(MAGIC.len() + record.encoded_len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&record.encode_to_vec());
    bytes.freeze()
}

/// What a record is.
pub fn decode(bytes: &Bytes) -> Decoded {
    if !bytes.starts_with(MAGIC) {
        return Decoded::Stray;
    }
    let record = match proto::Record::decode(bytes.slice(MAGIC.len()..)) {
        Ok(record) => record,
        Err(error) => return Decoded::Malformed(error.to_string()),
    };
    if record.format > FORMAT {
        return Decoded::UnknownFormat(record.format);
    }
    let entry = match record.body {
        Some(proto::record::Body::Commit(commit)) => commit_in(commit).map(Entry::Commit),
        Some(proto::record::Body::Genesis(genesis)) => genesis_in(&genesis).map(Entry::Genesis),
        None => None,
    };
    entry.map_or_else(
        || Decoded::Malformed("a part is missing".to_owned()),
        Decoded::Entry,
    )
}

fn commit_in(commit: proto::Commit) -> Option<Commit> {
    let appends = commit.appends.into_iter();
    Some(Commit {
        commit_id: Uuid::from_slice(&commit.commit_id).ok()?,
        request_id: Uuid::from_slice(&commit.request_id).ok()?,
        fingerprint: commit.fingerprint.as_ref().try_into().ok()?,
        actor: commit.actor,
        time: time(commit.time?),
        trace_context: commit.trace_context,
        appends: appends.map(append_in).collect::<Option<_>>()?,
    })
}

fn append_in(append: proto::Append) -> Option<AppendTo> {
    Some(AppendTo {
        stream: StreamId::new(&append.stream).ok()?,
        expected_version: append.expected_version,
        events: append.events.into_iter().map(event_in).collect(),
    })
}

fn event_in(event: proto::Event) -> Event {
    Event {
        kind: event.r#type,
        schema: event.schema,
        public: event.public,
        payload: event.payload,
    }
}

fn event_out(event: &Event) -> proto::Event {
    proto::Event {
        r#type: event.kind.clone(),
        schema: event.schema,
        public: event.public,
        payload: event.payload.clone(),
    }
}

fn genesis_in(genesis: &proto::Genesis) -> Option<Genesis> {
    Some(Genesis {
        cluster_uuid: genesis.cluster_uuid.parse().ok()?,
        partitions: genesis.partitions,
        hash: genesis.hash.clone(),
        seed: genesis.seed,
        format: genesis.format,
    })
}

fn timestamp(time: Time) -> Timestamp {
    let nanos = i32::try_from(time.micros().rem_euclid(1_000_000)).unwrap_or_default() * 1_000;
    Timestamp {
        seconds: time.micros().div_euclid(1_000_000),
        nanos,
    }
}

fn time(timestamp: Timestamp) -> Time {
    let micros = timestamp.seconds.saturating_mul(1_000_000);
    Time::from_micros(micros.saturating_add(i64::from(timestamp.nanos / 1_000)))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use eventsourcing::Time;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::{
        AppendTo, Commit, Decoded, Entry, Event, MAGIC, decode, encode, encode_commit, proto,
    };
    use crate::StreamId;

    prop_compose! {
        fn commits()(
            ids in any::<[u128; 2]>(),
            fingerprint in any::<[u8; 16]>(),
            actor in ".{0,20}",
            micros in -1_i64 << 50..1_i64 << 50,
            appends in prop::collection::vec(appends(), 0..4),
        ) -> Commit {
            Commit {
                commit_id: Uuid::from_u128(ids[0]),
                request_id: Uuid::from_u128(ids[1]),
                fingerprint,
                actor,
                time: Time::from_micros(micros),
                trace_context: String::new(),
                appends,
            }
        }
    }

    prop_compose! {
        fn appends()(
            id in "[a-z0-9-]{1,20}",
            expected_version in any::<u64>(),
            events in prop::collection::vec(any::<(u32, bool, Vec<u8>)>(), 0..3),
        ) -> AppendTo {
            let event = |(schema, public, payload): (u32, bool, Vec<u8>)| Event {
                kind: "patron.test.v1.Happened".to_owned(), schema, public, payload: payload.into(),
            };
            AppendTo {
                stream: StreamId::new(format!("things/{id}")).unwrap(),
                expected_version,
                events: events.into_iter().map(event).collect(),
            }
        }
    }

    proptest! {
        #[test]
        fn a_commit_is_read_as_it_was_written(commit in commits()) {
            prop_assert_eq!(decode(&encode_commit(&commit)), Decoded::Entry(Entry::Commit(commit)));
        }

        #[test]
        fn no_bytes_make_a_reader_fail(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let stray = !bytes.starts_with(MAGIC);
            prop_assert_eq!(decode(&Bytes::from(bytes.clone())) == Decoded::Stray, stray);
            let ours = Bytes::from([&MAGIC[..], &bytes].concat());
            prop_assert_ne!(decode(&ours), Decoded::Stray);
        }
    }

    #[test]
    fn a_newer_format_is_not_skipped() {
        let record = proto::Record {
            format: 2,
            body: None,
        };
        let bytes = [&MAGIC[..], &prost::Message::encode_to_vec(&record)].concat();
        assert_eq!(decode(&Bytes::from(bytes)), Decoded::UnknownFormat(2));
    }

    #[test]
    fn a_commit_with_a_bad_stream_is_none() {
        let append = proto::Append {
            stream: "nowhere".to_owned(),
            ..Default::default()
        };
        let commit = proto::Commit {
            appends: vec![append],
            ..Default::default()
        };
        let bytes = encode(proto::record::Body::Commit(commit));
        assert!(matches!(decode(&bytes), Decoded::Malformed(_)));
    }
}
