//! What the writer, the readers and the flusher of a store share, and how they take turns.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::damage::Damage;
use crate::disk::Disk;
use crate::overlay::{Epoch, Layers, Overlay};
use crate::summary::Summary;
use crate::{Error, Snapshot};

/// When to freeze, and how far commits may run ahead of the flusher.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) rows: usize,
    pub(crate) bytes: usize,
    pub(crate) after: Duration,
}

/// The active overlay may grow to this many times the limits while a flush is under way.
const HARD: usize = 4;

/// One store: its layers under a lock held for microseconds, and sled beside it.
#[derive(Debug)]
pub(crate) struct Shared {
    control: Mutex<Control>,
    /// Told when there may be something to freeze.
    work: Condvar,
    /// Told when a batch is in sled, or will never be.
    settled: Condvar,
    stopping: AtomicBool,
    limits: Limits,
    damage: Arc<Damage>,
    disk: Option<Disk>,
}

#[derive(Debug)]
struct Control {
    layers: Layers,
    /// Counts commits, so that a transaction knows whether it is stale.
    version: u64,
    /// The version up to which everything is frozen, in sled, and asked to be in sled.
    frozen: u64,
    durable: u64,
    wanted: u64,
    active_bytes: usize,
    /// When the oldest commit that is not frozen yet was made.
    waiting_since: Option<Instant>,
    epoch: Epoch,
    epoch_ended: Receiver<std::convert::Infallible>,
}

/// The commits that go into sled together.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) rows: Overlay,
    pub(crate) summary: Summary,
    version: u64,
}

/// A changed row, with what the change does to the size of the overlay.
pub(crate) type Change = (Bytes, Option<Bytes>);

impl Shared {
    pub(crate) fn new(
        disk: Option<Disk>,
        summary: Summary,
        limits: Limits,
        damage: Arc<Damage>,
    ) -> Self {
        let (epoch, epoch_ended) = mpsc::channel();
        let control = Control {
            layers: Layers {
                summary,
                ..Layers::default()
            },
            version: 0,
            frozen: 0,
            durable: 0,
            wanted: 0,
            active_bytes: 0,
            waiting_since: None,
            epoch,
            epoch_ended,
        };
        Self {
            control: Mutex::new(control),
            work: Condvar::new(),
            settled: Condvar::new(),
            stopping: AtomicBool::new(false),
            limits,
            damage,
            disk,
        }
    }

    pub(crate) fn damage(&self) -> &Damage {
        &self.damage
    }

    pub(crate) fn disk(&self) -> Option<&Disk> {
        self.disk.as_ref()
    }

    /// The rows as they are now, and the version to commit against.
    pub(crate) fn snapshot(&self) -> Result<(Snapshot<'_>, u64), Error> {
        self.damage.check()?;
        let control = self.lock();
        let snapshot = Snapshot::new(
            control.layers.clone(),
            self.disk.as_ref(),
            control.epoch.clone(),
        );
        Ok((snapshot, control.version))
    }

    pub(crate) fn summary(&self) -> Summary {
        self.lock().layers.summary
    }

    /// How many changed rows are in memory only.
    pub(crate) fn unflushed_rows(&self) -> usize {
        let control = self.lock();
        match self.disk {
            Some(_) => control.layers.active.size() + control.layers.frozen.size(),
            None => 0,
        }
    }

    /// Makes the changes visible, all at once. Waits while the flusher is too far behind, so the
    /// caller must hold no snapshot.
    pub(crate) fn apply(
        &self,
        version: u64,
        changes: Vec<Change>,
        summary: Summary,
        grown: usize,
    ) -> Result<(), Error> {
        let mut control = self.lock();
        while self.disk.is_some() && control.exceeds(&self.limits, HARD) {
            self.damage.check()?;
            control = self
                .settled
                .wait(control)
                .unwrap_or_else(PoisonError::into_inner);
        }
        self.damage.check()?;
        if control.version != version {
            return Err(Error::Stale);
        }
        for (key, value) in changes {
            if value.is_none() && self.disk.is_none() {
                control.layers.active.remove_mut(&key);
            } else {
                control.layers.active.insert_mut(key, value);
            }
        }
        control.version += 1;
        control.layers.summary = summary;
        control.active_bytes = control.active_bytes.saturating_add(grown);
        if control.waiting_since.is_none() || control.exceeds(&self.limits, 1) {
            control.waiting_since.get_or_insert_with(Instant::now);
            self.work.notify_one();
        }
        Ok(())
    }

    /// Waits until every commit made before is in sled.
    pub(crate) fn flush(&self) -> Result<(), Error> {
        if self.disk.is_none() {
            return Ok(());
        }
        let mut control = self.lock();
        control.wanted = control.version;
        let version = control.version;
        self.work.notify_one();
        while control.durable < version {
            self.damage.check()?;
            control = self
                .settled
                .wait(control)
                .unwrap_or_else(PoisonError::into_inner);
        }
        self.damage.check()
    }

    /// For the flusher: waits for something to write, freezes it, and waits until nobody looks at
    /// the rows as they were before. `None`: the store is being dropped.
    pub(crate) fn next_batch(&self) -> Option<Batch> {
        let mut control = self.lock();
        loop {
            if self.is_stopping() {
                return None;
            }
            let waiting = control.waiting_since.map(|since| since.elapsed());
            let rest = waiting.map(|waiting| self.limits.after.saturating_sub(waiting));
            control = match rest {
                None => self
                    .work
                    .wait(control)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(rest) if !rest.is_zero() && !control.is_due(&self.limits) => {
                    let waited = self.work.wait_timeout(control, rest);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                Some(_) => break,
            };
        }
        let (batch, readers) = control.freeze();
        drop(control);
        // Nothing is ever sent: this returns when the last clone of the sender is gone.
        let _ = readers.recv();
        Some(batch)
    }

    /// For the flusher: the batch is in sled, and need not be kept above it.
    pub(crate) fn batch_written(&self, batch: &Batch) {
        let mut control = self.lock();
        control.layers.frozen = Overlay::new_sync();
        control.durable = batch.version;
        self.settled.notify_all();
    }

    /// There will be no further batch: everybody who waits for one is told why.
    pub(crate) fn fail(&self, reason: String) {
        self.damage.note(reason);
        // Under the lock, so that nobody can be between looking at the damage and waiting.
        let _control = self.lock();
        self.settled.notify_all();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Ends the flusher at the next row.
    pub(crate) fn stop(&self) {
        let _control = self.lock();
        self.stopping.store(true, Ordering::Relaxed);
        self.work.notify_all();
    }

    /// No code that can panic runs under this lock, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Control {
    fn exceeds(&self, limits: &Limits, times: usize) -> bool {
        self.layers.active.size() >= limits.rows.saturating_mul(times)
            || self.active_bytes >= limits.bytes.saturating_mul(times)
    }

    fn is_due(&self, limits: &Limits) -> bool {
        self.wanted > self.frozen || self.exceeds(limits, 1)
    }

    fn freeze(&mut self) -> (Batch, Receiver<std::convert::Infallible>) {
        self.layers.summary.batch += 1;
        self.layers.frozen = std::mem::replace(&mut self.layers.active, Overlay::new_sync());
        self.frozen = self.version;
        self.active_bytes = 0;
        self.waiting_since = None;
        let (epoch, ended) = mpsc::channel();
        self.epoch = epoch;
        let readers = std::mem::replace(&mut self.epoch_ended, ended);
        let summary = self.layers.summary;
        (
            Batch {
                rows: self.layers.frozen.clone(),
                summary,
                version: self.version,
            },
            readers,
        )
    }
}
