//! Queues local commands for the same stream behind each other.
//!
//! Only an optimisation: without it, commands on one stream would append at once and all but one would be
//! decided again. Correctness rests on the acceptance rule alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use journal::StreamId;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// One queue for each stream that is being written to.
#[derive(Debug, Default)]
pub(crate) struct StreamLocks(Mutex<HashMap<StreamId, Arc<AsyncMutex<()>>>>);

/// A place at the head of a stream's queue, until it is dropped.
#[derive(Debug)]
pub(crate) struct StreamLock<'a> {
    locks: &'a StreamLocks,
    stream: StreamId,
    guard: Option<OwnedMutexGuard<()>>,
}

impl StreamLocks {
    /// Waits for its turn.
    pub(crate) async fn lock(&self, stream: &StreamId) -> StreamLock<'_> {
        let queue = Arc::clone(self.queues().entry(stream.clone()).or_default());
        // The place in line exists before the wait, so that a caller who gives up cleans up too.
        let mut lock = StreamLock {
            locks: self,
            stream: stream.clone(),
            guard: None,
        };
        lock.guard = Some(queue.lock_owned().await);
        lock
    }

    fn queues(&self) -> std::sync::MutexGuard<'_, HashMap<StreamId, Arc<AsyncMutex<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for StreamLock<'_> {
    fn drop(&mut self) {
        let mut queues = self.locks.queues();
        self.guard = None;
        // Whoever waits holds a handle of its own: one handle left means that nobody does.
        if queues
            .get(&self.stream)
            .is_some_and(|queue| Arc::strong_count(queue) == 1)
        {
            queues.remove(&self.stream);
        }
    }
}

#[cfg(test)]
mod tests {
    use journal::StreamId;

    use super::StreamLocks;

    #[tokio::test]
    async fn a_stream_nobody_writes_to_costs_no_memory() {
        let locks = StreamLocks::default();
        let stream = StreamId::new("customers/a").unwrap();
        let first = locks.lock(&stream).await;
        let (second, ()) = tokio::join!(locks.lock(&stream), async { drop(first) });
        assert_eq!(locks.queues().len(), 1);
        drop(second);
        assert!(locks.queues().is_empty());
    }

    #[tokio::test]
    async fn a_caller_that_gives_up_leaves_no_queue_behind() {
        let locks = StreamLocks::default();
        let stream = StreamId::new("customers/a").unwrap();
        let first = locks.lock(&stream).await;
        tokio::select! {
            biased;
            _ = locks.lock(&stream) => panic!("it was taken"),
            () = std::future::ready(()) => {}
        }
        drop(first);
        assert!(locks.queues().is_empty());
    }
}
