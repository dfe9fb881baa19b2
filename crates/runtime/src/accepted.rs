//! The accepted commits of a partition, in order: what relays publish and watchers see.

use std::collections::VecDeque;
use std::sync::Arc;

use eventsourcing::Time;
use journal::{Commit, Decoded, Entry, Error, ErrorKind, Log, Offset, Partition, Stored, Tail};
use read_model::Store;

use crate::progress::Progress;
use crate::rows::IGNORED;

/// An accepted commit and where it stands.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// Its partition.
    pub partition: Partition,
    /// Its offset.
    pub offset: Offset,
    /// When the log got it.
    pub time: Time,
    /// The commit.
    pub commit: Commit,
}

/// Reads the log again behind the applier, and leaves out what the rule ignored.
///
/// The verdicts are in the rows: an ignored record leaves a mark there, so an accepted one costs nothing.
pub struct AcceptedTail {
    tail: Box<dyn Tail>,
    partition: Partition,
    progress: Progress,
    store: Store,
    read: VecDeque<Stored>,
    log: Arc<dyn Log>,
}

impl std::fmt::Debug for AcceptedTail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AcceptedTail")
            .field("partition", &self.partition)
            .finish_non_exhaustive()
    }
}

impl AcceptedTail {
    pub(crate) fn from(
        log: &Arc<dyn Log>,
        store: Store,
        progress: Progress,
        partition: Partition,
        from: Offset,
    ) -> Self {
        let tail = log.tail(partition, from);
        let log = Arc::clone(log);
        Self {
            tail,
            partition,
            progress,
            store,
            read: VecDeque::new(),
            log,
        }
    }

    /// The next accepted commit; waits for it. Can be called again after it was dropped half-way.
    pub async fn next(&mut self) -> Result<Accepted, Error> {
        loop {
            if let Some(accepted) = self.take_read().await? {
                return Ok(accepted);
            }
            self.read.extend(self.tail.next().await?);
        }
    }

    /// The next accepted commit among the records already read; never waits for the log.
    pub async fn next_read(&mut self) -> Result<Option<Accepted>, Error> {
        self.take_read().await
    }

    async fn take_read(&mut self) -> Result<Option<Accepted>, Error> {
        while let Some(first) = self.read.front() {
            let offset = first.offset;
            self.progress.reach(self.partition, offset + 1).await;
            let Some(stored) = self.read.pop_front() else {
                break;
            };
            let ignored = self
                .store
                .read(|rows| IGNORED.get(rows, &(self.partition, offset)))
                .map_err(|error| {
                    let what = format!("{}: {error}", self.log.topic());
                    Error::new(ErrorKind::Internal, what)
                })?;
            if ignored.is_some() {
                continue;
            }
            if let Decoded::Entry(Entry::Commit(commit)) = journal::decode(&stored.record.value) {
                let (partition, time) = (self.partition, stored.time);
                return Ok(Some(Accepted {
                    partition,
                    offset,
                    time,
                    commit,
                }));
            }
        }
        Ok(None)
    }
}
