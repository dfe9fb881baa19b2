//! One consumer for all partitions of a topic.
//!
//! Each tail leases a partition: the driver fetches it into a queue of its own, which the tail empties itself
//! without blocking. What a tail does not take fills its queue, and then the driver fetches no more of that
//! partition: that is the back-pressure, and no partition holds up another.
//!
//! A consumer reads a partition from one place only. A second tail of the same partition gets a second
//! consumer, which ends when its last tail does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use journal::{Error, ErrorKind, Offset, Partition};
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::{Offset as At, TopicPartitionList};
use tokio::sync::{Notify, oneshot};

use crate::client::{self, Context};
use crate::observer::number;
use crate::threads::Threads;

/// So often the thread looks whether it should end, and lets the driver say what it has to say.
const TICK: Duration = Duration::from_millis(200);

/// The consumers of a topic.
#[derive(Debug)]
pub(crate) struct Readers {
    brokers: String,
    topic: Arc<str>,
    threads: Threads,
    running: Mutex<Running>,
}

#[derive(Debug, Default)]
struct Running {
    started: u64,
    readers: Vec<Reader>,
}

#[derive(Debug)]
struct Reader {
    id: u64,
    orders: Sender<Order>,
    leased: BTreeSet<Partition>,
}

enum Order {
    Lease(Partition, Offset, oneshot::Sender<Result<Leased, Error>>),
    Return(Partition, Option<Leased>),
}

/// A partition's queue, and the sign that something is in it.
pub(crate) struct Leased {
    pub(crate) queue: PartitionQueue<Context>,
    pub(crate) sign: Arc<Sign>,
}

/// The sign that there is something to look at.
#[derive(Debug, Default)]
pub(crate) struct Sign {
    given: Notify,
    closed: AtomicBool,
}

impl Sign {
    /// Waits for it. One that was given before counts.
    pub(crate) async fn wait(&self) {
        self.given.notified().await;
    }

    /// Whether nothing will come any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.given.notify_one();
    }
}

impl Readers {
    pub(crate) fn new(brokers: &str, topic: &Arc<str>, threads: &Threads) -> Self {
        Self {
            brokers: brokers.to_owned(),
            topic: Arc::clone(topic),
            threads: threads.clone(),
            running: Mutex::default(),
        }
    }

    /// Leases a partition from the first consumer that does not read it already.
    pub(crate) fn lease(
        self: &Arc<Self>,
        partition: Partition,
        from: Offset,
    ) -> Result<Lease, Error> {
        let (reply, coming) = oneshot::channel();
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let is_free = |reader: &&mut Reader| !reader.leased.contains(&partition);
        let (reader, orders) = if let Some(reader) = running.readers.iter_mut().find(is_free) {
            reader.leased.insert(partition);
            (reader.id, reader.orders.clone())
        } else {
            let orders = self.start()?;
            running.started += 1;
            let reader = Reader {
                id: running.started,
                orders: orders.clone(),
                leased: BTreeSet::from([partition]),
            };
            running.readers.push(reader);
            (running.started, orders)
        };
        // A thread that is gone drops the reply, and whoever waits for it sees that.
        drop(orders.send(Order::Lease(partition, from, reply)));
        drop(running);
        Ok(Lease {
            readers: Arc::clone(self),
            reader,
            partition,
            orders,
            coming,
        })
    }

    fn start(&self) -> Result<Sender<Order>, Error> {
        let consumer = client::make(&client::reader(&self.brokers), "reader")?;
        let (orders, given) = mpsc::channel();
        let serving = Serving {
            consumer: Arc::new(consumer),
            topic: Arc::clone(&self.topic),
            signs: BTreeMap::new(),
        };
        let threads = self.threads.clone();
        let started = self
            .threads
            .run("kafka-reader", move || serving.serve(&given, &threads));
        started.map_err(|error| {
            Error::new(ErrorKind::Internal, "no thread for a reader of Kafka").with_source(error)
        })?;
        Ok(orders)
    }

