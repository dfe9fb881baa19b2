//! Appending, and what a delivery report says of it.
//!
//! | what happened | answer |
//! |---|---|
//! | every replica in sync has it | written |
//! | the driver did not take it: queue full, too large, no such partition | not written |
//! | the driver took it, and then anything else | unknown |
//!
//! The last row includes what was most likely never sent: the driver tries again by itself, and its last
//! error says nothing about the tries before.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use journal::{Append, Error, Offset, Partition, Record};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer as _};

use crate::client::{self, Context};
use crate::observer::number;
use crate::threads::Threads;

type Driver = FutureProducer<Context>;

const CLOSED: &str = "the Kafka log was closed";

/// The producer of a topic.
///
/// Each topic has its own, because a broker works off the requests of a connection one after the other, and
/// what a relay publishes should not stand before a command. Where all wait for one disk it makes no difference
/// (docs/benchmarks.md).
pub(crate) struct Producer {
    brokers: String,
    threads: Threads,
    state: RwLock<State>,
}

enum State {
    /// Nothing was appended yet; many a topic is only read.
    Idle,
    Running(Driver),
    Closed,
}

impl Producer {
    pub(crate) fn new(brokers: &str, threads: &Threads) -> Self {
        Self {
            brokers: brokers.to_owned(),
            threads: threads.clone(),
            state: RwLock::new(State::Idle),
        }
    }

    /// Appends a record. It is handed over at the first poll, so the order of first polls is kept.
    pub(crate) async fn append(
        self: Arc<Self>,
        topic: Arc<str>,
        partition: Partition,
        record: Record,
    ) -> Append {
        let delivery = match self.hand_over(&topic, partition, &record) {
            Ok(delivery) => delivery,
            Err(reason) => return Append::NotWritten(reason),
        };
        drop(record);
        match delivery.await {
            Ok(Ok((_, offset))) => Append::Written(Offset::try_from(offset).ok()),
            Ok(Err((error, _))) => Append::Unknown(error.to_string()),
            Err(_) => Append::Unknown("the producer ended before the delivery report".to_owned()),
        }
    }

    fn hand_over(
        &self,
        topic: &str,
        partition: Partition,
        record: &Record,
    ) -> Result<DeliveryFuture, String> {
        let driver = self.driver()?;
        match enqueue(&driver, topic, partition, record) {
            // A producer that has lost track of its sequence refuses everything from then on.
            Err(KafkaError::MessageProduction(RDKafkaErrorCode::Fatal)) => {
                let fresh = self.replace(&driver)?;
                enqueue(&fresh, topic, partition, record).map_err(|error| error.to_string())
            }
            enqueued => enqueued.map_err(|error| error.to_string()),
        }
    }

    /// The producer that runs; the first caller starts it.
    fn driver(&self) -> Result<Driver, String> {
        let running = match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Running(driver) => Some(driver.clone()),
            State::Idle => None,
            State::Closed => return Err(CLOSED.to_owned()),
        };
        running.map_or_else(|| self.start(|_| false), Ok)
    }

    /// A new producer in the place of one that refuses everything; somebody else's if that was faster.
    fn replace(&self, broken: &Driver) -> Result<Driver, String> {
        self.start(|driver| {
            let (one, other) = (driver.client().native_ptr(), broken.client().native_ptr());
            std::ptr::eq(one, other)
        })
    }

    /// The producer that runs, unless it is broken; else a new one.
    fn start(&self, is_broken: impl Fn(&Driver) -> bool) -> Result<Driver, String> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            State::Running(driver) if !is_broken(driver) => return Ok(driver.clone()),
            State::Running(_) => {
                tracing::warn!("Kafka's producer lost track of what it sent; a new one goes on");
            }
            State::Idle if self.threads.are_closing() => return Err(CLOSED.to_owned()),
            State::Idle => {}
            State::Closed => return Err(CLOSED.to_owned()),
        }
        let fresh = make(&self.brokers).map_err(|error| error.to_string())?;
        if let State::Running(old) = std::mem::replace(&mut *state, State::Running(fresh.clone())) {
            self.threads.retire(old);
        }
        Ok(fresh)
    }

    /// Takes no more appends, and gives those under way a moment.
    pub(crate) fn close(&self, at_most: Duration) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let ended = std::mem::replace(&mut *state, State::Closed);
        drop(state);
        let State::Running(driver) = ended else {
            return;
        };
        let flushed = self.threads.run("kafka-flush", move || {
            if let Err(error) = driver.flush(at_most) {
                tracing::warn!(%error, "some appends were still under way: their outcome is unknown");
            }
        });
        if let Err(error) = flushed {
            tracing::warn!(%error, "no thread for the last appends: their outcome is unknown");
        }
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let State::Running(driver) = std::mem::replace(state, State::Closed) {
            self.threads.retire(driver);
        }
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer")
            .field("brokers", &self.brokers)
            .finish_non_exhaustive()
    }
}

fn make(brokers: &str) -> Result<Driver, Error> {
    client::make(&client::producer(brokers), "producer")
}

fn enqueue(
    driver: &Driver,
    topic: &str,
    partition: Partition,
    record: &Record,
) -> Result<DeliveryFuture, KafkaError> {
    let mut sent: FutureRecord<'_, [u8], [u8]> = FutureRecord::to(topic)
        .partition(number(partition))
        .payload(&record.value);
    if let Some(key) = &record.key {
        sent = sent.key(key);
    }
    if !record.headers.is_empty() {
        let none = OwnedHeaders::new_with_capacity(record.headers.len());
        sent = sent.headers(record.headers.iter().fold(none, |headers, header| {
            headers.insert(Header {
                key: &header.name,
                value: Some(&header.value[..]),
            })
        }));
    }
    driver.send_result(sent).map_err(|(error, _)| error)
}
