//! The topics in one folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use eventsourcing::Clock;
use futures::FutureExt as _;
use journal::{BoxFuture, Error, ErrorKind, Kind, Log, TopicSpec, Topics};

use crate::folder::FILE;
use crate::log::EmbeddedLog;
use crate::partition::{PartitionState, Place};
use crate::store::Store;
use crate::writer::{self, Queue};

/// How the topics of a folder are kept.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// Gives records their time.
    pub clock: Arc<dyn Clock>,
    /// Whether a topic that is missing is created; else it is refused.
    pub create_topics: bool,
    /// How many bytes of records may wait to be written; more wait outside.
    pub queue_bytes: usize,
    /// How many bytes of the newest records are kept in memory, for each partition, so that readers
    /// at the end need not read the file.
    pub window_bytes: usize,
}

/// All topics in one folder, which this process has alone. Clones are the same.
#[derive(Debug, Clone)]
pub struct EmbeddedTopics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: EmbeddedOptions,
    store: Arc<Store>,
    queue: Queue,
    /// None once they are closed.
    open: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    writer: JoinHandle<()>,
    logs: BTreeMap<String, Arc<EmbeddedLog>>,
}

impl EmbeddedOptions {
    /// 64 MiB of queue, 1 MiB of window, topics created when they are missing.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            create_topics: true,
            queue_bytes: 64 * 1024 * 1024,
            window_bytes: 1024 * 1024,
        }
    }
}

impl EmbeddedTopics {
    /// Whether a log was ever made in `folder`.
    pub fn exist(folder: impl AsRef<Path>) -> bool {
        folder.as_ref().join(FILE).exists()
    }

    /// Opens the log in `folder`, and makes it if there is none. After a crash this reads the whole file.
    ///
    /// Errors: [`ErrorKind::InUse`] when another process, or this one, has it open;
    /// [`ErrorKind::Misconfigured`] when the folder cannot be made; [`ErrorKind::Unreadable`] when the
    /// file is damaged; [`ErrorKind::Unavailable`] when the disk fails.
    pub async fn open(folder: impl AsRef<Path>, options: EmbeddedOptions) -> Result<Self, Error> {
        let folder = folder.as_ref().to_owned();
        let opened = blocking(move || Store::open(&folder));
        Self::over(opened.await?, options)
    }

    /// Lets all appends that wait be written, then gives the folder free. From then on appends are
    /// [`NotWritten`](journal::Append::NotWritten) and reads end with [`ErrorKind::Unavailable`].
    pub async fn close(&self) -> Result<(), Error> {
        let inner = Arc::clone(&self.0);
        blocking(move || inner.close()).await
    }

    pub(crate) fn over(store: Store, options: EmbeddedOptions) -> Result<Self, Error> {
        let store = Arc::new(store);
        let clock = Arc::clone(&options.clock);
        let (queue, writer) = writer::start(Arc::clone(&store), clock, options.queue_bytes)?;
        Ok(Self(Arc::new(Inner {
            options,
            store,
            queue,
            open: Mutex::new(Some(Open {
                writer,
                logs: BTreeMap::new(),
            })),
        })))
    }
}

impl Topics for EmbeddedTopics {
    fn open(&self, topic: &TopicSpec) -> BoxFuture<'_, Result<Arc<dyn Log>, Error>> {
        let inner = Arc::clone(&self.0);
        let topic = topic.clone();
        async move {
            let log = blocking(move || inner.log(&topic)).await?;
            Ok(log as Arc<dyn Log>)
        }
        .boxed()
    }
}

impl Inner {
    /// The one log of that topic: all who open it share what is known of its end.
    fn log(&self, wanted: &TopicSpec) -> Result<Arc<EmbeddedLog>, Error> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = open.as_mut().ok_or_else(|| self.store.closed())?;
        let topic = self.store.topic(wanted, self.options.create_topics)?;
        if let Some(log) = open.logs.get(&wanted.name) {
            return Ok(Arc::clone(log));
        }
        let partition = |partition| {
            let place = Place {
                topic: topic.id,
                partition,
            };
            let end = self.store.end(place)?;
            let forgets = topic.kind == Kind::Keys;
            let state = PartitionState::new(place, forgets, end, self.options.window_bytes);
            Ok(Arc::new(state))
        };
        let partitions = (0..topic.partitions).map(partition);
        let log = Arc::new(EmbeddedLog {
            name: wanted.name.clone(),
            kind: topic.kind,
            partitions: partitions.collect::<Result<_, Error>>()?,
            store: Arc::clone(&self.store),
            queue: self.queue.clone(),
        });
        open.logs.insert(wanted.name.clone(), Arc::clone(&log));
        Ok(log)
    }

    fn close(&self) -> Result<(), Error> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = open.take() else {
            return Ok(());
        };
        self.queue.close();
        let ended = open.writer.join();
        for partition in open.logs.values().flat_map(|log| &log.partitions) {
            partition.close();
        }
        self.store.close()?;
        ended.map_err(|_| Error::new(ErrorKind::Internal, "the thread that writes broke off"))
    }
}

/// Runs what may wait for a disk on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            let message = "work on the journal's file broke off";
            Err(Error::new(ErrorKind::Internal, message).with_source(error))
        })
}
