//! How far this replica has applied, and waiting for it to get there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use journal::{Offset, Partition};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// The next offset to apply of each partition, for whoever waits.
///
/// Waiters are woken in the order in which they came (a `watch` would wake them in an order of its own
/// chance), so that a simulated run repeats exactly.
#[derive(Debug, Clone)]
pub(crate) struct Progress(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    offsets: Mutex<Offsets>,
    changed: Arc<Notify>,
}

#[derive(Debug)]
struct Offsets {
    /// Moves after the rows do: below this, everything is there to be read.
    applied: Vec<Offset>,
    /// Moves before the rows do: beyond this, nothing can have been read.
    announced: Vec<Offset>,
}

impl Progress {
    pub(crate) fn at(offsets: Vec<Offset>) -> Self {
        Self(Arc::new(Shared {
            offsets: Mutex::new(Offsets {
                applied: offsets.clone(),
                announced: offsets,
            }),
            changed: Arc::default(),
        }))
    }

    /// Everything before these offsets is applied.
    pub(crate) fn offsets(&self) -> Vec<Offset> {
        self.lock().applied.clone()
    }

    /// Whoever reads the rows and then asks here has seen nothing beyond: the token for a later query.
    pub(crate) fn announced(&self) -> Vec<Offset> {
        self.lock().announced.clone()
    }

    pub(crate) fn of(&self, partition: Partition) -> Offset {
        at(&self.lock().applied, partition)
    }

    /// To be called before the rows show it.
    pub(crate) fn announce(&self, applying: &[(Partition, Offset)]) {
        advance(&mut self.lock().announced, applying);
    }

    /// To be called after the rows show it.
    pub(crate) fn advance(&self, applied: &[(Partition, Offset)]) {
        advance(&mut self.lock().applied, applied);
        self.0.changed.notify_waiters();
    }

    /// The next advance after this call, whenever the answer is awaited.
    pub(crate) fn changed(&self) -> OwnedNotified {
        Arc::clone(&self.0.changed).notified_owned()
    }

    /// Waits until everything before `offset` of `partition` is applied.
    pub(crate) async fn reach(&self, partition: Partition, offset: Offset) {
        loop {
            // Asked for before the look, so that an advance right after it is not missed.
            let changed = self.changed();
            if self.of(partition) >= offset {
                return;
            }
            changed.await;
        }
    }

    /// Waits until everything before all of `targets` is applied.
    pub(crate) async fn reach_all(&self, targets: &[Offset]) {
        for (partition, offset) in (0..).zip(targets) {
            self.reach(partition, *offset).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Offsets> {
        self.0
            .offsets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn advance(offsets: &mut [Offset], to: &[(Partition, Offset)]) {
    for (partition, next) in to {
        if let Some(offset) = offsets.get_mut(*partition as usize) {
            *offset = *next;
        }
    }
}

fn at(offsets: &[Offset], partition: Partition) -> Offset {
    offsets
        .get(partition as usize)
        .copied()
        .unwrap_or(Offset::MAX)
}
