//! A2: a presentation whose promises keep breaking is flagged, and no new campaign may use it.

use std::sync::Arc;

use acquisition_domain::id::{PresentationId, PropositionId};
use acquisition_domain::input::When;
use acquisition_domain::presentation::{self, Cause};
use acquisition_domain::proposition;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use read_model::{Error, Rows};
use runtime::{Engine, Policy, Request, Todo};
use uuid::Uuid;

use crate::desk::decide_proposition;
use crate::read_model::{flags, propositions};
use crate::service::{Acquisition, proposition_stream};

/// The namespace of this policy's request ids.
const POLICY: Uuid = Uuid::from_u128(0x7061_7472_6f6e_4000_8000_666c_6167_4132);

/// A2.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlagPresentation;

impl Policy<Acquisition> for FlagPresentation {
    fn name(&self) -> &'static str {
        "flag-presentation"
    }

    fn due(&self, rows: &dyn Rows, limit: usize) -> Result<Vec<Todo>, Error> {
        let due = flags::due(rows, limit)?.into_iter();
        Ok(due
            .map(|(proposition, presentation)| Todo(format!("{proposition}/{presentation}")))
            .collect())
    }

    fn perform(
        &self,
        engine: Arc<Engine<Acquisition>>,
        todo: Todo,
    ) -> BoxFuture<'static, Result<(), String>> {
        async move {
            let Some((proposition, presentation)) = todo.0.split_once('/') else {
                return Ok(());
            };
            let id: PropositionId =
                server::parse("todo", proposition).map_err(|e| e.to_string())?;
            let presentation: PresentationId =
                server::parse("todo", presentation).map_err(|e| e.to_string())?;
            flag(&engine, id, presentation).await
        }
        .boxed()
    }
}

/// Flags it. The request id is made of the presentation and of how often a flag was cleared, so that each
/// turn of its history flags it once, however many instances try.
async fn flag(
    engine: &Arc<Engine<Acquisition>>,
    id: PropositionId,
    presentation_id: PresentationId,
) -> Result<(), String> {
    let key = (id.to_string(), presentation_id.to_string());
    let clears = engine.store().read(|rows| -> Result<u32, Error> {
        let state = propositions::get(rows, &id)?;
        let known = state
            .as_ref()
            .and_then(|state| state.presentations.get(&presentation_id));
        Ok(known.map_or(0, |known| known.clears))
    });
    let clears = clears.map_err(|error| error.to_string())?;
    let root = proposition_stream(&id).map_err(|wrong| wrong.to_string())?;
    let name = format!("{}/{}/{clears}", key.0, key.1);
    let request = Request {
        root: root.clone(),
        request_id: Uuid::new_v5(&POLICY, name.as_bytes()),
        fingerprint: *POLICY.as_bytes(),
        etag: None,
        validate_only: false,
        actor: "policy/flag-presentation".to_owned(),
        trace_context: String::new(),
        deadline: None,
    };
    let decide = move |work: &mut runtime::Work<'_>| {
        let counts = flags::counts(work.rows(), &key)?;
        let command = presentation::Command::Flag {
            presentation_id: presentation_id.clone(),
            cause: Cause::BrokenPromises {
                kept: counts.kept,
                broken: counts.broken,
                kept_rate_upper: counts.kept_rate_upper(),
            },
            when: When::now(work.now()),
        };
        decide_proposition(
            work,
            &root,
            &id,
            proposition::Command::Presentation(command),
        )
    };
    let done = engine.execute(request, decide, |_| Ok(())).await;
    done.map(|_| ()).map_err(|failure| {
        if let runtime::Failure::Refused(refusal) = &failure {
            return refusal.to_string();
        }
        failure.to_string()
    })
}
