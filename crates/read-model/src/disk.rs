//! sled behind a guard: its panics become errors, and what it says at open is verified.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use std::{fmt, fs};

use bytes::Bytes;

use crate::damage::{Damage, panic_text};
use crate::filter::Filter;
use crate::patience::{Progress, patiently};
use crate::redo::Redo;
use crate::summary::{Identity, Summary};
use crate::{Direction, Error, KeyRange, Visitor};

const SUMMARY: &str = "summary";
/// sled gives its file lock back a moment after the database was dropped.
const LOCK_RETRY: Duration = Duration::from_millis(10);
const LOCK_RETRIES: u32 = 500;

/// A sled database that answers or fails, and never panics or lies unnoticed.
pub(crate) struct Disk {
    trees: Option<Trees>,
    damage: Arc<Damage>,
    /// The keys of the rows that may be in it.
    filter: Filter,
}

struct Trees {
    db: sled::Db,
    rows: sled::Tree,
}

/// How to open a generation.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    pub(crate) identity: Identity,
    pub(crate) cache_bytes: u64,
    /// An open that makes no progress for this long is given up.
    pub(crate) patience: Duration,
}

impl Disk {
    /// Opens the generation's folder, finishes the batch that a crash interrupted, and verifies
    /// every row against the digest. `None` as the summary: nothing was ever written.
    /// Any doubt is [`Error::Damaged`]; the work is done on a thread that may panic or hang.
    pub(crate) fn open(
        generation: &Path,
        opening: &Opening,
        damage: &Arc<Damage>,
    ) -> Result<(Self, Option<Summary>), Error> {
        let (generation, opening) = (generation.to_path_buf(), opening.clone());
        let damage = Arc::clone(damage);
        // sled reads its log before it says anything, which takes longer the more there is.
        let patience = opening.patience + Duration::from_secs(bytes_in(&generation) >> 26);
        patiently(patience, move |progress| {
            open_verified(&generation, &opening, damage, progress)
        })
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        if !self.filter.may_have(key) {
            self.damage.check()?;
            return Ok(None);
        }
        let found = self.guarded("get a row", |trees| trees.rows.get(key))?;
        Ok(found.map(|value| Bytes::copy_from_slice(&value)))
    }

    pub(crate) fn visit(
        &self,
        range: &KeyRange,
        direction: Direction,
        visit: &mut Visitor<'_>,
    ) -> Result<(), Error> {
        let mut rows = self.guarded("scan", |trees| {
            Ok(trees.rows.range::<&[u8], _>(range.bounds()))
        })?;
        loop {
            let next = self.guarded("scan", |_| match direction {
                Direction::Forward => rows.next().transpose(),
                Direction::Reverse => rows.next_back().transpose(),
            })?;
            match next {
                Some((key, value)) if visit(&key, &value).is_continue() => {}
                _ => return Ok(()),
            }
        }
    }

    /// Writes one row. Atomic with nothing: see [`crate::redo`].
    pub(crate) fn write(&self, key: &[u8], value: Option<&[u8]>) -> Result<(), Error> {
        // Before the row is in sled alone: until the batch is written, an overlay has it.
        if value.is_some() {
            self.filter.add(key);
        }
        self.guarded("write a row", |trees| match value {
            Some(value) => trees.rows.insert(key, value).map(drop),
            None => trees.rows.remove(key).map(drop),
        })
    }

    /// Ends a batch: its summary, and everything handed to the operating system.
    pub(crate) fn finish_batch(&self, summary: &[u8]) -> Result<(), Error> {
        self.guarded("finish a batch", |trees| {
            trees.db.insert(SUMMARY, summary)?;
            trees.db.flush().map(drop)
        })
    }

    fn summary(&self) -> Result<Option<(Summary, Identity)>, Error> {
        let found = self.guarded("get the summary", |trees| trees.db.get(SUMMARY))?;
        found.map(|bytes| Summary::decode(&bytes)).transpose()
    }

