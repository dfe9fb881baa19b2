//! A public partition, as far as its relay knows it.
//!
//! What counts is what a reader takes, so a relay folds the partition as every reader does. Its own records it
//! need not read back: if they came to stand one behind the other, right behind the last record that is known,
//! every reader takes them. That is remembered as told, and looked at after a while, because a log may lose the
//! end of what it had acknowledged.

use std::sync::Arc;
use std::time::Duration;

use journal::{Error, Log, Offset, Partition, Stored, Tail};
use tokio::time::Instant;
use uuid::Uuid;

use crate::mutant::Mutant;
use crate::{Fold, Foreign, PublicFold};

/// For how long what was told may go without a look.
const UNSEEN: Duration = Duration::from_secs(60);

/// Why a relay stops for good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error(transparent)]
    Log(#[from] Error),
    #[error(
        "{topic} partition {partition} was published from another journal ({found}) than this one ({here}); give each journal its own public topic (docs/errors/foreign-history.md)"
    )]
    Foreign {
        topic: String,
        partition: Partition,
        found: String,
        here: Uuid,
    },
}

/// An event as the journal knows it.
#[derive(Debug, Clone)]
pub(crate) struct Last {
    pub(crate) event_id: String,
    /// Its place in the journal: the offset of its commit, and its index there.
    pub(crate) place: (Offset, u32),
}

impl From<Foreign> for Last {
    fn from(event: Foreign) -> Self {
        Self {
            place: (event.journal_offset, event.journal_index),
            event_id: event.event_id,
        }
    }
}

/// The partition.
pub(crate) struct Published {
    log: Arc<dyn Log>,
    partition: Partition,
    journal: Uuid,
    /// At hand while there is something to read.
    tail: Option<Box<dyn Tail>>,
    /// The last record that was read.
    read: Option<Stored>,
    fold: PublicFold,
    /// The last event up to there that every reader takes.
    last: Option<Last>,
    told: Option<Told>,
}

/// What came to stand behind what was read, by what was told of the appends.
#[derive(Debug)]
struct Told {
    /// Where the first of it stands, and which event that is.
    first: (Offset, String),
    /// The offset behind the last of it.
    next: Offset,
    sequence: u64,
    last: Last,
    until: Instant,
}

impl Published {
    /// A partition of which nothing is known yet.
    pub(crate) fn new(log: &Arc<dyn Log>, partition: Partition, journal: Uuid) -> Self {
        Self {
            log: Arc::clone(log),
            partition,
            journal,
            tail: None,
            read: None,
            fold: PublicFold::default(),
            last: None,
            told: None,
        }
    }

    /// The number of the last event that every reader takes.
    pub(crate) fn sequence(&self) -> u64 {
        let told = self.told.as_ref();
        told.map_or(self.fold.last(), |told| told.sequence)
    }

    /// That event.
    pub(crate) fn last(&self) -> Option<&Last> {
        let told = self.told.as_ref().map(|told| &told.last);
        told.or(self.last.as_ref())
    }

    /// Where the next record comes to stand, unless somebody else was faster.
    pub(crate) fn next(&self) -> Offset {
        let told = self.told.as_ref();
        told.map_or_else(|| self.next_to_read(), |told| told.next)
    }

    fn next_to_read(&self) -> Offset {
        self.read.as_ref().map_or(0, |read| read.offset + 1)
    }

