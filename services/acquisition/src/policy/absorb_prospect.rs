//! A3: what was recorded for a merged prospect is absorbed by the one that goes on.

use std::sync::Arc;

use acquisition_domain::input::When;
use acquisition_domain::prospect::{
    Absorb, AbsorbedTouch, Command, Consent, Refusal, State, TOUCHES_A_PART,
};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use read_model::{Error, Rows};
use runtime::{Engine, Failure, Policy, Request, Todo};
use uuid::Uuid;

use crate::desk::{self, decide_prospect};
use crate::read_model::{merges, prospects};
use crate::service::{Acquisition, prospect_stream};

/// The namespace of this policy's request ids.
const POLICY: Uuid = Uuid::from_u128(0x7061_7472_6f6e_4000_8000_6162_736f_4133);

/// A3.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AbsorbProspect;

impl Policy<Acquisition> for AbsorbProspect {
    fn name(&self) -> &'static str {
        "absorb-prospect"
    }

    fn due(&self, rows: &dyn Rows, limit: usize) -> Result<Vec<Todo>, Error> {
        let due = merges::due(rows, limit)?.into_iter();
        Ok(due.map(|source| Todo(source.to_string())).collect())
    }

    fn perform(
        &self,
        engine: Arc<Engine<Acquisition>>,
        todo: Todo,
    ) -> BoxFuture<'static, Result<(), String>> {
        async move {
            let from: Uuid = server::parse("todo", &todo.0).map_err(|e| e.to_string())?;
            let source = engine.store().read(|rows| Source::read(rows, from));
            let source = source.map_err(|error| error.to_string())?;
            source.absorb(&engine).await
        }
        .boxed()
    }
}

/// A merged prospect. Nothing changes it any more, so every instance cuts it into the same parts.
struct Source {
    from: Uuid,
    /// The end of the chain of merges, as far as it is known here.
    root: Uuid,
    parts: Vec<Vec<AbsorbedTouch>>,
    consents: Vec<Consent>,
}

impl Source {
    fn read(rows: &dyn Rows, from: Uuid) -> Result<Self, Error> {
        let state = prospects::get(rows, from)?.unwrap_or_default();
        let mut root = from;
        let mut at = state.state;
        while let State::Merged { into } = at {
            root = into;
            at = prospects::get(rows, into)?.unwrap_or_default().state;
        }
        let touches = prospects::takeover(rows, from)?;
        let mut parts: Vec<Vec<AbsorbedTouch>> = touches
            .chunks(TOUCHES_A_PART)
            .map(<[AbsorbedTouch]>::to_vec)
            .collect();
        if parts.is_empty() {
            parts.push(Vec::new());
        }
        Ok(Self {
            from,
            root,
            parts,
            consents: state.consents.into_values().collect(),
        })
    }

    /// One part after the other, so that the last one is the end of all. The root may be merged meanwhile:
    /// then it takes what it has absorbed along, and the rest goes where it went.
    async fn absorb(self, engine: &Arc<Engine<Acquisition>>) -> Result<(), String> {
        let mut root = self.root;
        let parts = u32::try_from(self.parts.len()).unwrap_or(u32::MAX);
        for (part, touches) in (1_u32..).zip(self.parts) {
            let absorb = Absorb {
                from: self.from,
                part,
                parts,
                touches,
                consents: self.consents.clone(),
                when: When::now(engine.clock().now()),
            };
            while let Some(further) = absorb_part(engine, root, absorb.clone()).await? {
                root = further;
            }
        }
        Ok(())
    }
}

/// Absorbs one part; where to go instead if the prospect was merged itself.
async fn absorb_part(
    engine: &Arc<Engine<Acquisition>>,
    root: Uuid,
    absorb: Absorb,
) -> Result<Option<Uuid>, String> {
    let stream = prospect_stream(root).map_err(|wrong| wrong.to_string())?;
    let name = format!("{}/{}", absorb.from, absorb.part);
    let request = Request {
        root: stream.clone(),
        request_id: Uuid::new_v5(&POLICY, name.as_bytes()),
        fingerprint: *POLICY.as_bytes(),
        etag: None,
        validate_only: false,
        actor: "policy/absorb-prospect".to_owned(),
        trace_context: String::new(),
        deadline: None,
    };
    let decide = move |work: &mut runtime::Work<'_>| {
        let when = When::now(work.now());
        let command = Command::Absorb(Absorb {
            when,
            ..absorb.clone()
        });
        decide_prospect(work, &stream, root, command)
    };
    match engine.execute(request, decide, |_| Ok(())).await {
        Ok(_) => Ok(None),
        Err(Failure::Refused(desk::Refusal::Prospect(Refusal::Merged { into }))) => Ok(Some(into)),
        Err(Failure::Refused(refusal)) => Err(refusal.to_string()),
        Err(failure) => Err(failure.to_string()),
    }
}
