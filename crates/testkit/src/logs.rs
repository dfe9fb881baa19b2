//! What the logs hold, read back from the brokers and judged by a second hand: the acceptance rule stands
//! here once more, on purpose.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use eventsourcing::SystemClock;
use journal::{Commit, Decoded, Entry, Kind, Log, Offset, Stored, TopicSpec, Topics};
use journal_kafka::{KafkaOptions, KafkaTopics};
use patron_proto::journal::v1::Received;
use prost::Message as _;
use runtime::{Foreign, PublicFold};
use server::LogSource;

use crate::instance::{Both, Service};

const RECEIVED: &str = "patron.journal.v1.Received";

/// One partition of a journal, judged.
#[derive(Debug, Clone, Default)]
pub struct Judged {
    /// Records in it.
    pub end: Offset,
    /// The commits that stand.
    pub accepted: Vec<(Offset, Commit)>,
    /// For each stream: behind which offset it had which version.
    pub versions: BTreeMap<String, Vec<(Offset, u64)>>,
    /// The public events, in order.
    pub published: Vec<Published>,
    /// What was taken of the other service, in order.
    pub received: Vec<Received>,
}

/// A public event where it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Commit and index.
    pub event_id: String,
    /// The full name of the message.
    pub kind: String,
    /// The stream.
    pub subject: String,
    /// The message.
    pub payload: Vec<u8>,
}

/// Both journals and both public topics, partition by partition.
#[derive(Debug, Clone, Default)]
pub struct Logs {
    /// The journals.
    pub journals: Both<Vec<Judged>>,
    /// Their public topics as everybody folds them: each event once, in order.
    pub public: Both<Vec<Vec<Foreign>>>,
}

impl Judged {
    /// Judges the records of a partition from its beginning.
    pub fn of(records: &[Stored]) -> Self {
        let mut judged = Self::default();
        for stored in records {
            judged.end = stored.offset + 1;
            let decoded = journal::decode(&stored.record.value);
            if let Decoded::Entry(Entry::Commit(commit)) = decoded
                && judged.stands(&commit)
            {
                judged.take(stored.offset, commit);
            }
        }
        judged
    }

    /// Versions as they were before the record at `before`; 0 for a stream that nobody had written to.
    pub fn version(&self, stream: &str, before: Offset) -> u64 {
        let steps = self.versions.get(stream).map_or(&[][..], Vec::as_slice);
        let passed = steps.partition_point(|(offset, _)| *offset < before);
        let last = passed.checked_sub(1).and_then(|index| steps.get(index));
        last.map_or(0, |(_, version)| *version)
    }

    fn stands(&self, commit: &Commit) -> bool {
        let mut streams = HashSet::new();
        let expected = commit.appends.iter().all(|append| {
            let stream = append.stream.to_string();
            let version = self.version(&stream, Offset::MAX);
            streams.insert(stream) && version == append.expected_version
        });
        expected
            && commit
                .appends
                .iter()
                .any(|append| !append.events.is_empty())
    }

    fn take(&mut self, offset: Offset, commit: Commit) {
        let mut index = 0;
        for append in &commit.appends {
            let stream = append.stream.to_string();
            for event in &append.events {
                if event.public {
                    self.published.push(Published {
                        event_id: format!("{}-{index}", commit.commit_id),
                        kind: event.kind.clone(),
                        subject: stream.clone(),
                        payload: event.payload.to_vec(),
                    });
                }
                if event.kind == RECEIVED
                    && let Ok(received) = Received::decode(event.payload.clone())
                {
                    self.received.push(received);
                }
                index += 1;
            }
            if !append.events.is_empty() {
                let version = append.expected_version + append.events.len() as u64;
                self.versions
                    .entry(stream)
                    .or_default()
                    .push((offset, version));
            }
        }
        self.accepted.push((offset, commit));
    }
}

impl Logs {
    /// Reads everything there is.
    ///
    /// # Errors
    /// When a topic is missing, wrongly set, or cannot be read to its end.
    pub async fn read(kafka: &str) -> anyhow::Result<Self> {
        let options = KafkaOptions {
            create_topics: false,
            ..KafkaOptions::default()
        };
        let topics = KafkaTopics::open(kafka, options)?;
        let read = Self::of(&topics).await;
        topics.close().await;
        read
    }

    /// The same in an embedded log whose process has ended.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn read_embedded(journal: &Path) -> anyhow::Result<Self> {
        let source = LogSource::Embedded(journal.to_owned());
        let open = source.open(Arc::new(SystemClock)).await;
        let open = open.map_err(anyhow::Error::msg)?;
        let read = Self::of(&*open.topics).await;
        open.close().await;
        read
    }

    async fn of(topics: &dyn Topics) -> anyhow::Result<Self> {
        let mut logs = Self::default();
        for service in Service::BOTH {
            let journal = read_all(topics, &service.journal(), Kind::Journal).await?;
            *logs.journals.of_mut(service) =
                journal.iter().map(|records| Judged::of(records)).collect();
            let name = service.events();
            let public = read_all(topics, &name, Kind::Public).await?;
            *logs.public.of_mut(service) = (0..)
                .zip(&public)
                .map(|(partition, records)| folded(&name, partition, records))
                .collect();
        }
        Ok(logs)
    }

    /// Whether everything that was told has arrived on the other side; else what has not.
    pub fn at_rest(&self) -> Result<(), String> {
        for service in Service::BOTH {
            let partitions = self
                .journals
                .of(service)
                .iter()
                .zip(self.journals.of(service.other()));
            for ((partition, (journal, other)), public) in
                (0_u32..).zip(partitions).zip(self.public.of(service))
            {
                let (told, taken) = (journal.published.len(), other.received.len());
                if public.len() != told || taken != told {
                    return Err(format!(
                        "{} partition {partition}: {told} told, {} published, {taken} received",
                        service.name(),
                        public.len()
                    ));
                }
            }
        }
        Ok(())
    }

    /// How long each partition of each journal is.
    pub fn ends(&self) -> Vec<Offset> {
        let partitions = self
            .journals
            .acquisition
            .iter()
            .chain(&self.journals.retention);
        partitions.map(|judged| judged.end).collect()
    }
}

/// Everything in a topic, partition by partition.
///
/// # Errors
/// When it is not there or cannot be read.
pub async fn read_all(
    topics: &dyn Topics,
    topic: &str,
    kind: Kind,
) -> anyhow::Result<Vec<Vec<Stored>>> {
    let spec = TopicSpec {
        name: topic.to_owned(),
        partitions: 1,
        kind,
    };
    let log = topics.open(&spec).await?;
    let mut all = Vec::new();
    for partition in 0..log.partitions() {
        let records = read(&*log, partition).await;
        all.push(records.with_context(|| format!("{topic} partition {partition}"))?);
    }
    Ok(all)
}

async fn read(log: &dyn Log, partition: u32) -> Result<Vec<Stored>, journal::Error> {
    let end = log.end(partition).await?;
    let mut tail = log.tail(partition, 0);
    let mut records: Vec<Stored> = Vec::new();
    while (records.len() as u64) < end {
        records.extend(tail.next().await?);
    }
    Ok(records)
}

fn folded(topic: &str, partition: u32, records: &[Stored]) -> Vec<Foreign> {
    let mut fold = PublicFold::default();
    records
        .iter()
        .filter_map(|stored| Foreign::read(topic, partition, stored))
        .filter(|event| fold.take(event.sequence) == runtime::Fold::Next)
        .collect()
}
