//! Where the methods of the API meet the engine: one way to execute a command, one way to read.

use std::sync::Arc;

use acquisition_domain::id::PropositionId;
use acquisition_domain::{proposition, prospect};
use customer_value::Simple;
use eventsourcing::{Aggregate as _, Class, Explain};
use read_model::{Error, Rows};
use runtime::{Engine, Stop, Work};
use server::{Call, Command, from_failure, reply_found};
use tonic::{Response, Status};
use uuid::Uuid;

use crate::read_model::{propositions, prospects};
use crate::service::{Acquisition, proposition_stream, prospect_stream};
use crate::wire;

/// What every method needs.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) engine: Arc<Engine<Acquisition>>,
    pub(crate) simple: Simple,
}

/// A refusal of either aggregate: converting a prospect may meet both.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Of a proposition.
    #[error(transparent)]
    Proposition(#[from] proposition::Refusal),
    /// Of a prospect.
    #[error(transparent)]
    Prospect(#[from] prospect::Refusal),
}

impl Explain for Refusal {
    fn class(&self) -> Class {
        match self {
            Self::Proposition(refusal) => refusal.class(),
            Self::Prospect(refusal) => refusal.class(),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Proposition(refusal) => refusal.reason(),
            Self::Prospect(refusal) => refusal.reason(),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Proposition(refusal) => refusal.metadata(),
            Self::Prospect(refusal) => refusal.metadata(),
        }
    }
}

/// What a decision comes to when it does not come to events.
pub(crate) type Halt = Stop<Refusal>;

/// A domain's refusal ends a decision.
pub(crate) fn refused(refusal: impl Into<Refusal>) -> Halt {
    Stop::Refused(refusal.into())
}

impl Desk {
    /// Executes a command on a proposition: `make` makes it, `answer` reads the reply.
    pub(crate) async fn on_proposition<M, T>(
        &self,
        call: &Call,
        message: &M,
        id: PropositionId,
        make: impl Fn(&Work<'_>) -> Result<proposition::Command, Halt> + Send + Sync + 'static,
        answer: impl Fn(&dyn Rows, &PropositionId) -> Result<Option<T>, Error> + Send + Sync + 'static,
    ) -> Result<Response<T>, Status>
    where
        M: Command,
        T: Send + 'static,
    {
        let stream = proposition_stream(&id)?;
        let request = server::request(call, message, stream.clone())?;
        let read = id.clone();
        let answered = self.engine.execute(
            request,
            move |work| decide_proposition(work, &stream, &id, make(work)?),
            move |rows| answer(rows, &read),
        );
        reply_found(answered.await.map_err(|failure| from_failure(&failure))?)
    }

    /// Executes a command on a prospect.
    pub(crate) async fn on_prospect<M, T>(
        &self,
        call: &Call,
        message: &M,
        id: Uuid,
        make: impl Fn(&Work<'_>) -> Result<prospect::Command, Halt> + Send + Sync + 'static,
        answer: impl Fn(&dyn Rows, Uuid) -> Result<Option<T>, Error> + Send + Sync + 'static,
    ) -> Result<Response<T>, Status>
    where
        M: Command,
        T: Send + 'static,
    {
        let stream = prospect_stream(id)?;
        let request = server::request(call, message, stream.clone())?;
        let answered = self.engine.execute(
            request,
            move |work| {
                let command = make(work)?;
                decide_prospect(work, &stream, id, command)
            },
            move |rows| answer(rows, id),
        );
        reply_found(answered.await.map_err(|failure| from_failure(&failure))?)
    }

    /// Answers a query from the rows, NOT_FOUND by `name` if there is nothing.
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

/// Decides about a proposition and emits what follows.
pub(crate) fn decide_proposition(
    work: &mut Work<'_>,
    stream: &journal::StreamId,
    id: &PropositionId,
    command: proposition::Command,
) -> Result<(), Halt> {
    let state = propositions::load(work.rows(), id, &command.parts())?;
    for event in state.decide(command).map_err(refused)? {
        work.emit(stream, wire::event::of_proposition(id, &event))?;
    }
    Ok(())
}

/// Decides about a prospect and emits what follows.
pub(crate) fn decide_prospect(
    work: &mut Work<'_>,
    stream: &journal::StreamId,
    id: Uuid,
    command: prospect::Command,
) -> Result<(), Halt> {
    let state = prospects::load_for(work.rows(), id, &command)?;
    for event in state.decide(command).map_err(refused)? {
        work.emit(stream, wire::event::of_prospect(id, &event))?;
    }
    Ok(())
}