    /// Every call into sled goes through here.
    fn guarded<T>(
        &self,
        doing: &str,
        call: impl FnOnce(&Trees) -> sled::Result<T>,
    ) -> Result<T, Error> {
        self.damage.check()?;
        let trees = self
            .trees
            .as_ref()
            .ok_or_else(|| Error::damaged("it is closed"))?;
        match catch_unwind(AssertUnwindSafe(|| call(trees))) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.damage.note(format!("sled failed to {doing}: {error}"))),
            Err(panic) => {
                let said = panic_text(&*panic);
                Err(self
                    .damage
                    .note(format!("sled panicked when asked to {doing}: {said}")))
            }
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let trees = self.trees.take();
        let close = move || {
            if catch_unwind(AssertUnwindSafe(|| drop(trees))).is_err() {
                tracing::warn!("sled panicked when it was closed");
            }
        };
        if self.damage.reason().is_none() {
            close();
        } else if let Err(error) = thread::Builder::new().spawn(close) {
            // Closing a damaged sled may hang, so nobody waits for it.
            tracing::warn!(%error, "no thread to close a damaged sled on");
        }
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk")
            .field("damage", &self.damage)
            .finish_non_exhaustive()
    }
}

/// How many bytes the files of a folder hold; what cannot be read counts nothing.
fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let bytes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_in(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    bytes.sum()
}

fn open_verified(
    generation: &Path,
    opening: &Opening,
    damage: Arc<Damage>,
    progress: &Progress,
) -> Result<(Disk, Option<Summary>), Error> {
    let trees = open_trees(&generation.join("sled"), opening.cache_bytes, progress)
        .map_err(|error| Error::damaged(format!("sled does not open: {error}")))?;
    // A reason found while opening belongs to this attempt, not to the store that comes of it.
    let mut disk = Disk {
        trees: Some(trees),
        damage: Arc::default(),
        filter: Filter::new(),
    };
    let stored = disk.summary()?;
    if let Some((_, found)) = &stored {
        check_identity(found, &opening.identity, generation)?;
    }
    let redone = redo(&disk, &Redo::new(generation), opening, progress)?;
    let summary = redone.or(stored.map(|(summary, _)| summary));
    verify(&disk, summary.unwrap_or_default(), progress)?;
    disk.damage = damage;
    Ok((disk, summary))
}

fn open_trees(path: &Path, cache_bytes: u64, progress: &Progress) -> sled::Result<Trees> {
    // No flusher thread of sled's own: the batches flush.
    let config = sled::Config::new()
        .path(path)
        .cache_capacity(cache_bytes)
        .flush_every_ms(None);
    let mut retries = LOCK_RETRIES;
    let db = loop {
        match config.open() {
            Err(sled::Error::Io(error)) if retries > 0 && is_lock(&error) => {
                retries -= 1;
                progress.step();
                thread::sleep(LOCK_RETRY);
            }
            opened => break opened?,
        }
    };
    Ok(Trees {
        rows: db.open_tree("rows")?,
        db,
    })
}

/// sled says so in words only.
fn is_lock(error: &std::io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

fn check_identity(found: &Identity, wanted: &Identity, generation: &Path) -> Result<(), Error> {
    if found.service != wanted.service {
        let folder = generation.parent().unwrap_or(generation).to_path_buf();
        return Err(Error::OtherService {
            folder,
            found: found.service.clone(),
        });
    }
    if found.schema != wanted.schema {
        return Err(Error::damaged(format!(
            "it holds rows of schema {}",
            found.schema
        )));
    }
    Ok(())
}

/// Writes the batch again that was on its way into sled when the process ended.
fn redo(
    disk: &Disk,
    redo: &Redo,
    opening: &Opening,
    progress: &Progress,
) -> Result<Option<Summary>, Error> {
    let Some(batch) = redo.read()? else {
        return Ok(None);
    };
    let (summary, found) = Summary::decode(&batch.summary)?;
    if found != opening.identity {
        return Err(Error::damaged(
            "the interrupted batch belongs to another store",
        ));
    }
    for (key, value) in &batch.rows {
        disk.write(key, value.as_deref())?;
        progress.step();
    }
    disk.finish_batch(&batch.summary)?;
    redo.clear()?;
    tracing::info!(
        rows = batch.rows.len(),
        "finished an interrupted batch of the read model"
    );
    Ok(Some(summary))
}

fn verify(disk: &Disk, expected: Summary, progress: &Progress) -> Result<(), Error> {
    let mut found = Summary {
        batch: expected.batch,
        ..Summary::default()
    };
    disk.visit(&KeyRange::all(), Direction::Forward, &mut |key, value| {
        found.replace(key, None, Some(value));
        disk.filter.add(key);
        progress.step();
        std::ops::ControlFlow::Continue(())
    })?;
    if found == expected {
        return Ok(());
    }
    Err(Error::damaged(format!(
        "after batch {} there must be {} rows with digest {}, but there are {} with {}",
        expected.batch, expected.rows, expected.digest, found.rows, found.digest
    )))
}
