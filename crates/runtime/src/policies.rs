//! Policies as to-do lists: what the rows say is due is done, and done once however many instances try.
//!
//! A policy keeps no memory of its own. What is due is a function of the rows, and doing it changes the
//! rows so that it is due no longer. Each doing is a command with a request id that is worked out from the
//! trigger, so ten instances that do the same thing at the same moment do it once, and a replay does nothing.
//!
//! A few items are performed at once. One that fails is tried again after a pause of its own, which grows, and
//! the others go on meanwhile.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use journal::Partition;
use read_model::Rows;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::turns::Turns;
use crate::{Engine, Service, activation};

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

/// Rows change thousands of times a second under load; what is due is looked up less often.
const BREATH: Duration = Duration::from_millis(5);

/// Activates a policy, and performs it until it is stopped.
pub(crate) async fn run<S: Service>(
    engine: Arc<Engine<S>>,
    policy: Arc<dyn Policy<S>>,
    stop: CancellationToken,
) -> Result<(), read_model::Error> {
    let partitions: Vec<Partition> = (0..engine.placement().partitions()).collect();
    if !activation::activate(&engine, policy.name(), &partitions, &stop).await? {
        return Ok(());
    }
    let mut turns = Turns::default();
    let mut busy = FuturesUnordered::new();
    loop {
        // Asked for before the look, so that a change during the look is not missed.
        let changed = engine.progress().changed();
        let wanted = turns.wanted();
        let due = engine.store().read(|rows| policy.due(rows, wanted))?;
        for todo in turns.take(due, wanted, Instant::now()) {
            let performed = policy.perform(Arc::clone(&engine), todo.clone());
            busy.push(performed.map(|outcome| (todo, outcome)));
        }
        let rested = turns.next_rested(Instant::now());
        let tried = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            tried = busy.next(), if !busy.is_empty() => tried,
            () = until(rested) => None,
            () = async { changed.await; sleep(BREATH).await }, if turns.has_room() => None,
        };
        if let Some((todo, outcome)) = tried {
            if let Err(error) = &outcome {
                let (policy, todo) = (policy.name(), &todo.0);
                tracing::warn!(policy, todo, error, "not done yet, trying again");
            }
            turns.tried(todo, outcome.is_ok(), Instant::now());
        }
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
