//! A public event on its way between the services: an event of CloudEvents 1.0 in Kafka's binary mode.

use bytes::Bytes;
use eventsourcing::Time;
use journal::{Commit, Event, Header, Offset, Partition, Record, Stored, StreamId};
use uuid::Uuid;

use crate::event_id;

/// An event of the other service, as it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// The public topic.
    pub topic: String,
    /// Its partition.
    pub partition: Partition,
    /// Where it stands there.
    pub offset: Offset,
    /// The dense count of public events in the partition, from 1.
    pub sequence: u64,
    /// The event's identity: commit and index.
    pub event_id: String,
    /// Its kind: `patron.retention.v1.PromiseBroken`.
    pub kind: String,
    /// The schema of its payload.
    pub schema: u32,
    /// The aggregate it happened to: `customers/<id>`.
    pub subject: String,
    /// When its commit was written.
    pub time: Time,
    /// When the public topic got it.
    pub recorded_at: Time,
    /// The journal that it stands in,
    pub journal: Uuid,
    /// and where: the commit's offset.
    pub journal_offset: Offset,
    /// Its index within the commit.
    pub journal_index: u32,
    /// The protobuf message.
    pub payload: Bytes,
}

const CONTENT_TYPE: &str = "application/protobuf";

impl Foreign {
    /// Reads a record of a public topic; `None` if it is none of ours.
    pub fn read(topic: &str, partition: Partition, stored: &Stored) -> Option<Self> {
        let header = |name: &str| {
            let found = stored
                .record
                .headers
                .iter()
                .find(|header| header.name == name)?;
            std::str::from_utf8(&found.value).ok()
        };
        let (offset, index) = header("journalposition")?.split_once('/')?;
        let time: jiff::Timestamp = header("ce_time")?.parse().ok()?;
        Some(Self {
            topic: topic.to_owned(),
            partition,
            offset: stored.offset,
            sequence: header("ce_sequence")?.parse().ok()?,
            event_id: header("ce_id")?.to_owned(),
            kind: header("ce_type")?.to_owned(),
            schema: header("ce_schemaversion")?.parse().ok()?,
            subject: header("ce_subject")?.to_owned(),
            time: Time::from_micros(time.as_microsecond()),
            recorded_at: stored.time,
            journal: header("journaluuid")?.parse().ok()?,
            journal_offset: offset.parse().ok()?,
            journal_index: index.parse().ok()?,
            payload: stored.record.value.clone(),
        })
    }

    /// The record that publishes `event`, the one with `index` in the commit at `offset`.
    pub(crate) fn record(
        source: &Source<'_>,
        commit: &Commit,
        stream: &StreamId,
        event: &Event,
        place: Place,
    ) -> Record {
        let text = |name: &str, value: String| Header {
            name: name.to_owned(),
            value: value.into(),
        };
        let mut headers = vec![
            text("ce_specversion", "1.0".to_owned()),
            text("ce_id", event_id(commit.commit_id, place.index)),
            text("ce_source", source.name.to_owned()),
            text("ce_type", event.kind.clone()),
            text("ce_subject", stream.to_string()),
            text("ce_time", commit.time.to_string()),
            text("ce_sequence", place.sequence.to_string()),
            text("ce_schemaversion", event.schema.to_string()),
            text("content-type", CONTENT_TYPE.to_owned()),
            text("journaluuid", source.journal.to_string()),
            text(
                "journalposition",
                format!("{}/{}", place.offset, place.index),
            ),
        ];
        if !commit.trace_context.is_empty() {
            headers.push(text("traceparent", commit.trace_context.clone()));
        }
        let key = stream
            .to_string()
            .split_once('/')
            .map(|(_, id)| id.to_owned());
        Record {
            key: key.map(Bytes::from),
            headers,
            value: event.payload.clone(),
        }
    }
}

/// Who publishes.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    /// The service, as `ce_source` names it: `/patron/retention`.
    pub(crate) name: &'a str,
    pub(crate) journal: Uuid,
}

/// Where a public event stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) offset: Offset,
    pub(crate) index: u32,
    pub(crate) sequence: u64,
}

/// The one fold of a public partition, for receivers, relays and watchers alike.
///
/// Several relays may publish the same event, and one that was cut off may leave a hole that the next
/// one fills. Whoever reads takes the next number and nothing else, and so sees each event once, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PublicFold {
    last: u64,
}

/// What the fold says of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// It is the next one.
    Next,
    /// It was there before.
    Duplicate,
    /// One before it is missing; a relay will send that, and this one again.
    Ahead,
}

impl PublicFold {
    /// A fold that has taken everything up to `last`.
    pub const fn after(last: u64) -> Self {
        Self { last }
    }

    /// The last sequence number taken.
    pub const fn last(self) -> u64 {
        self.last
    }

    /// Judges the next record, and takes it if it is the next one.
    pub const fn take(&mut self, sequence: u64) -> Fold {
        if sequence == self.last + 1 {
            self.last = sequence;
            Fold::Next
        } else if sequence <= self.last {
            Fold::Duplicate
        } else {
            Fold::Ahead
        }
    }
}

#[cfg(test)]
mod tests {
    use eventsourcing::Time;
    use journal::{Commit, Event, Stored, StreamId};
    use uuid::Uuid;

    use super::{Fold, Foreign, Place, PublicFold, Source};

    #[test]
    fn what_a_relay_writes_a_receiver_reads() {
        let commit = Commit {
            commit_id: Uuid::from_u128(7),
            request_id: Uuid::from_u128(8),
            fingerprint: [0; 16],
            actor: "tests".to_owned(),
            time: Time::from_micros(1_500_000),
            trace_context: String::new(),
            appends: Vec::new(),
        };
        let stream = StreamId::new("customers/a").unwrap();
        let event = Event {
            kind: "patron.test.v1.Happened".to_owned(),
            schema: 3,
            public: true,
            payload: vec![1, 2, 3].into(),
        };
        let source = Source {
            name: "/patron/test",
            journal: Uuid::from_u128(9),
        };
        let place = Place {
            offset: 11,
            index: 2,
            sequence: 5,
        };
        let record = Foreign::record(&source, &commit, &stream, &event, place);
        assert_eq!(record.key.as_deref(), Some(&b"a"[..]));

        let stored = Stored {
            offset: 40,
            time: Time::from_days(1),
            record,
        };
        let foreign = Foreign::read("patron.test.events", 3, &stored).unwrap();
        assert_eq!(foreign.event_id, "00000000-0000-0000-0000-000000000007-2");
        assert_eq!(
            (foreign.kind.as_str(), foreign.schema),
            ("patron.test.v1.Happened", 3)
        );
        assert_eq!(
            (foreign.sequence, foreign.offset, foreign.partition),
            (5, 40, 3)
        );
        assert_eq!((foreign.journal_offset, foreign.journal_index), (11, 2));
        assert_eq!(
            (foreign.time, foreign.recorded_at),
            (commit.time, Time::from_days(1))
        );
        assert_eq!(
            (foreign.subject.as_str(), &foreign.payload[..]),
            ("customers/a", &[1, 2, 3][..])
        );
    }

    #[test]
    fn the_fold_takes_each_number_once_and_in_order() {
        let mut fold = PublicFold::default();
        let seen: Vec<Fold> = [1, 1, 3, 2, 2, 3]
            .map(|sequence| fold.take(sequence))
            .to_vec();
        let (next, again, ahead) = (Fold::Next, Fold::Duplicate, Fold::Ahead);
        assert_eq!(seen, vec![next, again, ahead, next, again, next]);
        assert_eq!(fold.last(), 3);
    }
}
