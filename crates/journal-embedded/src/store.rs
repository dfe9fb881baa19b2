//! The file: which tables it has, and the only code that reads and writes them.
//!
//! ```text
//!   topics    name                                  -> id, partitions, kind
//!   records   topic id | partition | offset         -> record (codec.rs)           all big-endian, so
//!   newest    topic id | partition | record key     -> offset                      in order of offset
//! ```
//! `newest` is kept for topics of keys alone: a record goes when its key is written again.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use journal::{Batch, Error, ErrorKind, Kind, Offset, Stored, TopicSpec};
use redb::{
    Builder, Database, Durability, ReadableDatabase as _, ReadableTable as _, TableDefinition,
    WriteTransaction,
};

use crate::codec;
use crate::folder::Folder;
use crate::partition::Place;

const TOPICS: TableDefinition<&str, (u32, u32, u8)> = TableDefinition::new("topics");
const RECORDS: TableDefinition<&[u8; KEY_BYTES], &[u8]> = TableDefinition::new("records");
const NEWEST: TableDefinition<&[u8], Offset> = TableDefinition::new("newest");

const KEY_BYTES: usize = 16;

/// What redb may keep of the file in memory: tails at the end never read it.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

pub(crate) struct Store {
    /// None once it is closed.
    opened: RwLock<Option<Opened>>,
    folder: PathBuf,
}

/// The folder is given free after the file.
struct Opened {
    database: Database,
    taken: Option<Folder>,
}

/// A topic as it is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Topic {
    pub(crate) id: u32,
    pub(crate) partitions: u32,
    pub(crate) kind: Kind,
}

/// One record to be written.
pub(crate) struct Placed<'a> {
    pub(crate) place: Place,
    pub(crate) offset: Offset,
    pub(crate) bytes: &'a [u8],
    /// Its key, in a topic that forgets what was written under the same one before.
    pub(crate) supersedes: Option<&'a [u8]>,
}

/// Why a group was not written.
pub(crate) enum Failed {
    /// Nothing of it is in the file.
    Before(Error),
    /// It may be in the file.
    During(Error),
}

