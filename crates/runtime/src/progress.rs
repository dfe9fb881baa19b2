//! How far this replica has applied, and waiting for it to get there.

use std::sync::Arc;

use journal::{Offset, Partition};
use tokio::sync::watch;

/// The next offset to apply of each partition, for whoever waits.
#[derive(Debug, Clone)]
pub(crate) struct Progress(Arc<watch::Sender<Vec<Offset>>>);

impl Progress {
    pub(crate) fn at(offsets: Vec<Offset>) -> Self {
        Self(Arc::new(watch::Sender::new(offsets)))
    }

    pub(crate) fn offsets(&self) -> Vec<Offset> {
        self.0.borrow().clone()
    }

    pub(crate) fn of(&self, partition: Partition) -> Offset {
        at(&self.0.borrow(), partition)
    }

    pub(crate) fn advance(&self, applied: &[(Partition, Offset)]) {
        self.0.send_modify(|offsets| {
            for (partition, next) in applied {
                if let Some(offset) = offsets.get_mut(*partition as usize) {
                    *offset = *next;
                }
            }
        });
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Vec<Offset>> {
        self.0.subscribe()
    }

    /// Waits until everything before `offset` of `partition` is applied.
    pub(crate) async fn reach(&self, partition: Partition, offset: Offset) {
        let mut offsets = self.0.subscribe();
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

fn at(offsets: &[Offset], partition: Partition) -> Offset {
    offsets
        .get(partition as usize)
        .copied()
        .unwrap_or(Offset::MAX)
}
