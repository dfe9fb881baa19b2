//! A log in memory: keeps every promise but the one about power cuts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use eventsourcing::Clock;
use futures::FutureExt;
use tokio::sync::watch;

use crate::{
    Append, Batch, BoxFuture, Error, ErrorKind, Log, MAX_RECORD_BYTES, Offset, Partition, Record,
    Stored, Tail, TopicSpec, Topics,
};

/// Topics that live as long as this value, each created when it is first opened.
#[derive(Debug, Clone)]
pub struct MemoryTopics {
    clock: Arc<dyn Clock>,
    topics: Arc<Mutex<BTreeMap<String, Arc<MemoryLog>>>>,
}

/// One topic in memory.
#[derive(Debug)]
struct MemoryLog {
    spec: TopicSpec,
    clock: Arc<dyn Clock>,
    partitions: Vec<Arc<Kept>>,
}

/// The records of one partition; whoever waits for more watches them.
#[derive(Debug)]
struct Kept(watch::Sender<Vec<Stored>>);

struct MemoryTail {
    topic: String,
    partition: Partition,
    from: Offset,
    records: Option<watch::Receiver<Vec<Stored>>>,
}

impl MemoryTopics {
    /// No topics yet; `clock` gives records their time.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            topics: Arc::default(),
        }
    }
}

impl Topics for MemoryTopics {
    fn open(&self, topic: &TopicSpec) -> BoxFuture<'_, Result<Arc<dyn Log>, Error>> {
        let opened = self.open_now(topic);
        async move { opened }.boxed()
    }
}

impl MemoryTopics {
    fn open_now(&self, topic: &TopicSpec) -> Result<Arc<dyn Log>, Error> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let log = topics.entry(topic.name.clone()).or_insert_with(|| {
            Arc::new(MemoryLog {
                spec: topic.clone(),
                clock: Arc::clone(&self.clock),
                partitions: (0..topic.partitions)
                    .map(|_| Arc::new(Kept(watch::Sender::default())))
                    .collect(),
            })
        });
        topic.check_found(log.spec.partitions, log.spec.kind)?;
        Ok(Arc::<MemoryLog>::clone(log))
    }
}

impl MemoryLog {
    fn partition(&self, partition: Partition) -> Result<Arc<Kept>, Error> {
        self.partitions
            .get(partition as usize)
            .cloned()
            .ok_or_else(|| Error::no_partition(&self.spec.name, partition))
    }
}

impl Log for MemoryLog {
    fn topic(&self) -> &str {
        &self.spec.name
    }

    fn partitions(&self) -> u32 {
        self.spec.partitions
    }

    fn append(&self, partition: Partition, record: Record) -> BoxFuture<'static, Append> {
        let kept = self.partition(partition);
        let clock = Arc::clone(&self.clock);
        async move {
            let kept = match kept {
                Ok(kept) => kept,
                Err(error) => return Append::NotWritten(error.to_string()),
            };
            if record.size() > MAX_RECORD_BYTES {
                return Append::NotWritten(Error::too_large(record.size()).to_string());
            }
            let mut written = None;
            kept.0.send_modify(|records| {
                let offset = end_of(records);
                written = Some(offset);
                records.push(Stored {
                    offset,
                    time: clock.now(),
                    record,
                });
            });
            Append::Written(written)
        }
        .boxed()
    }

    fn end(&self, partition: Partition) -> BoxFuture<'static, Result<Offset, Error>> {
        let kept = self.partition(partition);
        async move { Ok(end_of(&kept?.0.borrow())) }.boxed()
    }

    fn tail(&self, partition: Partition, from: Offset) -> Box<dyn Tail> {
        Box::new(MemoryTail {
            topic: self.spec.name.clone(),
            partition,
            from,
            records: self
                .partition(partition)
                .ok()
                .map(|kept| kept.0.subscribe()),
        })
    }
}

impl Tail for MemoryTail {
    fn next(&mut self) -> BoxFuture<'_, Result<Vec<Stored>, Error>> {
        async move {
            let Some(records) = &mut self.records else {
                return Err(Error::no_partition(&self.topic, self.partition));
            };
            loop {
                let batch = {
                    let records = records.borrow_and_update();
                    let end = end_of(&records);
                    if self.from > end {
                        return Err(Error::beyond_end(
                            &self.topic,
                            self.partition,
                            self.from,
                            end,
                        ));
                    }
                    let from = usize::try_from(self.from).unwrap_or(usize::MAX);
                    Batch::first_of(records.iter().skip(from).cloned())
                };
                if let Some(last) = batch.last() {
                    self.from = last.offset + 1;
                    return Ok(batch);
                }
                if records.changed().await.is_err() {
                    return Err(Error::new(
                        ErrorKind::Unavailable,
                        format!("the topic {} was dropped", self.topic),
                    ));
                }
            }
        }
        .boxed()
    }
}

fn end_of(records: &[Stored]) -> Offset {
    u64::try_from(records.len()).unwrap_or(u64::MAX)
}
