//! A policy that a release adds acts from its record on, not from the beginning of history.
//!
//! Before an instance performs a policy, it writes `PolicyActivated` into each partition, unless that was done
//! before: the stream `policy/<name>/~<partition>` is expected to be empty, so of ten instances one succeeds.
//! A view that puts something on the policy's to-do list asks [`is_active`] while it folds: what stands before
//! the record puts nothing there, today and in every rebuild.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use journal::{InvalidStream, Partition, StreamId};
use read_model::{Error, Rows};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::rows::ACTIVATIONS;
use crate::{Engine, Failure, Request, Service, Stop, Work, marks};

/// The namespace of the request ids of activations.
const ACTIVATION: Uuid = Uuid::from_u128(0x7061_7472_6f6e_4000_8000_6163_7469_7665);
const PAUSE: Duration = Duration::from_secs(1);

/// Whether a policy acts in a partition as far as these rows have come. While an event is folded, this says
/// whether it stands behind the policy's `PolicyActivated`.
pub fn is_active(rows: &dyn Rows, policy: &str, partition: Partition) -> Result<bool, Error> {
    ACTIVATIONS.contains(rows, &(policy.to_owned(), partition))
}

/// The streams on which a policy's activations stand.
fn stream(policy: &str, partition: Partition) -> Result<StreamId, InvalidStream> {
    StreamId::pinned(format!("policy/{policy}"), partition)
}

/// Waits until the replica is ready and the policy acts in these partitions, by this instance or another.
/// Whether it does; else the replica stops first.
pub(crate) async fn activate<S: Service>(
    engine: &Arc<Engine<S>>,
    policy: &str,
    partitions: &[Partition],
    stop: &CancellationToken,
) -> Result<bool, Error> {
    let all = async {
        // One that has failed says so by itself; it has no policies to perform.
        if engine.until_ready().await.is_err() {
            std::future::pending::<()>().await;
        }
        let each = partitions
            .iter()
            .map(|partition| in_partition(engine, policy, *partition));
        join_all(each)
            .await
            .into_iter()
            .collect::<Result<(), Error>>()
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => Ok(false),
        done = all => done.map(|()| true),
    }
}

impl<S: Service> Engine<S> {
    /// Waits until a policy acts in all partitions, and these rows show it.
    pub async fn until_active(&self, policy: &str) -> Result<(), Error> {
        for partition in 0..self.placement.partitions() {
            loop {
                let changed = self.progress.changed();
                if self.store.read(|rows| is_active(rows, policy, partition))? {
                    break;
                }
                changed.await;
            }
        }
        Ok(())
    }
}

async fn in_partition<S: Service>(
    engine: &Arc<Engine<S>>,
    policy: &str,
    partition: Partition,
) -> Result<(), Error> {
    while !engine
        .store()
        .read(|rows| is_active(rows, policy, partition))?
    {
        let written = match stream(policy, partition) {
            Ok(stream) => write(engine, policy, stream).await,
            Err(wrong) => Err(wrong.to_string()),
        };
        if let Err(error) = written {
            // Nothing is tried again by who is leaving.
            if !engine.stopping().is_cancelled() {
                tracing::warn!(policy, partition, error, "not activated yet, trying again");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(())
}

async fn write<S: Service>(
    engine: &Arc<Engine<S>>,
    policy: &str,
    stream: StreamId,
) -> Result<(), String> {
    let request = Request {
        root: stream.clone(),
        request_id: Uuid::new_v5(&ACTIVATION, stream.as_str().as_bytes()),
        fingerprint: *ACTIVATION.as_bytes(),
        etag: None,
        validate_only: false,
        actor: format!("policy/{policy}"),
        trace_context: String::new(),
        deadline: None,
    };
    let name = policy.to_owned();
    let decide = move |work: &mut Work<'_>| -> Result<(), Stop<()>> {
        if work.version(&stream)? > 0 {
            return Err(Stop::Refused(()));
        }
        let activated = marks::policy_activated(&name, work.now());
        work.emit(&stream, activated).map_err(Stop::from)
    };
    match engine.execute(request, decide, |_| Ok(())).await {
        Ok(_) | Err(Failure::Refused(())) => Ok(()),
        Err(failure) => Err(format!("{failure:?}")),
    }
}
