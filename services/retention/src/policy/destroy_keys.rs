//! X1: the keys of whoever is erased are destroyed.
//!
//! The method that erases does the same at once, so that its answer comes after it. What is left here is what
//! a crash interrupted, and what acquisition told.

use std::sync::Arc;

use eventsourcing::Aggregate as _;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use read_model::{Error, Rows};
use retention_domain::Command;
use runtime::{Engine, Policy, Request, Stop, Todo, Work};
use uuid::Uuid;
use vault::{Person, Vault};

use crate::desk::Halt;
use crate::read_model::{customers, erasures};
use crate::service::{Retention, customer_stream};
use crate::wire;

/// The namespace of this policy's request ids.
const POLICY: Uuid = Uuid::from_u128(0x7061_7472_6f6e_4000_8000_6b65_7973_5831);

/// X1.
#[derive(Debug, Clone)]
pub(crate) struct DestroyKeys {
    pub(crate) vault: Arc<Vault>,
}

impl Policy<Retention> for DestroyKeys {
    fn name(&self) -> &'static str {
        "destroy-keys"
    }

    fn due(&self, rows: &dyn Rows, limit: usize) -> Result<Vec<Todo>, Error> {
        let due = erasures::due(rows, limit)?.into_iter();
        Ok(due.map(|id| Todo(id.to_string())).collect())
    }

    fn perform(
        &self,
        engine: Arc<Engine<Retention>>,
        todo: Todo,
    ) -> BoxFuture<'static, Result<(), String>> {
        let vault = Arc::clone(&self.vault);
        async move {
            let id: Uuid = server::parse("todo", &todo.0).map_err(|wrong| wrong.to_string())?;
            destroy(&engine, &vault, id).await
        }
        .boxed()
    }
}

/// Destroys the keys, and notes it when that was read back.
pub(crate) async fn destroy(
    engine: &Arc<Engine<Retention>>,
    vault: &Arc<Vault>,
    id: Uuid,
) -> Result<(), String> {
    let erased = vault.erase(Person(id)).await;
    erased.map_err(|error| error.to_string())?;
    let stream = customer_stream(id).map_err(|wrong| wrong.to_string())?;
    let request = Request {
        root: stream.clone(),
        request_id: Uuid::new_v5(&POLICY, id.as_bytes()),
        fingerprint: *POLICY.as_bytes(),
        etag: None,
        validate_only: false,
        actor: "policy/destroy-keys".to_owned(),
        trace_context: String::new(),
        deadline: None,
    };
    let decide = move |work: &mut Work<'_>| -> Result<(), Halt> {
        let state = customers::load(work.rows(), id, &[])?;
        let command = Command::NoteDestroyed { now: work.now() };
        for event in state.decide(command).map_err(Stop::Refused)? {
            work.emit(&stream, wire::event::write(id, &event))?;
        }
        Ok(())
    };
    let noted = engine.execute(request, decide, |_| Ok(())).await;
    noted.map(|_| ()).map_err(|failure| failure.to_string())
}
