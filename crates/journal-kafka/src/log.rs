//! One topic of Kafka, as the port wants it.

use std::sync::Arc;

use futures::FutureExt as _;
use journal::{Append, BoxFuture, Error, Log, MAX_RECORD_BYTES, Offset, Partition, Record, Tail};

use crate::observer::Observer;
use crate::producer::Producer;
use crate::reader::Readers;
use crate::tail::KafkaTail;

/// One topic.
#[derive(Debug)]
pub(crate) struct KafkaLog {
    pub(crate) topic: Arc<str>,
    pub(crate) partitions: u32,
    pub(crate) is_compacted: bool,
    pub(crate) producer: Arc<Producer>,
    pub(crate) observer: Observer,
    pub(crate) readers: Arc<Readers>,
}

impl KafkaLog {
    pub(crate) fn check(&self, partition: Partition) -> Result<(), Error> {
        if partition < self.partitions {
            return Ok(());
        }
        Err(Error::no_partition(&self.topic, partition))
    }
}

impl Log for KafkaLog {
    fn topic(&self) -> &str {
        &self.topic
    }

    fn partitions(&self) -> u32 {
        self.partitions
    }

    fn append(&self, partition: Partition, record: Record) -> BoxFuture<'static, Append> {
        let checked = self.check(partition).and_then(|()| match record.size() {
            size if size > MAX_RECORD_BYTES => Err(Error::too_large(size)),
            _ => Ok(()),
        });
        if let Err(error) = checked {
            return std::future::ready(Append::NotWritten(error.to_string())).boxed();
        }
        let producer = Arc::clone(&self.producer);
        producer
            .append(Arc::clone(&self.topic), partition, record)
            .boxed()
    }

    fn end(&self, partition: Partition) -> BoxFuture<'static, Result<Offset, Error>> {
        match self.check(partition) {
            Ok(()) => self.observer.end(&self.topic, partition),
            Err(error) => std::future::ready(Err(error)).boxed(),
        }
    }

    fn tail(&self, partition: Partition, from: Offset) -> Box<dyn Tail> {
        Box::new(KafkaTail::new(self, partition, from))
    }
}
