//! X1: whoever is erased is erased whole: the keys of personal data, and all who turned out to be the same.
//!
//! A method of the API does the same at once, so that its answer comes after it. What is left here is what a
//! crash interrupted, and what retention told.

use std::sync::Arc;

use acquisition_domain::input::When;
use acquisition_domain::prospect::Command;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use read_model::{Error, Rows};
use runtime::{Engine, Policy, Request, Todo, Work};
use uuid::Uuid;
use vault::{Person, Vault};

use crate::desk::decide_prospect;
use crate::read_model::{erasures, merges};
use crate::service::{Acquisition, prospect_stream};

/// The namespace of this policy's request ids.
const POLICY: Uuid = Uuid::from_u128(0x7061_7472_6f6e_4000_8000_6572_6173_5831);

/// X1.
#[derive(Debug, Clone)]
pub(crate) struct Erase {
    pub(crate) vault: Arc<Vault>,
}

impl Policy<Acquisition> for Erase {
    fn name(&self) -> &'static str {
        "erase"
    }

    fn due(&self, rows: &dyn Rows, limit: usize) -> Result<Vec<Todo>, Error> {
        let keys = erasures::keys_due(rows, limit)?.into_iter();
        let merged = erasures::merged_due(rows, limit)?.into_iter();
        let keys = keys.map(|id| Todo(format!("keys/{id}")));
        let merged = merged.map(|id| Todo(format!("merged/{id}")));
        Ok(keys.chain(merged).take(limit).collect())
    }

    fn perform(
        &self,
        engine: Arc<Engine<Acquisition>>,
        todo: Todo,
    ) -> BoxFuture<'static, Result<(), String>> {
        let vault = Arc::clone(&self.vault);
        async move {
            let (what, id) = todo.0.split_once('/').unwrap_or_default();
            let id: Uuid = server::parse("todo", id).map_err(|wrong| wrong.to_string())?;
            match what {
                "merged" => erase_merged(&engine, id).await,
                _ => destroy_keys(&engine, &vault, id).await,
            }
        }
        .boxed()
    }
}

/// Does all that follows from the erasure of a prospect that stands.
pub(crate) async fn complete(
    engine: &Arc<Engine<Acquisition>>,
    vault: &Arc<Vault>,
    id: Uuid,
) -> Result<(), String> {
    let mut left = vec![id];
    while let Some(id) = left.pop() {
        destroy_keys(engine, vault, id).await?;
        let sources = engine.store().read(|rows| merges::sources(rows, id));
        for source in sources.map_err(|error| error.to_string())? {
            erase_merged(engine, source).await?;
            left.push(source);
        }
    }
    Ok(())
}

/// Destroys the keys, and notes it when that was read back.
async fn destroy_keys(
    engine: &Arc<Engine<Acquisition>>,
    vault: &Arc<Vault>,
    id: Uuid,
) -> Result<(), String> {
    let erased = vault.erase(Person(id)).await;
    erased.map_err(|error| error.to_string())?;
    let note = |work: &Work<'_>| Command::NoteDestroyed { now: work.now() };
    command(engine, id, "keys", note).await
}

async fn erase_merged(engine: &Arc<Engine<Acquisition>>, id: Uuid) -> Result<(), String> {
    let erase = |work: &Work<'_>| Command::Erase {
        when: When::now(work.now()),
    };
    command(engine, id, "merged", erase).await
}

async fn command(
    engine: &Arc<Engine<Acquisition>>,
    id: Uuid,
    what: &str,
    make: impl Fn(&Work<'_>) -> Command + Send + Sync + 'static,
) -> Result<(), String> {
    let stream = prospect_stream(id).map_err(|wrong| wrong.to_string())?;
    let request = Request {
        root: stream.clone(),
        request_id: Uuid::new_v5(&POLICY, format!("{what}/{id}").as_bytes()),
        fingerprint: *POLICY.as_bytes(),
        etag: None,
        validate_only: false,
        actor: "policy/erase".to_owned(),
        trace_context: String::new(),
        deadline: None,
    };
    let decide = move |work: &mut Work<'_>| {
        let command = make(work);
        decide_prospect(work, &stream, id, command)
    };
    let done = engine.execute(request, decide, |_| Ok(())).await;
    done.map(|_| ()).map_err(|failure| failure.to_string())
}
