//! How a method waits for the rows that it needs, reads them and replies: the same in both services.

use std::sync::Arc;

use journal::{Position, StreamId};
use read_model::{Error, Rows};
use runtime::{Answer, Engine, Service, Unread};
use tokio::time::{Instant, timeout_at};
use tonic::{Response, Status};
use vault::Vault;

use crate::status::{invalid, not_found, unavailable};
use crate::{Call, Opener, min_position, out_of_reach, reply_at};

/// Answers a query from the rows, once they hold what `position` (a request's `min_position`) saw.
///
/// # Errors
/// NOT_FOUND by `name` if there is nothing; INVALID_ARGUMENT for a position that is none or is of another
/// journal; UNAVAILABLE when the rows are not there before the caller's deadline.
pub async fn read<S: Service, T>(
    engine: &Engine<S>,
    call: &Call,
    position: &str,
    name: &str,
    read: impl FnOnce(&dyn Rows) -> Result<Option<T>, Error>,
) -> Result<Response<T>, Status> {
    let position = min_position(position)?;
    let read = engine.read(position.as_ref(), call.deadline, read).await;
    let (value, at) = read.map_err(|why| unread(&why))?;
    let value = value.map_err(|error| unavailable(&error.to_string()))?;
    value
        .map(|value| reply_at(value, &at))
        .ok_or_else(|| not_found(name))
}

/// The status of a query that was not answered.
pub fn unread(why: &Unread) -> Status {
    match why {
        Unread::OtherJournal => invalid(
            "min_position",
            "is of another journal; take it from the metadata patron-position of this service",
        ),
        Unread::NotYet(why) => unavailable(why),
    }
}

/// The same for a query about people, whose personal data `read` opens. Where a key was missing, it is read
/// again after all keys that there are were taken in.
///
/// # Errors
/// As [`read`], and UNAVAILABLE when the keys are out of reach.
pub async fn read_people<S: Service, T>(
    engine: &Engine<S>,
    vault: &Arc<Vault>,
    call: &Call,
    position: &str,
    name: &str,
    read: impl Fn(&dyn Rows, &Opener) -> Result<Option<T>, Error>,
) -> Result<Response<T>, Status> {
    let opener = Opener::new(vault);
    let answer = self::read(engine, call, position, name, |rows| read(rows, &opener)).await;
    if !opener.has_missed() {
        return answer;
    }
    let caught_up = vault.catch_up_with_all().await;
    caught_up.map_err(|error| out_of_reach(&error))?;
    let opener = Opener::new(vault);
    self::read(engine, call, position, name, |rows| read(rows, &opener)).await
}

/// Reads aside what passes many rows, such as a report: other calls must not wait for it.
///
/// # Errors
/// UNAVAILABLE when this replica is not ready, or its rows cannot be read.
pub async fn aside<S: Service, T: Send + 'static>(
    engine: &Arc<Engine<S>>,
    read: impl FnOnce(&dyn Rows) -> Result<T, Error> + Send + 'static,
) -> Result<T, Status> {
    engine.ready().map_err(|why| unavailable(&why))?;
    let engine = Arc::clone(engine);
    let reading = tokio::task::spawn_blocking(move || engine.store().read(|rows| read(rows)));
    let read = reading
        .await
        .map_err(|_| unavailable("the report was stopped; ask again"))?;
    read.map_err(|error| unavailable(&error.to_string()))
}

/// Waits until this replica has applied all that the journal holds now, and says how far that is. A decision
/// that looks at another aggregate, which may lie in another partition, would else miss what is there.
///
/// # Errors
/// UNAVAILABLE when that is not so before the caller's deadline.
pub async fn caught_up<S: Service>(engine: &Engine<S>, call: &Call) -> Result<Position, Status> {
    engine.ready().map_err(|why| unavailable(&why))?;
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
