//! Where the methods of the API meet the engine: one way to execute a command, one way to read.

use std::sync::Arc;

use eventsourcing::{Aggregate as _, Sealed};
use journal::StreamId;
use read_model::{Error, Rows};
use retention_domain::{Command, Refusal, Thing};
use runtime::{Engine, Failure, Request, Stop, Work};
use server::{
    Boxes, Call, Opener, from_failure, not_found, out_of_reach, refusal, reply_at, reply_found,
    unavailable,
};
use tonic::{Response, Status};
use uuid::Uuid;
use vault::{Field, Person, Vault};

use crate::margin_rate;
use crate::read_model::customers;
use crate::read_model::work::Rankings;
use crate::service::{Retention, customer_stream};
use crate::wire;

/// What every method needs.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) engine: Arc<Engine<Retention>>,
    pub(crate) vault: Arc<Vault>,
    /// Work lists that were valued by a model.
    pub(crate) rankings: Arc<Rankings>,
}

/// What a decision comes to when it does not come to events.
pub(crate) type Halt = Stop<Refusal>;

impl Desk {
    /// Executes a command on a customer that holds no personal data: `make` makes it, `answer` reads the reply.
    pub(crate) async fn on_customer<M, T>(
        &self,
        call: &Call,
        message: &M,
        id: Uuid,
        make: impl Fn(&Work<'_>) -> Command + Send + Sync + 'static,
        answer: impl Fn(&dyn Rows, Uuid, &Opener) -> Result<Option<T>, Error> + Send + Sync + 'static,
    ) -> Result<Response<T>, Status>
    where
        M: server::Command,
        T: Send + 'static,
    {
        let make = move |work: &Work<'_>, _: Vec<Sealed>| make(work);
        self.on_person(call, message, id, vec![], make, answer)
            .await
    }

    /// Executes a command on a customer that holds these personal texts: `make` gets them sealed.
    pub(crate) async fn on_person<M, T>(
        &self,
        call: &Call,
        message: &M,
        id: Uuid,
        texts: Vec<(Field, String)>,
        make: impl Fn(&Work<'_>, Vec<Sealed>) -> Command + Send + Sync + 'static,
        answer: impl Fn(&dyn Rows, Uuid, &Opener) -> Result<Option<T>, Error> + Send + Sync + 'static,
    ) -> Result<Response<T>, Status>
    where
        M: server::Command,
        T: Send + 'static,
    {
        let stream = customer_stream(id)?;
        let request = server::request(call, message, stream)?;
        self.expect(call, id).await?;
        let make = Arc::new(make);
        let boxes = self.boxes(&request, id, &texts, &make).await?;
        let answer = Arc::new(answer);
        let mut is_last = false;
        loop {
            let opener = Opener::new(&self.vault);
            let (shown, answer) = (opener.clone(), Arc::clone(&answer));
            let decide = decide(request.root.clone(), id, Arc::clone(&make), boxes.clone());
            let answered = self
                .engine
                .execute(request.clone(), decide, move |rows| {
                    answer(rows, id, &shown)
                })
                .await;
            // The same request once more: it takes no second effect, and is answered with the key.
            if opener.has_missed() && !is_last {
                is_last = true;
                let caught_up = self.vault.catch_up(Person(id)).await;
                caught_up.map_err(|error| out_of_reach(&error))?;
                continue;
            }
            return reply_found(answered.map_err(|failure| failed(id, &failure))?);
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
        F: Fn(&Work<'_>, Vec<Sealed>) -> Command + Send + Sync + 'static,
    {
        let person = Person(id);
        let empty = Boxes::empty(person, texts.len());
        if texts.is_empty() || request.validate_only {
            return Ok(empty);
        }
        if !self.vault.has_key(person) {
            let asked = Request {
                validate_only: true,
                ..request.clone()
            };
            let decide = decide(request.root.clone(), id, Arc::clone(make), empty);
            let tried = self.engine.execute(asked, decide, |_| Ok(())).await;
            tried.map_err(|failure| failed(id, &failure))?;
        }
        Boxes::seal(&self.vault, person, texts).await
    }

    /// Answers a query about people from the rows, `NOT_FOUND` by `name` if there is nothing.
    pub(crate) async fn read_people<T>(
        &self,
        call: &Call,
        position: &str,
        name: &str,
        read: impl Fn(&dyn Rows, &Opener) -> Result<Option<T>, Error>,
    ) -> Result<Response<T>, Status> {
        server::read_people(&self.engine, &self.vault, call, position, name, read).await
    }

    /// The same for one that passes many rows: it is read aside, so that other calls do not wait for it.
    pub(crate) async fn read_people_aside<T: Send + 'static>(
        &self,
        call: &Call,
        position: &str,
        name: &str,
        read: impl Fn(&dyn Rows, &Opener) -> Result<T, Error> + Send + Sync + 'static,
    ) -> Result<Response<T>, Status> {
        // Until the rows are there, nothing else happens.
        self.read(call, position, name, |_| Ok(Some(()))).await?;
        let read = Arc::new(read);
        let mut is_last = false;
        loop {
            let opener = Opener::new(&self.vault);
            let (shown, read) = (opener.clone(), Arc::clone(&read));
            let answer = server::aside(&self.engine, move |rows| read(rows, &shown)).await?;
            if is_last || !opener.has_missed() {
                return Ok(reply_at(answer, &self.engine.position()));
            }
            is_last = true;
            let caught_up = self.vault.catch_up_with_all().await;
            caught_up.map_err(|error| out_of_reach(&error))?;
        }
    }

    /// A customer who is unknown here may be on the way: waits for all that acquisition has published of them.
    pub(crate) async fn expect(&self, call: &Call, id: Uuid) -> Result<(), Status> {
        let known = self.engine.store().read(|rows| customers::known(rows, id));
        if known.map_err(|error| unavailable(&error.to_string()))? {
            return Ok(());
        }
        server::heard_all_of(&self.engine, call, &customer_stream(id)?).await
    }

    /// Answers a query about a customer and who it is from the rows, `NOT_FOUND` by `name` if there is nothing.
    pub(crate) async fn read_person<T>(
        &self,
        call: &Call,
        id: Uuid,
        position: &str,
        name: &str,
        read: impl Fn(&dyn Rows, &Opener) -> Result<Option<T>, Error>,
    ) -> Result<Response<T>, Status> {
        self.expect(call, id).await?;
        self.read_people(call, position, name, read).await
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

/// How the engine decides about a customer.
fn decide<F>(
    stream: StreamId,
    id: Uuid,
    make: Arc<F>,
    boxes: Boxes,
) -> impl Fn(&mut Work<'_>) -> Result<(), Halt> + Send + Sync + 'static
where
    F: Fn(&Work<'_>, Vec<Sealed>) -> Command + Send + Sync + 'static,
{
    move |work| {
        let Boxes::Sealed(boxes) = &boxes else {
            return Err(Stop::Refused(Refusal::Erased));
        };
        let mut command = make(work, boxes.clone());
        margin_rate::put_in_force(work.rows(), &mut command)?;
        let state = customers::load(work.rows(), id, &command.parts())?;
        for event in state.decide(command).map_err(Stop::Refused)? {
            work.conclude(&stream, wire::event::write(id, &event))?;
        }
        Ok(())
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
