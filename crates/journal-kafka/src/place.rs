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

    /// Whether the record before the place has yet to be seen again.
    pub(crate) const fn is_unseen(&self) -> bool {
        self.unseen.is_some()
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
        let at = self.unseen.unwrap_or(*next);
        let what =
            format!("partition {partition} of {topic} has no offset {at}: history was deleted");
        (start > at).then(|| Error::new(ErrorKind::Gap, what).with_page("journal-gap"))
    }

    /// The log was cut back before this place and has grown again.
    fn rewritten(&self) -> Error {
        let (topic, partition, next) = (&self.topic, self.partition, self.next);
        let what = format!(
            "partition {partition} of {topic} was read up to {next}, and another record stands before that now: \
             its last records were replaced"
        );
        Error::new(ErrorKind::Truncated, what).with_page("journal-truncated")
    }

    fn poll(&mut self, leased: &Leased) -> Option<Result<Stored, Fault>> {
        loop {
            let message = match leased.queue.poll(Duration::ZERO)? {
                Ok(message) => message,
                Err(error) => return Some(Err(self.fault(&error))),
            };
            match Offset::try_from(message.offset()) {
                Ok(offset) if self.unseen.is_some_and(|unseen| unseen <= offset) => {
                    self.unseen = None;
                    let found = stored(offset, &message);
                    if self.last.as_ref() != Some(&found) {
                        return Some(Err(Fault::Told(self.rewritten())));
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use eventsourcing::Time;
    use journal::{ErrorKind, Record, Stored};

    use super::Place;

    /// A place behind the records before `next`, the last of which was handed out.
    fn place(next: u64, is_compacted: bool) -> Place {
        let last = Stored {
            offset: next - 1,
            time: Time::EPOCH,
            record: Record::value("x"),
        };
        Place {
            last: Some(last),
            ..Place::new(&Arc::from("topic"), 0, next, is_compacted)
        }
    }

    #[test]
    fn only_what_lies_outside_of_a_partition_is_missing_for_good() {
        let refusal = |start, end| {
            let refused = place(20, false).refusal(start, end);
            refused.map(|error| error.kind())
        };
        assert_eq!(refusal(0, 19), Some(ErrorKind::Truncated));
        assert_eq!(refusal(21, 30), Some(ErrorKind::Gap));
        // A broker that says it lacks one of these has not come back whole yet.
        assert_eq!(refusal(0, 20), None);
        assert_eq!(refusal(20, 30), None);
        // Unless it has to see the record before.
        let mut again = place(20, false);
        again.begin();
        let refused = again.refusal(20, 30).map(|error| error.kind());
        assert_eq!(refused, Some(ErrorKind::Gap));
        assert!(again.refusal(19, 30).is_none());
    }

    #[test]
    fn who_begins_again_sees_the_record_before_once_more() {
        assert_eq!(place(20, false).begin(), (0, 19));
        assert_eq!(
            Place::new(&Arc::from("topic"), 0, 20, false).begin(),
            (0, 20)
        );
        // It may be forgotten by right.
        assert_eq!(place(20, true).begin(), (0, 20));
    }
}
