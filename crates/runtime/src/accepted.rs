//! The accepted commits of a partition, in order: what relays publish and watchers see.

use std::collections::VecDeque;
use std::sync::Arc;

use eventsourcing::Time;
use journal::{
    Commit, Decoded, Entry, Error, ErrorKind, Log, Offset, Partition, Position, Stored, Tail,
};
use read_model::Store;

use crate::progress::Progress;
use crate::rows::{IGNORED, POSITIONS};
use crate::{Engine, Service};

/// An accepted commit and where it stands.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// Its partition.
    pub partition: Partition,
    /// Its offset.
    pub offset: Offset,
    /// When the log got it.
    pub time: Time,
    /// The latest time of the log up to it, which never steps back: its recorded time, if the tail was told of
    /// the records before its beginning.
    pub recorded_at: Time,
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
    recorded_at: Time,
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
            recorded_at: Time::default(),
        }
    }

    /// Tells it the recorded time of the record before its first one.
    #[must_use]
    pub fn recorded_after(self, recorded_at: Time) -> Self {
        Self {
            recorded_at,
            ..self
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
            self.recorded_at = self.recorded_at.max(stored.time);
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
                let recorded_at = self.recorded_at;
                return Ok(Some(Accepted {
                    partition,
                    offset,
                    time,
                    recorded_at,
                    commit,
                }));
            }
        }
        Ok(None)
    }
}

impl<S: Service> Engine<S> {
    /// Where the rows stand, and the recorded time of the record before that place in each partition.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub fn standing(&self) -> Result<(Position, Vec<Time>), read_model::Error> {
        let Position { journal, offsets } = self.position();
        let partitions = (0..).take(offsets.len());
        let standing = self.store.read(|rows| {
            let row = |partition| Ok(POSITIONS.get(rows, &partition)?.unwrap_or_default());
            let rows = partitions
                .map(row)
                .collect::<Result<Vec<_>, read_model::Error>>();
            let rows = rows?.into_iter();
            Ok::<_, read_model::Error>(
                rows.map(|row| (row.next, Time::from_micros(row.recorded_at)))
                    .unzip(),
            )
        });
        let (offsets, recorded_at) = standing?;
        Ok((Position { journal, offsets }, recorded_at))
    }
}
