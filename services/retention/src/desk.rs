//! Where the methods of the API meet the engine: one way to execute a command, one way to read.

use std::sync::Arc;

use eventsourcing::Aggregate as _;
use read_model::{Error, Rows};
use retention_domain::{Command, Refusal, Thing};
use runtime::{Engine, Failure, Stop, Work};
use server::{Call, Known, from_failure, not_found, refusal, reply_found, unavailable};
use tonic::{Response, Status};
use uuid::Uuid;

use crate::margin_rate;
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

    /// What customers are worth by the assumptions in force.
    pub(crate) fn worth(&self, rows: &dyn Rows) -> Result<Worth, Error> {
        Worth::in_force(rows, self.settings().simple())
    }

    /// What customers are worth by the assumptions that were known.
    pub(crate) fn worth_known(&self, rows: &dyn Rows, known: &Known) -> Result<Worth, Error> {
        Worth::known(rows, self.settings().simple(), known)
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
        self.expect(call, id).await?;
        let decide = move |work: &mut Work<'_>| -> Result<(), Halt> {
            let mut command = make(work);
            margin_rate::put_in_force(work.rows(), &mut command)?;
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
        reply_found(answered.map_err(|failure| failed(id, &failure))?)
    }

    /// A customer who is unknown here may be on the way: waits for all that acquisition has published of them.
    pub(crate) async fn expect(&self, call: &Call, id: Uuid) -> Result<(), Status> {
        let known = self.engine.store().read(|rows| customers::known(rows, id));
        if known.map_err(|error| unavailable(&error.to_string()))? {
            return Ok(());
        }
        server::heard_all_of(&self.engine, call, &customer_stream(id)?).await
    }

    /// Answers a query about a customer from the rows, `NOT_FOUND` by `name` if there is nothing.
    pub(crate) async fn read_of<T>(
        &self,
        call: &Call,
        id: Uuid,
        position: &str,
        name: &str,
        read: impl FnOnce(&dyn Rows) -> Result<Option<T>, Error>,
    ) -> Result<Response<T>, Status> {
        self.expect(call, id).await?;
        self.read(call, position, name, read).await
    }

    /// Answers a query from the rows, `NOT_FOUND` by `name` if there is nothing.
    pub(crate) async fn read<T>(
        &self,
        call: &Call,
        position: &str,
        name: &str,
        read: impl FnOnce(&dyn Rows) -> Result<Option<T>, Error>,
    ) -> Result<Response<T>, Status> {
        server::read(&self.engine, call, position, name, read).await
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

/// The status of a refusal.
pub(crate) fn no(id: Uuid, refused: &Refusal) -> Status {
    if *refused == Refusal::NotFound(Thing::Customer) {
        not_found(&format!("customers/{id}"))
    } else {
        refusal(refused)
    }
}
