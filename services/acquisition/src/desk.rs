//! Where the methods of the API meet the engine: one way to execute a command, one way to read.

use std::sync::Arc;

use acquisition_domain::id::PropositionId;
use acquisition_domain::{proposition, prospect};
use eventsourcing::{Aggregate as _, Class, Explain, Sealed};
use read_model::{Error, Rows};
use runtime::{Engine, Request, Stop, Work};
use server::{Boxes, Call, Command, Opener, from_failure, out_of_reach, reply_found};
use tonic::{Response, Status};
use uuid::Uuid;
use vault::{Field, Person, Vault};

use crate::blind_index::BlindIndex;
use crate::read_model::{propositions, prospects};
use crate::service::{Acquisition, proposition_stream, prospect_stream};
use crate::wire;

/// What every method needs.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) engine: Arc<Engine<Acquisition>>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) index: Arc<BlindIndex>,
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

    /// Executes a command on a prospect that holds no personal data.
    pub(crate) async fn on_prospect<M, T>(
        &self,
        call: &Call,
        message: &M,
        id: Uuid,
        make: impl Fn(&Work<'_>) -> Result<prospect::Command, Halt> + Send + Sync + 'static,
        answer: impl Fn(&dyn Rows, Uuid, &Opener) -> Result<Option<T>, Error> + Send + Sync + 'static,
    ) -> Result<Response<T>, Status>
    where
        M: Command,
        T: Send + 'static,
    {
        let make = move |work: &Work<'_>, _: Vec<Sealed>, _: &Opener| make(work);
        self.on_person(call, message, id, vec![], make, answer)
            .await
    }

    /// Executes a command on a prospect that holds these personal texts: `make` gets them sealed.
    pub(crate) async fn on_person<M, T>(
        &self,
        call: &Call,
        message: &M,
        id: Uuid,
        texts: Vec<(Field, String)>,
        make: impl Fn(&Work<'_>, Vec<Sealed>, &Opener) -> Result<prospect::Command, Halt>
        + Send
        + Sync
        + 'static,
        answer: impl Fn(&dyn Rows, Uuid, &Opener) -> Result<Option<T>, Error> + Send + Sync + 'static,
    ) -> Result<Response<T>, Status>
    where
        M: Command,
        T: Send + 'static,
    {
        let stream = prospect_stream(id)?;
        let request = server::request(call, message, stream.clone())?;
        let make = Arc::new(make);
        let boxes = self.boxes(&request, id, &texts, &make).await?;
        let answer = Arc::new(answer);
        let mut is_last = false;
        loop {
            let opener = Opener::new(&self.vault);
            let answered = {
                let (make, boxes, opener) = (Arc::clone(&make), boxes.clone(), opener.clone());
                let (stream, answer, shown) = (stream.clone(), Arc::clone(&answer), opener.clone());
                self.engine.execute(
                    request.clone(),
                    move |work| {
                        let command = match &boxes {
                            Boxes::Sealed(boxes) => make(work, boxes.clone(), &opener)?,
                            Boxes::Erased => return Err(refused(prospect::Refusal::Erased)),
                        };
                        decide_prospect(work, &stream, id, command)
                    },
                    move |rows| answer(rows, id, &shown),
                )
            }
            .await;
            // The same request once more: it takes no second effect, and is answered with the key.
            if opener.has_missed() && !is_last {
                is_last = true;
                let caught_up = self.vault.catch_up(Person(id)).await;
                caught_up.map_err(|error| out_of_reach(&error))?;
                continue;
            }
            return reply_found(answered.map_err(|failure| from_failure(&failure))?);
        }
    }

    /// Seals texts about somebody. Nobody gets a key before it is certain that the command is possible: whoever
    /// guesses ids would else fill the topic of keys.
    async fn boxes<F>(
        &self,
        request: &Request,
        id: Uuid,
        texts: &[(Field, String)],
        make: &Arc<F>,
    ) -> Result<Boxes, Status>
    where
        F: Fn(&Work<'_>, Vec<Sealed>, &Opener) -> Result<prospect::Command, Halt>
            + Send
            + Sync
            + 'static,
    {
        let person = Person(id);
        let empty = Boxes::empty(person, texts.len());
        if texts.is_empty() || request.validate_only {
            return Ok(empty);
        }
        if !self.vault.has_key(person) {
            let (make, opener) = (Arc::clone(make), Opener::new(&self.vault));
            let stream = request.root.clone();
            let asked = Request {
                validate_only: true,
                ..request.clone()
            };
            let tried = self.engine.execute(
                asked,
                move |work| {
                    let Boxes::Sealed(boxes) = &empty else {
                        return Ok(());
                    };
                    let command = make(work, boxes.clone(), &opener)?;
                    decide_prospect(work, &stream, id, command)
                },
                |_| Ok(()),
            );
            tried.await.map_err(|failure| from_failure(&failure))?;
        }
        Boxes::seal(&self.vault, person, texts).await
    }

    /// Answers a query about people from the rows, NOT_FOUND by `name` if there is nothing.
    pub(crate) async fn read_people<T>(
        &self,
        call: &Call,
        position: &str,
        name: &str,
        read: impl Fn(&dyn Rows, &Opener) -> Result<Option<T>, Error>,
    ) -> Result<Response<T>, Status> {
        server::read_people(&self.engine, &self.vault, call, position, name, read).await
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
        work.conclude(stream, wire::event::of_proposition(id, &event))?;
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
        work.conclude(stream, wire::event::of_prospect(id, &event))?;
    }
    Ok(())
}
