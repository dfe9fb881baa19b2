//! Where the methods of the API meet the engine: one way to execute a command, one way to read.

use std::sync::Arc;

use eventsourcing::Aggregate as _;
use read_model::{Error, Rows};
use retention_domain::{Command, Refusal, Thing};
use runtime::{Answer, Engine, Failure, Stop, Work};
use server::{Call, from_failure, min_position, not_found, refusal, reply, reply_at, unavailable};
use tonic::{Response, Status};
use uuid::Uuid;

use crate::read_model::customers;
use crate::read_model::worth::Worth;
use crate::service::{Retention, customer_stream};
use crate::settings::Settings;
use crate::wire;

/// What every method needs.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) engine: Arc<Engine<Retention>>,
}

/// What a decision comes to when it does not come to events.
pub(crate) type Halt = Stop<Refusal>;

impl Desk {
    /// What values and default margins are computed with.
    pub(crate) fn settings(&self) -> Settings {
        self.engine.service().settings
    }

    /// What customers are worth.
    pub(crate) fn worth(&self) -> Worth {
        Worth::simple(self.settings().simple())
    }

    /// Executes a command on a customer: `make` makes it, `answer` reads the reply.
    pub(crate) async fn on_customer<M, T>(
        &self,
        call: &Call,
        message: &M,
        id: Uuid,
        make: impl Fn(&Work<'_>) -> Command + Send + Sync + 'static,
        answer: impl Fn(&dyn Rows, Uuid) -> Result<Option<T>, Error> + Send + Sync + 'static,
    ) -> Result<Response<T>, Status>
    where
        M: server::Command,
        T: Send + 'static,
    {
        let stream = customer_stream(id)?;
        let request = server::request(call, message, stream.clone())?;
        let decide = move |work: &mut Work<'_>| -> Result<(), Halt> {
            let command = make(work);
            let state = customers::load(work.rows(), id, &command.parts())?;
            for event in state.decide(command).map_err(Stop::Refused)? {
                work.emit(&stream, wire::event::write(id, &event))?;
            }
            Ok(())
        };
        let answered = self
            .engine
            .execute(request, decide, move |rows| answer(rows, id))
            .await;
        let Answer {
            value,
            position,
            replayed,
        } = answered.map_err(|failure| failed(id, &failure))?;
        let value = value.ok_or_else(|| unavailable("the resource is gone from this replica"))?;
        Ok(reply(Answer {
            value,
            position,
            replayed,
        }))
    }

    /// Answers a query from the rows, `NOT_FOUND` by `name` if there is nothing.
    pub(crate) async fn read<T>(
        &self,
        call: &Call,
        position: &str,
        name: &str,
        read: impl FnOnce(&dyn Rows) -> Result<Option<T>, Error>,
    ) -> Result<Response<T>, Status> {
        let position = min_position(position)?;
        let read = self
            .engine
            .read(position.as_ref(), call.deadline, read)
            .await;
        let (value, at) = read.map_err(|why| unavailable(&why))?;
        let value = value.map_err(|error| unavailable(&error.to_string()))?;
        value
            .map(|value| reply_at(value, &at))
            .ok_or_else(|| not_found(name))
    }
}

/// The status of a command on a customer that has no answer.
pub(crate) fn failed(id: Uuid, failure: &Failure<Refusal>) -> Status {
    if let Failure::Refused(refused) = failure {
        no(id, refused)
    } else {
        from_failure(failure)
    }
}

/// The status of a refusal. A customer who is unknown here may be on the way from acquisition.
pub(crate) fn no(id: Uuid, refused: &Refusal) -> Status {
    if *refused == Refusal::NotFound(Thing::Customer) {
        not_found(&format!("customers/{id}"))
    } else {
        refusal(refused)
    }
}
