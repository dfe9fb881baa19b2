//! Who waits for which commit to be judged.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use journal::Offset;
use tokio::sync::oneshot;
use uuid::Uuid;

/// What the acceptance rule said of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted { offset: Offset },
    Ignored,
}

/// Commits whose writers are still there.
#[derive(Debug, Default)]
pub(crate) struct Waiters(Mutex<HashMap<Uuid, oneshot::Sender<Verdict>>>);

impl Waiters {
    /// Registers interest; to be done before the append, or the verdict may come first.
    pub(crate) fn register(&self, commit_id: Uuid) -> oneshot::Receiver<Verdict> {
        let (sender, receiver) = oneshot::channel();
        self.lock().insert(commit_id, sender);
        receiver
    }

    /// Forgets a commit that nobody waits for any more.
    pub(crate) fn forget(&self, commit_id: Uuid) {
        self.lock().remove(&commit_id);
    }

    /// Tells the writer, if it is one of ours and still there. A doubled record finds nobody.
    pub(crate) fn resolve(&self, commit_id: Uuid, verdict: Verdict) {
        if let Some(sender) = self.lock().remove(&commit_id) {
            // The writer may have given up at its deadline; the commit stands all the same.
            let _ = sender.send(verdict);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, oneshot::Sender<Verdict>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