impl Store {
    /// Opens the file in `folder`, makes both if they are missing, repairs what a crash has left.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let taken = Folder::take(folder)?;
        let database = taken.database(&builder(folder))?;
        Self::of(database, Some(taken), folder)
    }

    /// Opens it on any other disk, for the test that cuts the power.
    #[cfg(test)]
    pub(crate) fn on(disk: impl redb::StorageBackend) -> Result<Self, Error> {
        let folder = Path::new("memory");
        let database = builder(folder).create_with_backend(disk);
        let database = database.map_err(|error| crate::folder::not_opened(folder, error))?;
        Self::of(database, None, folder)
    }

    fn of(database: Database, taken: Option<Folder>, folder: &Path) -> Result<Self, Error> {
        let store = Self {
            opened: RwLock::new(Some(Opened { database, taken })),
            folder: folder.to_owned(),
        };
        store.with("made ready", |database| {
            let write = database.begin_write()?;
            write.open_table(TOPICS)?;
            write.open_table(RECORDS)?;
            write.open_table(NEWEST)?;
            Ok(write.commit()?)
        })?;
        Ok(store)
    }

    /// Waits for whoever reads or writes at the moment, then gives the file free.
    ///
    /// Errors: the disk's, at the last write.
    pub(crate) fn close(&self) -> Result<(), Error> {
        let opened = self
            .opened
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        opened
            .map_or(Ok(()), |opened| opened.database.close())
            .map_err(|error| self.told("closed", error.into()))
    }

    /// What whoever comes after [`close`](Self::close) is told.
    pub(crate) fn closed(&self) -> Error {
        let message = format!("the journal in {} is closed", self.folder.display());
        Error::new(ErrorKind::Unavailable, message)
    }

    /// The topic of that name; makes it if it is missing and `create` says so.
    pub(crate) fn topic(&self, wanted: &TopicSpec, create: bool) -> Result<Topic, Error> {
        let found = self.with("read", |database| found(database, &wanted.name))?;
        let (id, partitions, kind) = match found {
            Some(found) => found,
            None if create => self.with("written", |database| make(database, wanted))?,
            None => {
                let message = format!("the topic {} is missing", wanted.name);
                return Err(
                    Error::new(ErrorKind::Misconfigured, message).with_page("topic-missing")
                );
            }
        };
        let kind = kind_of(kind).ok_or_else(|| {
            let message = format!("the topic {} is of an unknown kind {kind}", wanted.name);
            Error::new(ErrorKind::Unreadable, message)
        })?;
        wanted.check_found(partitions, kind)?;
        Ok(Topic {
            id,
            partitions,
            kind,
        })
    }

    /// Behind the last record of a partition.
    pub(crate) fn end(&self, place: Place) -> Result<Offset, Error> {
        self.with("read", |database| {
            let records = database.begin_read()?.open_table(RECORDS)?;
            let (first, last) = (key(place, 0), key(place, Offset::MAX));
            let last = records
                .range::<&[u8; KEY_BYTES]>(&first..=&last)?
                .next_back()
                .transpose()?;
            Ok(last.map_or(0, |(key, _)| offset_of(key.value()) + 1))
        })
    }

    /// The records from `from` on, as many as a batch holds.
    ///
    /// Errors: [`ErrorKind::Unreadable`] for one that is damaged.
    pub(crate) fn read(&self, place: Place, from: Offset) -> Result<Vec<Stored>, Error> {
        let found = self.with("read", |database| {
            let records = database.begin_read()?.open_table(RECORDS)?;
            let (first, last) = (key(place, from), key(place, Offset::MAX));
            let mut batch = Batch::default();
            for found in records.range::<&[u8; KEY_BYTES]>(&first..=&last)? {
                let (key, value) = found?;
                let offset = offset_of(key.value());
                let Some((record, time)) = codec::decode(value.value()) else {
                    return Ok(Err(offset));
                };
                let stored = Stored {
                    offset,
                    time,
                    record,
                };
                if batch.offer(stored).is_err() {
                    break;
                }
            }
            Ok(Ok(batch.into_records()))
        })?;
        found.map_err(|offset| {
            let folder = self.folder.display();
            let message = format!("the record at offset {offset} in {folder} is damaged");
            Error::new(ErrorKind::Unreadable, message).with_page("journal-damaged")
        })
    }

    /// Writes them all and syncs once: after `Ok` they are on the disk.
    pub(crate) fn write<'a>(
        &self,
        group: impl IntoIterator<Item = Placed<'a>>,
    ) -> Result<(), Failed> {
        let opened = self.opened();
        let opened = opened
            .as_ref()
            .ok_or_else(|| Failed::Before(self.closed()))?;
        let staged = stage(&opened.database, group);
        let staged = staged.map_err(|error| Failed::Before(self.told("written", error)))?;
        let committed = staged.commit().map_err(redb::Error::from);
        committed.map_err(|error| Failed::During(self.told("written", error)))
    }

    /// Writes all that is there into a new file, which takes the place of the old one: redb keeps what was
    /// deleted in pages that are free, until it needs them. Nobody reads or writes meanwhile.
    ///
    /// Errors: the disk's; then the old file is still there, or nobody can use the store any more.
    pub(crate) fn rewrite(&self) -> Result<(), Error> {
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        let Some(Opened {
            database,
            taken: Some(taken),
        }) = opened.take()
        else {
            return Err(self.closed());
        };
        let copied = taken.renew(&builder(&self.folder), |fresh| copy(&database, fresh));
        let closed = database.close();
        let replaced = copied.and_then(|()| {
            closed.map_err(|error| self.told("closed", error.into()))?;
            taken.replace()
        });
        let reopened = taken.database(&builder(&self.folder))?;
        *opened = Some(Opened {
            database: reopened,
            taken: Some(taken),
        });
        replaced
    }

    fn with<T>(
        &self,
        what: &str,
        work: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, Error> {
        let opened = self.opened();
        let opened = opened.as_ref().ok_or_else(|| self.closed())?;
        work(&opened.database).map_err(|error| self.told(what, error))
    }

    fn opened(&self) -> RwLockReadGuard<'_, Option<Opened>> {
        self.opened.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self, what: &str, error: redb::Error) -> Error {
        let folder = self.folder.display();
        let message = format!("the journal in {folder} cannot be {what}: {error}");
        let kind = if matches!(error, redb::Error::Corrupted(_)) {
            ErrorKind::Unreadable
        } else {
            ErrorKind::Unavailable
        };
        Error::new(kind, message).with_source(error)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

fn found(database: &Database, name: &str) -> Result<Option<(u32, u32, u8)>, redb::Error> {
    let topics = database.begin_read()?.open_table(TOPICS)?;
    let found = topics.get(name)?;
    Ok(found.map(|found| found.value()))
}

fn make(database: &Database, wanted: &TopicSpec) -> Result<(u32, u32, u8), redb::Error> {
    let write = database.begin_write()?;
    let topic = {
        let mut topics = write.open_table(TOPICS)?;
        let mut id = 0;
        for topic in topics.iter()? {
            id = id.max(topic?.1.value().0 + 1);
        }
        let topic = (id, wanted.partitions, number_of(wanted.kind));
        topics.insert(wanted.name.as_str(), topic)?;
        topic
    };
    write.commit()?;
    Ok(topic)
}

/// All rows of one file into another.
fn copy(from: &Database, to: &Database) -> Result<(), redb::Error> {
    let read = from.begin_read()?;
    let mut write = to.begin_write()?;
    write.set_durability(Durability::Immediate)?;
    {
        let mut topics = write.open_table(TOPICS)?;
        for row in read.open_table(TOPICS)?.iter()? {
            let (name, topic) = row?;
            topics.insert(name.value(), topic.value())?;
        }
        let mut records = write.open_table(RECORDS)?;
        for row in read.open_table(RECORDS)?.iter()? {
            let (key, record) = row?;
            records.insert(key.value(), record.value())?;
        }
        let mut newest = write.open_table(NEWEST)?;
        for row in read.open_table(NEWEST)?.iter()? {
            let (key, offset) = row?;
            newest.insert(key.value(), offset.value())?;
        }
    }
    Ok(write.commit()?)
}

fn stage<'a>(
    database: &Database,
    group: impl IntoIterator<Item = Placed<'a>>,
) -> Result<WriteTransaction, redb::Error> {
    let mut write = database.begin_write()?;
    write.set_durability(Durability::Immediate)?;
    {
        let mut records = write.open_table(RECORDS)?;
        let mut newest = write.open_table(NEWEST)?;
        for placed in group {
            records.insert(&key(placed.place, placed.offset), placed.bytes)?;
            let Some(record_key) = placed.supersedes else {
                continue;
            };
            let mut newest_key = prefix(placed.place).to_vec();
            newest_key.extend_from_slice(record_key);
            let before = newest.insert(newest_key.as_slice(), placed.offset)?;
            if let Some(before) = before.map(|before| before.value()) {
                records.remove(&key(placed.place, before))?;
            }
        }
    }
    Ok(write)
}

