//! One partition, in order and without a gap.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use eventsourcing::Time;
use futures::FutureExt as _;
use journal::{
    BoxFuture, Error, ErrorKind, Header, MAX_BATCH, Offset, Partition, Record, Stored, Tail,
};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};

use crate::reader::{Lease, Leased, Readers, closed};

/// Reads one partition, from a place on, for ever.
pub(crate) struct KafkaTail {
    place: Place,
    state: State,
}

/// What a tail reads next.
struct Place {
    topic: Arc<str>,
    partition: Partition,
    next: Offset,
    /// The topic keeps only the last record of each key, so that offsets are missing by right.
    is_compacted: bool,
}

enum State {
    /// The lease, and the queue once it came.
    Reading(Lease, Option<Leased>),
    /// It cannot be read.
    Failed(Option<Error>),
}

impl KafkaTail {
    pub(crate) fn new(
        readers: &Arc<Readers>,
        topic: &Arc<str>,
        partition: Partition,
        from: Offset,
        is_compacted: bool,
    ) -> Self {
        let lease = readers.lease(partition, from);
        Self {
            place: Place {
                topic: Arc::clone(topic),
                partition,
                next: from,
                is_compacted,
            },
            state: lease.map_or_else(
                |error| State::Failed(Some(error)),
                |lease| State::Reading(lease, None),
            ),
        }
    }

    /// A tail that only says why there is none.
    pub(crate) fn failed(error: Error) -> Self {
        Self {
            place: Place {
                topic: Arc::from(""),
                partition: 0,
                next: 0,
                is_compacted: false,
            },
            state: State::Failed(Some(error)),
        }
    }

    async fn read(&mut self) -> Result<Vec<Stored>, Error> {
        let (lease, came) = match &mut self.state {
            State::Reading(lease, came) => (lease, came),
            State::Failed(error) => return Err(error.take().unwrap_or_else(closed)),
        };
        let leased = match came {
            Some(leased) => leased,
            None => came.insert(lease.come().await?),
        };
        loop {
            // Taken without waiting in between, so a future that is dropped has taken nothing.
            let batch = self.place.take(leased)?;
            if !batch.is_empty() {
                return Ok(batch);
            }
            if leased.sign.is_closed() {
                return Err(closed());
            }
            leased.sign.wait().await;
        }
    }
}

impl Tail for KafkaTail {
    fn next(&mut self) -> BoxFuture<'_, Result<Vec<Stored>, Error>> {
        self.read().boxed()
    }
}

impl Drop for KafkaTail {
    fn drop(&mut self) {
        if let State::Reading(lease, leased) = &mut self.state {
            lease.give_back(leased.take());
        }
    }
}

impl Place {
    /// Takes what is in the queue.
    fn take(&mut self, leased: &Leased) -> Result<Vec<Stored>, Error> {
        let mut batch = Vec::new();
        while batch.len() < MAX_BATCH {
            let message = match leased.queue.poll(Duration::ZERO) {
                None => break,
                Some(Ok(message)) => message,
                // What was taken before it is read again by the next tail.
                Some(Err(error)) => return Err(self.unreadable(&error)),
            };
            let Ok(offset) = Offset::try_from(message.offset()) else {
                continue;
            };
            if offset < self.next {
                continue;
            }
            if offset > self.next && !self.is_compacted {
                return Err(self.gap(offset));
            }
            self.next = offset + 1;
            batch.push(stored(offset, &message));
        }
        Ok(batch)
    }

    fn gap(&self, found: Offset) -> Error {
        let Self {
            topic,
            partition,
            next,
            ..
        } = self;
        let what = format!(
            "{topic} partition {partition} goes on at offset {found} where {next} was due: records were \
             deleted, or somebody writes transactions into it (docs/errors/journal-gap.md)"
        );
        Error::new(ErrorKind::Gap, what)
    }

    fn unreadable(&self, error: &KafkaError) -> Error {
        let Self {
            topic,
            partition,
            next,
            ..
        } = self;
        let (kind, what) = match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => (
                ErrorKind::Gap,
                format!(
                    "{topic} partition {partition} has no offset {next}: its history was deleted before it, or \
                     cut back behind it (docs/errors/journal-gap.md)"
                ),
            ),
            Some(
                RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownPartition,
            ) => (
                ErrorKind::Unavailable,
                format!(
                    "{topic} partition {partition} is not there any more: the topic was deleted \
                     (docs/errors/kafka-missing.md)"
                ),
            ),
            _ => (
                ErrorKind::Unavailable,
                format!(
                    "{topic} partition {partition} cannot be read at offset {next}: {error} \
                     (docs/errors/kafka-away.md)"
                ),
            ),
        };
        Error::new(kind, what)
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