    /// These events came to stand one behind the other from [`next`](Self::next) on.
    pub(crate) fn tell(&mut self, events: &[Last]) {
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            return;
        };
        self.tail = None;
        let (next, sequence) = (self.next(), self.sequence());
        let told = self.told.get_or_insert_with(|| Told {
            first: (next, first.event_id.clone()),
            next,
            sequence,
            last: last.clone(),
            until: Instant::now() + UNSEEN,
        });
        told.next += events.len() as u64;
        told.sequence += events.len() as u64;
        told.last = last.clone();
    }

    /// When what was told is to be [looked at](Self::look), if anything was.
    pub(crate) fn due(&self) -> Option<Instant> {
        let told = self.told.as_ref();
        told.map(|told| told.until)
            .filter(|_| !Mutant::RelayTrustsDelivery.is())
    }

    /// Sees that what was told stands where it was told: its first record and its last. Between them something
    /// can only be missing if the log was cut back there and a stranger filled it up again, to the very record:
    /// a relay that appends behind a cut finds its own record elsewhere than it thought.
    pub(crate) async fn look(&mut self) -> Result<(), Refused> {
        let Some(told) = &self.told else {
            return Ok(());
        };
        let log = &*self.log;
        let (offset, first) = &told.first;
        let first = standing(log, self.partition, *offset, first).await?;
        let last = standing(log, self.partition, told.next - 1, &told.last.event_id).await?;
        let (Some(_), Some(last)) = (first, last) else {
            return Err(self.cut_off(told.next, *offset));
        };
        let Some(told) = self.told.take() else {
            return Ok(());
        };
        self.read = Some(last);
        self.fold = PublicFold::after(told.sequence);
        self.last = Some(told.last);
        Ok(())
    }

    /// Folds the partition up to its present end, whatever was told of it. Says whether it met an event twice.
    pub(crate) async fn follow(&mut self) -> Result<bool, Refused> {
        let end = self.log.end(self.partition).await?;
        if self.next_to_read() > end {
            return Err(self.cut_off(self.next_to_read(), end));
        }
        let mut met = false;
        while self.next_to_read() < end {
            let records = match &mut self.tail {
                Some(tail) => tail.next().await?,
                None => self.open().await?,
            };
            for stored in records {
                if let Some(event) = self.event(&stored) {
                    if event.journal != self.journal {
                        return Err(self.refuse(event.journal.to_string()));
                    }
                    met |= self.take(event);
                }
                self.read = Some(stored);
            }
        }
        match self.told.take() {
            Some(told) if told.sequence > self.fold.last() => Err(self.cut_off(told.next, end)),
            _ => Ok(met),
        }
    }

    /// Folds an event; whether there was the same one before.
    fn take(&mut self, event: Foreign) -> bool {
        if Mutant::RelayFromLastRecord.is() {
            self.fold = PublicFold::after(event.sequence);
            self.last = Some(event.into());
            return false;
        }
        match self.fold.take(event.sequence) {
            Fold::Next => {
                self.last = Some(event.into());
                false
            }
            Fold::Duplicate => true,
            Fold::Ahead => false,
        }
    }

    /// Goes on behind the last record that was read. A new tail cannot tell whether the log was cut back since
    /// and has grown again, so it begins with that record, to see that it still stands there.
    async fn open(&mut self) -> Result<Vec<Stored>, Refused> {
        let Some(known) = &self.read else {
            let tail = self.tail.insert(self.log.tail(self.partition, 0));
            return Ok(tail.next().await?);
        };
        let mut tail = self.log.tail(self.partition, known.offset);
        let mut records = tail.next().await?;
        if records.first() != Some(known) {
            return Err(self.cut_off(known.offset + 1, known.offset));
        }
        records.remove(0);
        self.tail = Some(tail);
        Ok(records)
    }

    fn event(&self, stored: &Stored) -> Option<Foreign> {
        Foreign::read(self.log.topic(), self.partition, stored)
    }

    fn cut_off(&self, known: Offset, end: Offset) -> Refused {
        Error::beyond_end(self.log.topic(), self.partition, known, end).into()
    }

    /// What stands there was published from another journal.
    pub(crate) fn refuse(&self, found: String) -> Refused {
        Refused::Foreign {
            topic: self.log.topic().to_owned(),
            partition: self.partition,
            found,
            here: self.journal,
        }
    }
}

/// The record at an offset, if it is this event.
async fn standing(
    log: &dyn Log,
    partition: Partition,
    offset: Offset,
    event_id: &str,
) -> Result<Option<Stored>, Error> {
    // A tail would wait for a record that is not there.
    if log.end(partition).await? <= offset {
        return Ok(None);
    }
    let found = log.tail(partition, offset).next().await?;
    let found = found.into_iter().next();
    Ok(found.filter(|stored| {
        let event = Foreign::read(log.topic(), partition, stored);
        event.is_some_and(|event| event.event_id == event_id)
    }))
}
