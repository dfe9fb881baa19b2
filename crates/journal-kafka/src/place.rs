//! A place in a partition: which record is due next, and what it means if another comes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use eventsourcing::Time;
use journal::{Batch, Error, ErrorKind, Header, Offset, Partition, Record, Stored};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};

use crate::reader::Leased;

/// A place in a partition.
pub(crate) struct Place {
    pub(crate) topic: Arc<str>,
    pub(crate) partition: Partition,
    next: Offset,
    /// The last record that was handed out.
    last: Option<Stored>,
    /// Where that has to stand, while it was not seen again after a new beginning.
    unseen: Option<Offset>,
    /// The topic keeps only the last record of each key, so that offsets are missing by right.
    is_compacted: bool,
    /// What was found and did not go into the last batch any more.
    held: Option<Result<Stored, Fault>>,
}

/// Why there is no record.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The broker has no such offset.
    NoSuchPlace,
    /// Anything else.
    Told(Error),
}

impl Place {
    pub(crate) fn new(
        topic: &Arc<str>,
        partition: Partition,
        from: Offset,
        is_compacted: bool,
    ) -> Self {
        Self {
            topic: Arc::clone(topic),
            partition,
            next: from,
            last: None,
            unseen: None,
            is_compacted,
            held: None,
        }
    }

    /// Where to begin, or to begin again. What was found and not handed out comes again. The driver does not know
    /// any more whether the log was cut back since and has grown again, so the record before is read once more.
    pub(crate) fn begin(&mut self) -> (Partition, Offset) {
        self.held = None;
        let last = self.last.as_ref().filter(|_| !self.is_compacted);
        self.unseen = last.map(|last| last.offset);
        (self.partition, self.unseen.unwrap_or(self.next))
    }

    /// Takes what is in the queue, up to a batch. A fault behind some records comes after them.
    pub(crate) fn take(&mut self, leased: &Leased) -> Result<Vec<Stored>, Fault> {
        let began = self.next;
        let mut batch = Batch::default();
        while let Some(found) = self.held.take().or_else(|| self.poll(leased)) {
            let left = match found {
                Ok(stored) => {
                    let after = stored.offset + 1;
                    match batch.offer(stored) {
                        Ok(()) => {
                            self.next = after;
                            continue;
                        }
                        Err(stored) => Ok(stored),
                    }
                }
                Err(fault) if self.next == began => return Err(fault),
                Err(fault) => Err(fault),
            };
            self.held = Some(left);
            break;
        }
        let records = batch.into_records();
        self.last = records.last().cloned().or(self.last.take());
        Ok(records)
    }

    /// Why the broker has no such offset, when the partition goes from `start` to `end`; nothing if it should
    /// have it.
    pub(crate) fn refusal(&self, start: Offset, end: Offset) -> Option<Error> {
        let Self {
            topic,
            partition,
            next,
            ..
        } = self;
        if end < *next {
            return Some(Error::beyond_end(topic, *partition, *next, end));
        }
        let what =
            format!("partition {partition} of {topic} has no offset {next}: history was deleted");
        (start > *next).then(|| Error::new(ErrorKind::Gap, what).with_page("journal-gap"))
    }

    fn poll(&mut self, leased: &Leased) -> Option<Result<Stored, Fault>> {
        loop {
            let message = match leased.queue.poll(Duration::ZERO)? {
                Ok(message) => message,
                Err(error) => return Some(Err(self.fault(&error))),
            };
            match Offset::try_from(message.offset()) {
                Ok(offset) if Some(offset) == self.unseen => {
                    self.unseen = None;
                    let found = stored(offset, &message);
                    if self.last.as_ref() != Some(&found) {
                        let (topic, next) = (&self.topic, self.next);
                        let error = Error::beyond_end(topic, self.partition, next, offset);
                        return Some(Err(Fault::Told(error)));
                    }
                }
                Ok(offset) if offset == self.next || (offset > self.next && self.is_compacted) => {
                    return Some(Ok(stored(offset, &message)));
                }
                Ok(offset) if offset > self.next => {
                    let gap = Error::gap(&self.topic, self.partition, self.next, offset);
                    return Some(Err(Fault::Told(gap)));
                }
                // Handed out before.
                Ok(_) | Err(_) => {}
            }
        }
    }

    fn fault(&self, error: &KafkaError) -> Fault {
        let Self {
            topic,
            partition,
            next,
            ..
        } = self;
        let (page, what) = match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => {
                return Fault::NoSuchPlace;
            }
            Some(
                RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownPartition,
            ) => (
                "kafka-missing",
                format!(
                    "partition {partition} of {topic} is not there any more: the topic was deleted"
                ),
            ),
            _ => (
                "kafka-away",
                format!(
                    "partition {partition} of {topic} cannot be read at offset {next}: {error}"
                ),
            ),
        };
        Fault::Told(Error::new(ErrorKind::Unavailable, what).with_page(page))
    }
}

fn stored(offset: Offset, message: &BorrowedMessage<'_>) -> Stored {
    let copied = |bytes: Option<&[u8]>| bytes.map(Bytes::copy_from_slice);
    let headers = message.headers().map_or_else(Vec::new, |headers| {
        let headers = headers.iter().map(|header| Header {
            name: header.key.to_owned(),
            value: copied(header.value).unwrap_or_default(),
        });
        headers.collect()
    });
    let millis = message.timestamp().to_millis().unwrap_or_default();
    Stored {
        offset,
        time: Time::from_micros(millis.saturating_mul(1_000)),
        record: Record {
            key: copied(message.key()),
            headers,
            value: copied(message.payload()).unwrap_or_default(),
        },
    }
}
