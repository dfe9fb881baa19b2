//! A log in memory: for tests, and the plainest implementation of the contract.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use eventsourcing::Clock;
use futures::FutureExt as _;
use tokio::sync::watch;

use crate::{
    Append, BoxFuture, Error, Log, MAX_BATCH, Offset, Partition, Record, Stored, Tail, TopicSpec,
    Topics,
};

/// Topics in memory, shared by all clones.
#[derive(Debug, Clone)]
pub struct MemoryTopics {
    clock: Arc<dyn Clock>,
    topics: Arc<Mutex<BTreeMap<String, Arc<MemoryLog>>>>,
}

impl MemoryTopics {
    /// No topics yet; records get the time of this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            topics: Arc::default(),
        }
    }
}

impl Topics for MemoryTopics {
    fn open(&self, topic: &TopicSpec) -> BoxFuture<'_, Result<Arc<dyn Log>, Error>> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let log = topics.entry(topic.name.clone()).or_insert_with(|| {
            Arc::new(MemoryLog {
                topic: topic.name.clone(),
                clock: Arc::clone(&self.clock),
                partitions: (0..topic.partitions).map(|_| Arc::default()).collect(),
            })
        });
        let log: Arc<dyn Log> = Arc::<MemoryLog>::clone(log);
        std::future::ready(Ok(log)).boxed()
    }
}

#[derive(Debug)]
struct MemoryLog {
    topic: String,
    clock: Arc<dyn Clock>,
    partitions: Vec<Arc<MemoryPartition>>,
}

#[derive(Debug)]
struct MemoryPartition {
    records: Mutex<Vec<Stored>>,
    end: watch::Sender<Offset>,
}

impl Default for MemoryPartition {
    fn default() -> Self {
        Self {
            records: Mutex::default(),
            end: watch::Sender::new(0),
        }
    }
}

impl MemoryLog {
    fn partition(&self, partition: Partition) -> Result<Arc<MemoryPartition>, Error> {
        let found = self.partitions.get(partition as usize).map(Arc::clone);
        found.ok_or_else(|| {
            Error::internal(&self.topic, format!("there is no partition {partition}"))
        })
    }
}

impl Log for MemoryLog {
    fn topic(&self) -> &str {
        &self.topic
    }

    fn partitions(&self) -> u32 {
        u32::try_from(self.partitions.len()).unwrap_or(u32::MAX)
    }

    fn append(&self, partition: Partition, record: Record) -> BoxFuture<'static, Append> {
        let time = self.clock.now();
        let found = self.partition(partition);
        async move {
            let partition = match found {
                Ok(partition) => partition,
                Err(error) => return Append::NotWritten(error.to_string()),
            };
            let mut records = partition
                .records
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let offset = records.len() as Offset;
            records.push(Stored {
                offset,
                time,
                record,
            });
            partition.end.send_replace(offset + 1);
            Append::Written
        }
        .boxed()
    }

    fn end(&self, partition: Partition) -> BoxFuture<'static, Result<Offset, Error>> {
        let end = self
            .partition(partition)
            .map(|partition| *partition.end.borrow());
        std::future::ready(end).boxed()
    }

    fn tail(&self, partition: Partition, from: Offset) -> Box<dyn Tail> {
        Box::new(MemoryTail {
            partition: self.partition(partition).ok(),
            next: from,
        })
    }
}

struct MemoryTail {
    partition: Option<Arc<MemoryPartition>>,
    next: Offset,
}

impl Tail for MemoryTail {
    fn next(&mut self) -> BoxFuture<'_, Result<Vec<Stored>, Error>> {
        async move {
            let Some(partition) = &self.partition else {
                return Err(Error::internal("memory", "there is no such partition"));
            };
            let mut end = partition.end.subscribe();
            // The sender is in the partition that this tail holds.
            drop(end.wait_for(|end| *end > self.next).await);
            let records = partition
                .records
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let from = usize::try_from(self.next).unwrap_or(usize::MAX);
            let batch: Vec<Stored> = records.iter().skip(from).take(MAX_BATCH).cloned().collect();
            self.next += batch.len() as Offset;
            Ok(batch)
        }
        .boxed()
    }
}
