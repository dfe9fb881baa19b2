//! One topic of the file: appends go to the writer, tails read the window or the file.

use std::sync::Arc;

use futures::FutureExt as _;
use journal::{
    Append, BoxFuture, Error, ErrorKind, Kind, Log, MAX_RECORD_BYTES, Offset, Partition, Record,
    Stored, Tail,
};
use tokio::sync::watch;

use crate::partition::{PartitionState, Seen};
use crate::store::Store;
use crate::writer::Queue;

#[derive(Debug)]
pub(crate) struct EmbeddedLog {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) partitions: Vec<Arc<PartitionState>>,
    pub(crate) store: Arc<Store>,
    pub(crate) queue: Queue,
}

/// A place to read from; without a partition if there is none of that number.
struct EmbeddedTail {
    topic: String,
    kind: Kind,
    partition: Partition,
    state: Option<(Arc<PartitionState>, watch::Receiver<Seen>)>,
    store: Arc<Store>,
    from: Offset,
}

impl EmbeddedLog {
    fn partition(&self, partition: Partition) -> Result<Arc<PartitionState>, Error> {
        self.partitions
            .get(partition as usize)
            .cloned()
            .ok_or_else(|| Error::no_partition(&self.name, partition))
    }
}

impl Log for EmbeddedLog {
    fn topic(&self) -> &str {
        &self.name
    }

    fn partitions(&self) -> u32 {
        u32::try_from(self.partitions.len()).unwrap_or(u32::MAX)
    }

    fn append(&self, partition: Partition, record: Record) -> BoxFuture<'static, Append> {
        let partition = self.partition(partition);
        let queue = self.queue.clone();
        async move {
            match partition {
                Ok(_) if record.size() > MAX_RECORD_BYTES => {
                    Append::NotWritten(Error::too_large(record.size()).to_string())
                }
                Ok(partition) => queue.append(partition, record).await,
                Err(error) => Append::NotWritten(error.to_string()),
            }
        }
        .boxed()
    }

    /// This process has the file alone, so its own writer knows the end.
    fn end(&self, partition: Partition) -> BoxFuture<'static, Result<Offset, Error>> {
        let partition = self.partition(partition);
        async move { Ok(partition?.end()) }.boxed()
    }

    fn scrub(&self) -> BoxFuture<'static, Result<(), Error>> {
        let (kind, store) = (self.kind, Arc::clone(&self.store));
        async move {
            if kind != Kind::Keys {
                return Ok(());
            }
            let scrubbed = tokio::task::spawn_blocking(move || store.rewrite());
            scrubbed.await.unwrap_or_else(|error| {
                let message = "rewriting the keys broke off";
                Err(Error::new(ErrorKind::Internal, message).with_source(error))
            })
        }
        .boxed()
    }

    fn tail(&self, partition: Partition, from: Offset) -> Box<dyn Tail> {
        let state = self.partition(partition).ok();
        Box::new(EmbeddedTail {
            topic: self.name.clone(),
            kind: self.kind,
            partition,
            state: state.map(|state| {
                let seen = state.watch();
                (state, seen)
            }),
            store: Arc::clone(&self.store),
            from,
        })
    }
}

impl Tail for EmbeddedTail {
    fn next(&mut self) -> BoxFuture<'_, Result<Vec<Stored>, Error>> {
        async move {
            let (topic, partition) = (&self.topic, self.partition);
            let Some((state, seen)) = &mut self.state else {
                return Err(Error::no_partition(topic, partition));
            };
            loop {
                let now = *seen.borrow_and_update();
                if self.from > now.end {
                    return Err(Error::beyond_end(topic, partition, self.from, now.end));
                }
                if self.from < now.end {
                    let mut found = match state.newest_from(self.from) {
                        Some(found) => found,
                        None => read(&self.store, state, self.from).await?,
                    };
                    // The writer may have committed more than it has told of: beyond the end that was
                    // seen nothing is handed out, or the next look would find the log too short.
                    found.retain(|stored| stored.offset < now.end);
                    let next = check(topic, self.kind, partition, self.from, &found)?;
                    self.from = next;
                    return Ok(found);
                }
                if now.closed || seen.changed().await.is_err() {
                    let message = format!("the topic {topic} is closed");
                    return Err(Error::new(ErrorKind::Unavailable, message));
                }
            }
        }
        .boxed()
    }
}

/// Reads the file, on a thread that may block.
async fn read(
    store: &Arc<Store>,
    state: &PartitionState,
    from: Offset,
) -> Result<Vec<Stored>, Error> {
    let store = Arc::clone(store);
    let place = state.place;
    let read = tokio::task::spawn_blocking(move || store.read(place, from));
    read.await.unwrap_or_else(|error| {
        let message = "a read of the journal broke off";
        Err(Error::new(ErrorKind::Unavailable, message).with_source(error))
    })
}

/// That `found` goes on without a gap; what to read next.
fn check(
    topic: &str,
    kind: Kind,
    partition: Partition,
    from: Offset,
    found: &[Stored],
) -> Result<Offset, Error> {
    let Some(last) = found.last() else {
        return Err(Error::beyond_end(topic, partition, from, from));
    };
    if kind != Kind::Keys {
        for (expected, stored) in (from..).zip(found) {
            if stored.offset != expected {
                return Err(Error::gap(topic, partition, expected, stored.offset));
            }
        }
    }
    Ok(last.offset + 1)
}
