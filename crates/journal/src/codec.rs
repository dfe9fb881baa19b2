//! The bytes of an entry: four of magic, then the protobuf message `patron.journal.v1.Record`.
//!
//! All releases must find the same in the same bytes, or replicas would disagree about which commits
//! count. So what is checked here is part of format 1 and stays as it is; a new kind of entry, a new
//! field that decides about acceptance, or a stricter check is a new format. Every format keeps the
//! magic and the number of the format as field 1.

use bytes::{BufMut as _, Bytes, BytesMut};
use eventsourcing::Time;
use patron_proto::journal::v1 as wire;
use prost::Message as _;
use uuid::Uuid;

use crate::commit::FORMAT;
use crate::{AppendTo, Commit, Decoded, Entry, Event, Genesis, StreamId};

const MAGIC: &[u8] = b"PTRN";

/// What is read first, of any format.
#[derive(Clone, PartialEq, prost::Message)]
struct Head {
    #[prost(uint32, tag = "1")]
    format: u32,
}

/// The value of the record that holds the commit.
pub fn encode_commit(commit: &Commit) -> Bytes {
    encode(wire::record::Body::Commit(commit.into()))
}

/// The value of the record that holds the genesis.
pub fn encode_genesis(genesis: &Genesis) -> Bytes {
    encode(wire::record::Body::Genesis(genesis.into()))
}

/// What the value of a record says.
pub fn decode(value: &Bytes) -> Decoded {
    if !value.starts_with(MAGIC) {
        return Decoded::Stray;
    }
    let message = value.slice(MAGIC.len()..);
    match Head::decode(message.clone()) {
        Ok(Head { format: FORMAT }) => {}
        Ok(Head { format: 0 }) => return Decoded::Malformed("it has no format".to_owned()),
        Ok(Head { format }) => return Decoded::UnknownFormat(format),
        Err(error) => return Decoded::Malformed(error.to_string()),
    }
    match wire::Record::decode(message) {
        Ok(record) => entry(record).map_or_else(Decoded::Malformed, Decoded::Entry),
        Err(error) => Decoded::Malformed(error.to_string()),
    }
}

fn encode(body: wire::record::Body) -> Bytes {
    let record = wire::Record {
        format: FORMAT,
        body: Some(body),
    };
    let mut bytes = BytesMut::with_capacity(MAGIC.len() + record.encoded_len());
    bytes.put_slice(MAGIC);
    record.encode_raw(&mut bytes);
    bytes.freeze()
}

/// Finds what is wrong, in words.
type Checked<T> = Result<T, String>;

fn entry(record: wire::Record) -> Checked<Entry> {
    match record.body {
        Some(wire::record::Body::Genesis(genesis)) => Ok(Entry::Genesis(checked_genesis(genesis)?)),
        Some(wire::record::Body::Commit(commit)) => Ok(Entry::Commit(checked_commit(commit)?)),
        None => Err("it holds nothing".to_owned()),
    }
}

fn checked_genesis(genesis: wire::Genesis) -> Checked<Genesis> {
    Ok(Genesis {
        cluster_uuid: Uuid::parse_str(&genesis.cluster_uuid)
            .map_err(|error| format!("cluster_uuid: {error}"))?,
        partitions: genesis.partitions,
        hash: genesis.hash,
        seed: genesis.seed,
        format: genesis.format,
    })
}

fn checked_commit(commit: wire::Commit) -> Checked<Commit> {
    let appends = commit.appends.into_iter().map(checked_append);
    Ok(Commit {
        commit_id: Uuid::from_bytes(sixteen("commit_id", &commit.commit_id)?),
        request_id: Uuid::from_bytes(sixteen("request_id", &commit.request_id)?),
        fingerprint: sixteen("fingerprint", &commit.fingerprint)?,
        actor: commit.actor,
        time: checked_time(commit.time)?,
        trace_context: commit.trace_context,
        appends: appends.collect::<Checked<_>>()?,
    })
}

fn checked_append(append: wire::Append) -> Checked<AppendTo> {
    let stream = StreamId::new(&append.stream);
    Ok(AppendTo {
        stream: stream.map_err(|error| format!("stream: {error}"))?,
        expected_version: append.expected_version,
        events: append.events.into_iter().map(event).collect(),
    })
}

fn event(event: wire::Event) -> Event {
    Event {
        kind: event.r#type,
        schema: event.schema,
        public: event.public,
        payload: event.payload,
    }
}

/// Whole microseconds; what is finer is cut off.
fn checked_time(time: Option<prost_types::Timestamp>) -> Checked<Time> {
    let time = time.ok_or("it has no time")?;
    let nanos = u32::try_from(time.nanos).ok();
    let micros = nanos
        .filter(|nanos| *nanos < 1_000_000_000)
        .map(|nanos| i64::from(nanos / 1_000));
    let whole = i128::from(time.seconds) * 1_000_000;
    micros
        .and_then(|micros| i64::try_from(whole + i128::from(micros)).ok())
        .map(Time::from_micros)
        .ok_or_else(|| "its time is out of range".to_owned())
}

fn sixteen(field: &str, bytes: &[u8]) -> Checked<[u8; 16]> {
    let count = bytes.len();
    bytes
        .try_into()
        .map_err(|_| format!("{field} has {count} bytes instead of 16"))
}

impl From<&Genesis> for wire::Genesis {
    fn from(genesis: &Genesis) -> Self {
        Self {
            cluster_uuid: genesis.cluster_uuid.to_string(),
            partitions: genesis.partitions,
            hash: genesis.hash.clone(),
            seed: genesis.seed,
            format: genesis.format,
        }
    }
}

impl From<&Commit> for wire::Commit {
    fn from(commit: &Commit) -> Self {
        let micros = commit.time.micros();
        let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap_or_default();
        Self {
            commit_id: Bytes::copy_from_slice(commit.commit_id.as_bytes()),
            request_id: Bytes::copy_from_slice(commit.request_id.as_bytes()),
            fingerprint: Bytes::copy_from_slice(&commit.fingerprint),
            actor: commit.actor.clone(),
            time: Some(prost_types::Timestamp {
                seconds: micros.div_euclid(1_000_000),
                nanos,
            }),
            trace_context: commit.trace_context.clone(),
            appends: commit.appends.iter().map(Into::into).collect(),
        }
    }
}

impl From<&AppendTo> for wire::Append {
    fn from(append: &AppendTo) -> Self {
        let event = |event: &Event| wire::Event {
            r#type: event.kind.clone(),
            schema: event.schema,
            public: event.public,
            payload: event.payload.clone(),
        };
        Self {
            stream: append.stream.as_str().to_owned(),
            expected_version: append.expected_version,
            events: append.events.iter().map(event).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
