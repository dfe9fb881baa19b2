//! How far this replica has applied, and waiting for it to get there.

use std::sync::{Arc, Mutex, PoisonError};

use journal::{Offset, Partition};
use tokio::sync::watch;

/// The next offset to apply of each partition, for whoever waits.
#[derive(Debug, Clone)]
pub(crate) struct Progress(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Moves after the rows do: below this, everything is there to be read.
    applied: watch::Sender<Vec<Offset>>,
    /// Moves before the rows do: beyond this, nothing can have been read.
    announced: Mutex<Vec<Offset>>,
}

impl Progress {
    pub(crate) fn at(offsets: Vec<Offset>) -> Self {
        Self(Arc::new(Shared {
            applied: watch::Sender::new(offsets.clone()),
            announced: Mutex::new(offsets),
        }))
    }

    /// Everything before these offsets is applied.
    pub(crate) fn offsets(&self) -> Vec<Offset> {
        self.0.applied.borrow().clone()
    }

    /// Whoever reads the rows and then asks here has seen nothing beyond: the token for a later query.
    pub(crate) fn announced(&self) -> Vec<Offset> {
        let announced = self.0.announced.lock();
        announced.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn of(&self, partition: Partition) -> Offset {
        at(&self.0.applied.borrow(), partition)
    }

    /// To be called before the rows show it.
    pub(crate) fn announce(&self, applying: &[(Partition, Offset)]) {
        let announced = self.0.announced.lock();
        advance(
            &mut announced.unwrap_or_else(PoisonError::into_inner),
            applying,
        );
    }

    /// To be called after the rows show it.
    pub(crate) fn advance(&self, applied: &[(Partition, Offset)]) {
        self.0
            .applied
            .send_modify(|offsets| advance(offsets, applied));
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Vec<Offset>> {
        self.0.applied.subscribe()
    }

    /// Waits until everything before `offset` of `partition` is applied.
    pub(crate) async fn reach(&self, partition: Partition, offset: Offset) {
        let mut offsets = self.0.applied.subscribe();
        // The sender is in `self`, so the wait cannot end by its going away.
        drop(
            offsets
                .wait_for(|offsets| at(offsets, partition) >= offset)
                .await,
        );
    }

    /// Waits until everything before all of `targets` is applied.
    pub(crate) async fn reach_all(&self, targets: &[Offset]) {
        for (partition, offset) in (0..).zip(targets) {
            self.reach(partition, *offset).await;
        }
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
