//! Policies as to-do lists: what the rows say is due is done, and done once however many instances try.
//!
//! A policy keeps no memory of its own. What is due is a function of the rows, and doing it changes the
//! rows so that it is due no longer. Each doing is a command with a request id that is worked out from the
//! trigger, so ten instances that do the same thing at the same moment do it once, and a replay does nothing.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use read_model::Rows;
use tokio_util::sync::CancellationToken;

use crate::{Engine, Service};

/// When something has happened, something else must follow.
pub trait Policy<S: Service>: Debug + Send + Sync + 'static {
    /// Its name, for the log.
    fn name(&self) -> &'static str;

    /// What is due now, at most `limit` items.
    fn due(&self, rows: &dyn Rows, limit: usize) -> Result<Vec<Todo>, read_model::Error>;

    /// Does one thing that is due. An error is tried again after a pause.
    fn perform(&self, engine: Arc<Engine<S>>, todo: Todo)
    -> BoxFuture<'static, Result<(), String>>;
}

/// One thing that is due: the policy's own key for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Todo(pub String);

const AT_ONCE: usize = 64;
/// Rows change thousands of times a second under load; what is due is looked up less often.
const BREATH: Duration = Duration::from_millis(5);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Performs a policy until it is stopped.
pub(crate) async fn run<S: Service>(
    engine: Arc<Engine<S>>,
    policy: Arc<dyn Policy<S>>,
    stop: CancellationToken,
) -> Result<(), read_model::Error> {
    let mut pause = FIRST_PAUSE;
    loop {
        // Asked for before the look, so that a change during the look is not missed.
        let changed = engine.progress().changed();
        let due = engine.store().read(|rows| policy.due(rows, AT_ONCE))?;
        let more = due.len() == AT_ONCE;
        let mut failed = false;
        for todo in due {
            let outcome = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                outcome = policy.perform(Arc::clone(&engine), todo.clone()) => outcome,
            };
            if let Err(error) = outcome {
                failed = true;
                tracing::warn!(
                    policy = policy.name(),
                    todo = todo.0,
                    error,
                    "not done yet, trying again"
                );
            }
        }
        let wait = async {
            if failed {
                tokio::time::sleep(pause).await;
            } else if !more {
                changed.await;
                tokio::time::sleep(BREATH).await;
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            () = wait => {}
        }
        pause = if failed {
            (pause * 2).min(LONGEST_PAUSE)
        } else {
            FIRST_PAUSE
        };
    }
}
