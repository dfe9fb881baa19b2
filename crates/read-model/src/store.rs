//! The store: one writer's transactions, any number of readers' snapshots, sled underneath or not.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;

use crate::damage::Damage;
use crate::disk::{Disk, Opening};
use crate::generation::Folder;
use crate::redo::Redo;
use crate::scratch::Staged;
use crate::shared::{Limits, Shared};
use crate::summary::{Identity, Summary};
use crate::{Digest, Direction, Error, KeyRange, Rows, RowsMut, Snapshot, Visitor, flusher};

/// How a store on disk is opened. Everything but the service and its schema has a default.
#[derive(Debug, Clone)]
pub struct Options {
    /// The name of the service, which owns the folder.
    pub service: String,
    /// The service's number for the shape of its rows; another number is another generation.
    pub schema: u32,
    /// Commits go to sled when they have changed this many rows; 20,000.
    pub flush_rows: usize,
    /// ... or this many bytes; 8 MiB.
    pub flush_bytes: usize,
    /// ... or when the oldest is this old; 200 ms.
    pub flush_after: Duration,
    /// An open that makes no progress for this long, and a second more for each 64 MiB, counts as
    /// damage; 30 s.
    pub patience: Duration,
    /// The size of sled's page cache; 16 MiB.
    pub cache_bytes: u64,
}

impl Options {
    /// The defaults.
    pub fn new(service: impl Into<String>, schema: u32) -> Self {
        Self {
            service: service.into(),
            schema,
            flush_rows: 20_000,
            flush_bytes: 8 << 20,
            flush_after: Duration::from_millis(200),
            patience: Duration::from_secs(30),
            cache_bytes: 16 << 20,
        }
    }
}

/// A read model. Clones are handles to the same store; when the last one is dropped the store is
/// closed without a flush (what is not in sled comes again from the log; see [`Store::flush`]).
#[derive(Debug, Clone)]
pub struct Store {
    core: Arc<Core>,
}

/// The fields are dropped in this order: sled is closed before the folder is given back.
#[derive(Debug)]
struct Core {
    flusher: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
    home: Option<Home>,
}

#[derive(Debug)]
struct Home {
    folder: Folder,
    schema: u32,
    is_fresh: bool,
}

impl Store {
    /// Opens the generation of `options.schema` in this folder, or begins one.
    ///
    /// Verifies all rows first. A generation that is damaged in any way is moved aside, the reason
    /// is logged, and an empty one takes its place ([`Store::is_fresh`]). So this fails only with
    /// [`Error::InUse`], [`Error::OtherService`], or where a new folder cannot be written either.
    pub fn open(dir: impl AsRef<Path>, options: &Options) -> Result<Self, Error> {
        let folder = Folder::claim(dir.as_ref())?;
        let identity = Identity {
            service: options.service.clone(),
            schema: options.schema,
        };
        let damage = Arc::new(Damage::default());
        let opening = Opening {
            identity: identity.clone(),
            cache_bytes: options.cache_bytes,
            patience: options.patience,
        };
        let (generation, disk, summary) = open_or_replace(&folder, &opening, &damage)?;
        let limits = Limits {
            rows: options.flush_rows,
            bytes: options.flush_bytes,
            after: options.flush_after,
        };
        let shared = Arc::new(Shared::new(
            Some(disk),
            summary.unwrap_or_default(),
            limits,
            damage,
        ));
        let flusher = flusher::start(Arc::clone(&shared), Redo::new(&generation), identity)
            .map_err(Error::io("start a flusher for", &generation))?;
        let home = Home {
            folder,
            schema: options.schema,
            is_fresh: summary.is_none(),
        };
        Ok(Self {
            core: Arc::new(Core {
                flusher: Some(flusher),
                shared,
                home: Some(home),
            }),
        })
    }

    /// A store that is in memory only: no file, no thread.
    pub fn in_memory() -> Self {
        let limits = Limits {
            rows: usize::MAX,
            bytes: usize::MAX,
            after: Duration::MAX,
        };
        let shared = Shared::new(None, Summary::default(), limits, Arc::default());
        Self {
            core: Arc::new(Core {
                flusher: None,
                shared: Arc::new(shared),
                home: None,
            }),
        }
    }

    /// Lets `look` read the rows as they are now; commits and flushes meanwhile do not show.
    /// Neither waits for the other, but a flush begun meanwhile waits for `look` to return, so
    /// `look` must neither call [`Store::flush`] nor wait for a commit.
    pub fn read<T, E: From<Error>>(
        &self,
        look: impl FnOnce(&Snapshot<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let (snapshot, _) = self.core.shared.snapshot()?;
        look(&snapshot)
    }

    /// Begins a transaction of the one writer. As with [`Store::read`], do not flush while it is
    /// open.
    pub fn begin(&self) -> Result<Tx<'_>, Error> {
        let (base, version) = self.core.shared.snapshot()?;
        Ok(Tx {
            base,
            version,
            staged: Staged::default(),
        })
    }

