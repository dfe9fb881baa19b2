//! A2: a presentation whose promises keep breaking is flagged, and no new campaign may use it.

use std::sync::Arc;

use acquisition_domain::id::{PresentationId, PropositionId};
use acquisition_domain::input::When;
use acquisition_domain::presentation::{self, Cause};
use acquisition_domain::proposition;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use read_model::{Error, Rows};
use runtime::{Engine, Failure, Policy, Request, Stop, Todo};
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
        // It may have been flagged and cleared since it was due. Nothing is remembered of that, so that the request
        // is still there when a flag is due once more.
        if !counts.is_due() {
            return Err(Stop::Refused(None));
        }
        let command = presentation::Command::Flag {
            presentation_id: presentation_id.clone(),
            cause: Cause::BrokenPromises {
                kept: counts.kept,
                broken: counts.broken,
                kept_rate_upper: counts.kept_rate_upper(),
            },
            when: When::now(work.now()),
        };
        let command = proposition::Command::Presentation(command);
        decide_proposition(work, &root, &id, command).map_err(|halt| match halt {
            Stop::Refused(refusal) => Stop::Refused(Some(refusal)),
            Stop::Fault(fault) => Stop::Fault(fault),
        })
    };
    match engine.execute(request, decide, |_| Ok(())).await {
        Ok(_) | Err(Failure::Refused(None)) => Ok(()),
        Err(Failure::Refused(Some(refusal))) => Err(refusal.to_string()),
        Err(failure) => Err(failure.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use eventsourcing::{FixedClock, Time};
    use journal::memory::MemoryTopics;
    use runtime::Options;

    use super::*;
    use crate::read_model::flags::tests::{content, pitch};

    async fn done(engine: &Arc<Engine<Acquisition>>, command: proposition::Command) {
        let id: PropositionId = "van-repair".parse().unwrap();
        let root = proposition_stream(&id).unwrap();
        let request = Request {
            root: root.clone(),
            request_id: Uuid::new_v4(),
            fingerprint: [0; 16],
            etag: None,
            validate_only: false,
            actor: "test".to_owned(),
            trace_context: String::new(),
            deadline: None,
        };
        let decide = move |work: &mut runtime::Work<'_>| {
            decide_proposition(work, &root, &id, command.clone())
        };
        engine.execute(request, decide, |_| Ok(())).await.unwrap();
    }

    #[tokio::test]
    async fn a_flag_that_is_not_due_any_more_is_left_and_nothing_is_remembered_of_it() {
        let clock = Arc::new(FixedClock::at(Time::from_days(20_000)));
        let topics = MemoryTopics::new(Arc::<FixedClock>::clone(&clock));
        let options = Options {
            inbox_topic: None,
            ..Options::for_pair("acquisition", "retention")
        };
        let engine = Engine::start(Arc::new(Acquisition), &topics, clock, options);
        let engine = engine.await.unwrap();
        engine.until_ready().await.unwrap();
        let when = When::now(Time::from_days(20_000));
        let content = content();
        done(&engine, proposition::Command::Create { content, when }).await;
        let presentation_id: PresentationId = "speed".parse().unwrap();
        let added = presentation::Command::Add {
            presentation_id: presentation_id.clone(),
            pitch: pitch(),
            when,
        };
        done(&engine, proposition::Command::Presentation(added)).await;

        let version = || {
            let read =
                |rows: &read_model::Snapshot<'_>| runtime::version(rows, "propositions/van-repair");
            engine.store().read(read).unwrap()
        };
        let before = version();
        // It was due, and was flagged and cleared before it came to this.
        let todo = Todo("van-repair/speed".to_owned());
        let performed = FlagPresentation.perform(Arc::clone(&engine), todo).await;
        assert_eq!(performed, Ok(()));
        let id = "van-repair".parse().unwrap();
        let state = engine.store().read(|rows| propositions::get(rows, &id));
        let state = state.unwrap().unwrap();
        assert_eq!(state.presentations[&presentation_id].flag, None);
        assert_eq!(version(), before);
    }
}
