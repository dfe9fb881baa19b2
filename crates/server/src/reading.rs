//! How a method waits for the rows that it needs, reads them and replies: the same in both services.

use journal::{Position, StreamId};
use read_model::{Error, Rows};
use runtime::{Answer, Engine, Service};
use tokio::time::{Instant, timeout_at};
use tonic::{Response, Status};

use crate::status::{not_found, unavailable};
use crate::{Call, min_position, reply_at};

/// Answers a query from the rows, once they hold what `position` (a request's `min_position`) saw.
///
/// # Errors
/// NOT_FOUND by `name` if there is nothing; INVALID_ARGUMENT for a position that is none; UNAVAILABLE when the
/// rows are not there before the caller's deadline.
pub async fn read<S: Service, T>(
    engine: &Engine<S>,
    call: &Call,
    position: &str,
    name: &str,
    read: impl FnOnce(&dyn Rows) -> Result<Option<T>, Error>,
) -> Result<Response<T>, Status> {
    let position = min_position(position)?;
    let read = engine.read(position.as_ref(), call.deadline, read).await;
    let (value, at) = read.map_err(|why| unavailable(&why))?;
    let value = value.map_err(|error| unavailable(&error.to_string()))?;
    value
        .map(|value| reply_at(value, &at))
        .ok_or_else(|| not_found(name))
}

/// Waits until this replica has applied all that the journal holds now, and says how far that is. A decision
/// that looks at another aggregate, which may lie in another partition, would else miss what is there.
///
/// # Errors
/// UNAVAILABLE when that is not so before the caller's deadline.
pub async fn caught_up<S: Service>(engine: &Engine<S>, call: &Call) -> Result<Position, Status> {
    within(engine, call, engine.barrier()).await
}

/// The same, after everything that the other service has published by now was taken in.
///
/// # Errors
/// UNAVAILABLE when that is not so before the caller's deadline.
pub async fn heard_all<S: Service>(engine: &Engine<S>, call: &Call) -> Result<Position, Status> {
    engine.ready().map_err(|why| unavailable(&why))?;
    within(engine, call, async {
        engine.receive_all().await?;
        engine.barrier().await
    })
    .await
}

/// Waits until everything about `stream` that the other service has published by now was taken in. What is
/// unknown here may only be on its way.
///
/// # Errors
/// UNAVAILABLE when that is not so before the caller's deadline.
pub async fn heard_all_of<S: Service>(
    engine: &Engine<S>,
    call: &Call,
    stream: &StreamId,
) -> Result<(), Status> {
    engine.ready().map_err(|why| unavailable(&why))?;
    within(engine, call, engine.receive_all_of(stream)).await
}

/// The reply to a command, once it has taken effect.
///
/// # Errors
/// UNAVAILABLE if the rows do not show what the command was about.
pub fn reply_found<T>(answer: Answer<Option<T>>) -> Result<Response<T>, Status> {
    let gone = || unavailable("the resource is gone from this replica");
    let value = answer.value.ok_or_else(gone)?;
    Ok(reply_at(value, &answer.position))
}

async fn within<S: Service, T>(
    engine: &Engine<S>,
    call: &Call,
    settled: impl Future<Output = Result<T, journal::Error>>,
) -> Result<T, Status> {
    let patience = engine.options().default_deadline;
    let deadline = call.deadline.unwrap_or_else(|| Instant::now() + patience);
    timeout_at(deadline, settled)
        .await
        .map_err(|_| unavailable("this instance has not caught up with its journal yet"))?
        .map_err(|error| unavailable(&error.to_string()))
}