    /// A partition of a reader is free again. A reader that has none ends, but for one that stays at hand.
    fn freed(&self, reader: u64, partition: Partition) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let readers = &mut running.readers;
        if let Some(found) = readers.iter_mut().find(|found| found.id == reader) {
            found.leased.remove(&partition);
        }
        let mut nth = 0;
        readers.retain(|reader| {
            nth += 1;
            nth == 1 || !reader.leased.is_empty()
        });
    }
}

/// The right to read one partition, to be given back.
pub(crate) struct Lease {
    readers: Arc<Readers>,
    reader: u64,
    partition: Partition,
    orders: Sender<Order>,
    coming: oneshot::Receiver<Result<Leased, Error>>,
}

impl Lease {
    /// Waits for the queue; to be asked until it came, and not again.
    pub(crate) async fn come(&mut self) -> Result<Leased, Error> {
        (&mut self.coming).await.unwrap_or_else(|_| Err(closed()))
    }

    /// Gives the partition back, with its queue if that came. Nothing of the driver is dropped here.
    pub(crate) fn give_back(&mut self, leased: Option<Leased>) {
        self.coming.close();
        let leased = leased.or_else(|| self.coming.try_recv().ok().and_then(Result::ok));
        // Orders are done in their order: whoever is told below that the partition is free comes after.
        if let Err(unsent) = self.orders.send(Order::Return(self.partition, leased)) {
            self.readers.threads.retire(unsent);
        }
        self.readers.freed(self.reader, self.partition);
    }
}

pub(crate) fn closed() -> Error {
    Error::new(ErrorKind::Unavailable, "the Kafka log was closed")
}

/// A consumer on its thread.
struct Serving {
    consumer: Arc<BaseConsumer<Context>>,
    topic: Arc<str>,
    /// The signs of the partitions that are leased.
    signs: BTreeMap<Partition, Arc<Sign>>,
}

impl Serving {
    /// Does what is ordered until nobody can order any more; at closing, until all leases are back.
    fn serve(mut self, given: &Receiver<Order>, threads: &Threads) {
        loop {
            match given.recv_timeout(TICK) {
                Ok(Order::Lease(partition, from, reply)) => {
                    let leased = self.lease(partition, from, threads.are_closing());
                    // Nobody waits any more: the partition is about to be given back.
                    drop(reply.send(leased));
                }
                Ok(Order::Return(partition, leased)) => {
                    self.signs.remove(&partition);
                    if let Err(error) = self.unassign(partition) {
                        let topic = &*self.topic;
                        tracing::warn!(topic, partition, %error, "Kafka's reader keeps a partition");
                    }
                    drop(leased);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if threads.are_closing() {
                self.signs.values().for_each(|sign| sign.close());
                if self.signs.is_empty() {
                    return;
                }
            }
            while self.consumer.poll(Duration::ZERO).is_some() {}
        }
    }

    fn lease(
        &mut self,
        partition: Partition,
        from: Offset,
        is_closing: bool,
    ) -> Result<Leased, Error> {
        if is_closing {
            return Err(closed());
        }
        let sign = Arc::<Sign>::default();
        let split = self
            .consumer
            .split_partition_queue(&self.topic, number(partition));
        let mut queue =
            split.ok_or_else(|| self.broken(format!("partition {partition} has no queue")))?;
        let given = Arc::clone(&sign);
        queue.set_nonempty_callback(move || given.given.notify_one());
        self.assign(partition, from).map_err(|error| {
            self.broken(format!("partition {partition} cannot be read: {error}"))
        })?;
        self.signs.insert(partition, Arc::clone(&sign));
        Ok(Leased { queue, sign })
    }

    fn broken(&self, what: impl fmt::Display) -> Error {
        Error::new(ErrorKind::Internal, format!("{}: {what}", self.topic))
    }

    fn assign(&self, partition: Partition, from: Offset) -> KafkaResult<()> {
        let from = At::Offset(i64::try_from(from).unwrap_or(i64::MAX));
        let mut place = TopicPartitionList::new();
        place.add_partition_offset(&self.topic, number(partition), from)?;
        self.consumer.incremental_assign(&place)
    }

    fn unassign(&self, partition: Partition) -> KafkaResult<()> {
        let mut place = TopicPartitionList::new();
        place.add_partition(&self.topic, number(partition));
        self.consumer.incremental_unassign(&place)
    }
}