    /// Makes a transaction of this store visible as a whole, in memory. Waits only when sled is so
    /// far behind that memory would have no bound. [`Error::Stale`]: there are two writers.
    pub fn commit(&self, tx: Tx<'_>) -> Result<(), Error> {
        let Tx {
            base,
            version,
            staged,
        } = tx;
        let mut summary = base.layers().summary;
        let mut changes = Vec::with_capacity(staged.0.len());
        let mut grown = 0_usize;
        for (key, new) in staged.0 {
            // A row that is changed again before it is frozen takes the place of its older self.
            let (old, room) = match base.layers().active.get(&key) {
                Some(old) => (old.clone(), old.as_ref().map_or(0, Bytes::len)),
                None => (base.get_below(&key)?, 0),
            };
            if old == new {
                continue;
            }
            summary.replace(&key, old.as_deref(), new.as_deref());
            let size = new.as_ref().map_or(0, Bytes::len);
            grown += if room == 0 {
                key.len() + size
            } else {
                size.saturating_sub(room)
            };
            changes.push((key, new));
        }
        // The flusher may wait for this snapshot, and the commit for the flusher.
        drop(base);
        if changes.is_empty() {
            return Ok(());
        }
        self.core.shared.apply(version, changes, summary, grown)
    }

    /// Waits until every commit made before is in sled. At once in memory.
    pub fn flush(&self) -> Result<(), Error> {
        self.core.shared.flush()
    }

    /// The digest of all rows as they are now.
    pub fn digest(&self) -> Digest {
        self.core.shared.summary().digest
    }

    /// How many rows there are.
    pub fn row_count(&self) -> u64 {
        self.core.shared.summary().rows
    }

    /// How many changed rows are not in sled yet.
    pub fn unflushed_rows(&self) -> usize {
        self.core.shared.unflushed_rows()
    }

    /// Whether it was opened without any row, so that it must be built from the log's beginning.
    pub fn is_fresh(&self) -> bool {
        self.core.home.as_ref().is_none_or(|home| home.is_fresh)
    }

    /// Whether it answers nothing but [`Error::Damaged`] any more: drop it and open it again.
    pub fn is_damaged(&self) -> bool {
        self.core.shared.damage().reason().is_some()
    }

    /// Declares the store damaged, by somebody who found a row that cannot be right.
    pub fn declare_damaged(&self, reason: impl Into<String>) {
        self.core.shared.fail(reason.into());
    }

    /// Deletes the generations of other schemas: this one has caught up. Gives back how many.
    pub fn retire_other_generations(&self) -> Result<usize, Error> {
        self.core
            .home
            .as_ref()
            .map_or(Ok(0), |home| home.folder.retire_others(home.schema))
    }
}

fn open_or_replace(
    folder: &Folder,
    opening: &Opening,
    damage: &Arc<Damage>,
) -> Result<(PathBuf, Disk, Option<Summary>), Error> {
    let generation = folder.generation(opening.identity.schema)?;
    match Disk::open(&generation, opening, damage) {
        Ok((disk, summary)) => Ok((generation, disk, summary)),
        Err(reason) if reason.is_damage() => {
            let aside = folder.move_aside(&generation)?;
            tracing::warn!(
                service = opening.identity.service,
                schema = opening.identity.schema,
                moved_to = %aside.display(),
                %reason,
                "read model does not verify; an empty one takes its place and is built from the log"
            );
            let generation = folder.generation(opening.identity.schema)?;
            let (disk, summary) = Disk::open(&generation, opening, damage)?;
            Ok((generation, disk, summary))
        }
        Err(error) => Err(error),
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.shared.stop();
        if let Some(flusher) = self.flusher.take()
            && flusher.join().is_err()
        {
            tracing::warn!("the flusher of the read model panicked");
        }
    }
}

/// A transaction: reads see what it staged, others see it after [`Store::commit`], or never.
pub struct Tx<'a> {
    base: Snapshot<'a>,
    version: u64,
    staged: Staged,
}

impl fmt::Debug for Tx<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tx")
            .field("staged", &self.staged.0.len())
            .finish_non_exhaustive()
    }
}

impl Rows for Tx<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        self.staged.get(&self.base, key)
    }

    fn visit(
        &self,
        range: &KeyRange,
        direction: Direction,
        visit: &mut Visitor<'_>,
    ) -> Result<(), Error> {
        self.staged.visit(&self.base, range, direction, visit)
    }
}

impl RowsMut for Tx<'_> {
    fn put(&mut self, key: Bytes, value: Bytes) {
        self.staged.set(key, Some(value));
    }

    fn delete(&mut self, key: Bytes) {
        self.staged.set(key, None);
    }
}
