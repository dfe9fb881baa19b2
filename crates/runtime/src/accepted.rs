//! The accepted commits of a partition, in order: what relays publish and watchers see.

use std::collections::VecDeque;
use std::sync::Arc;

use eventsourcing::Time;
use journal::{
    Commit, Decoded, Entry, Error, ErrorKind, Log, Offset, Partition, Position, Stored, Tail,
};
use read_model::Store;

use crate::progress::Progress;
use crate::recent::{Recent, Seen};
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

/// Follows the accepted commits of a partition behind the applier, which keeps the last ones at hand; whoever
/// is further behind reads the log again until it has caught up.
///
/// What the log hands out was judged before: an ignored record left a mark in the rows.
pub struct AcceptedTail {
    partition: Partition,
    /// The next offset to look at.
    at: Offset,
    recent: Recent,
    progress: Progress,
    store: Store,
    log: Arc<dyn Log>,
    /// While it reads the log: its tail, and what that has handed out.
    behind: Option<(Box<dyn Tail>, VecDeque<Stored>)>,
    recorded_at: Time,
}

impl std::fmt::Debug for AcceptedTail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AcceptedTail")
            .field("partition", &self.partition)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

impl AcceptedTail {
    /// Tells it the recorded time of the record before its first one.
    #[must_use]
    pub fn recorded_after(self, recorded_at: Time) -> Self {
        Self {
            recorded_at,
            ..self
        }
    }

    /// The next accepted commit; waits for it. Can be called again after it was dropped half-way.
    ///
    /// # Errors
    /// When the log cannot be read, or the rows.
    pub async fn next(&mut self) -> Result<Arc<Accepted>, Error> {
        loop {
            let grown = self.recent.grown(self.partition);
            if let Some(accepted) = self.next_read()? {
                return Ok(accepted);
            }
            let read = self.behind.as_ref().and_then(|(_, read)| read.front());
            if let Some(offset) = read.map(|stored| stored.offset) {
                self.progress.reach(self.partition, offset + 1).await;
                continue;
            }
            match (&mut self.behind, grown) {
                (Some((tail, read)), Some(grown)) => tokio::select! {
                    biased;
                    found = tail.next() => read.extend(found?),
                    // Perhaps the window has reached this place.
                    () = grown => {}
                },
                (Some((tail, read)), None) => read.extend(tail.next().await?),
                (None, Some(grown)) => grown.await,
                // No such partition: the log says so.
                (None, None) => self.behind = Some(self.tail()),
            }
        }
    }

    /// The next accepted commit at hand; waits for nothing.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub fn next_read(&mut self) -> Result<Option<Arc<Accepted>>, Error> {
        loop {
            let read = self.behind.as_mut().and_then(|(_, read)| read.front());
            if let Some(offset) = read.map(|stored| stored.offset) {
                if self.progress.of(self.partition) <= offset {
                    return Ok(None);
                }
                if let Some(accepted) = self.take_read()? {
                    return Ok(Some(accepted));
                }
                continue;
            }
            match self.recent.look(self.partition, self.at) {
                Seen::Here(accepted) => {
                    self.behind = None;
                    self.at = accepted.offset + 1;
                    self.recorded_at = accepted.recorded_at;
                    return Ok(Some(accepted));
                }
                Seen::Nothing => {
                    self.behind = None;
                    return Ok(None);
                }
                Seen::Gone => {
                    if self.behind.is_none() {
                        self.behind = Some(self.tail());
                    }
                    return Ok(None);
                }
            }
        }
    }

    fn tail(&self) -> (Box<dyn Tail>, VecDeque<Stored>) {
        (self.log.tail(self.partition, self.at), VecDeque::new())
    }

    /// The first record that the log has handed out, if it was accepted.
    fn take_read(&mut self) -> Result<Option<Arc<Accepted>>, Error> {
        let Some((_, read)) = &mut self.behind else {
            return Ok(None);
        };
        let Some(Stored { offset, time, .. }) = read.front() else {
            return Ok(None);
        };
        let (partition, offset, time) = (self.partition, *offset, *time);
        let ignored = self
            .store
            .read(|rows| IGNORED.get(rows, &(partition, offset)));
        let ignored = ignored.map_err(|error| {
            let what = format!("{}: {error}", self.log.topic());
            Error::new(ErrorKind::Internal, what)
        })?;
        let Some(stored) = read.pop_front() else {
            return Ok(None);
        };
        self.at = offset + 1;
        self.recorded_at = self.recorded_at.max(time);
        if ignored.is_some() {
            return Ok(None);
        }
        let Decoded::Entry(Entry::Commit(commit)) = journal::decode(&stored.record.value) else {
            return Ok(None);
        };
        Ok(Some(Arc::new(Accepted {
            partition,
            offset,
            time,
            recorded_at: self.recorded_at,
            commit,
        })))
    }
}

impl<S: Service> Engine<S> {
    /// The accepted commits of a partition from `from` on.
    pub fn accepted_from(&self, partition: Partition, from: Offset) -> AcceptedTail {
        AcceptedTail {
            partition,
            at: from,
            recent: self.recent.clone(),
            progress: self.progress.clone(),
            store: self.store.clone(),
            log: Arc::clone(&self.log),
            behind: None,
            recorded_at: Time::default(),
        }
    }

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