fn builder(folder: &Path) -> Builder {
    let mut builder = Builder::new();
    let folder = folder.display().to_string();
    builder.set_cache_size(CACHE_BYTES);
    let begun = AtomicBool::new(false);
    builder.set_repair_callback(move |_| {
        if !begun.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                folder,
                "the journal was not closed: all of its file is checked, which takes a while"
            );
        }
    });
    builder
}

fn prefix(place: Place) -> [u8; 8] {
    let both = u64::from(place.topic) << 32 | u64::from(place.partition);
    both.to_be_bytes()
}

fn key(place: Place, offset: Offset) -> [u8; KEY_BYTES] {
    let place = u128::from(u64::from_be_bytes(prefix(place)));
    (place << 64 | u128::from(offset)).to_be_bytes()
}

fn offset_of(key: &[u8; KEY_BYTES]) -> Offset {
    let low = u128::from_be_bytes(*key) & u128::from(u64::MAX);
    u64::try_from(low).unwrap_or(u64::MAX)
}

fn number_of(kind: Kind) -> u8 {
    match kind {
        Kind::Journal => 1,
        Kind::Public => 2,
        Kind::Keys => 3,
    }
}

fn kind_of(number: u8) -> Option<Kind> {
    [Kind::Journal, Kind::Public, Kind::Keys]
        .into_iter()
        .find(|kind| number_of(*kind) == number)
}
