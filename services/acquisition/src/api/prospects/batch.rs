//! `BatchRecordTouchpoints`: many touches of many prospects, each prospect's in as few commits as they fit.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use acquisition_domain::id::TouchpointId;
use acquisition_domain::input::When;
use acquisition_domain::prospect::{Command, Event, Prospect, TOUCHES_A_PART, Touch};
use eventsourcing::{Aggregate as _, Time};
use futures::stream::{self, StreamExt as _};
use patron_proto::acquisition::v1 as proto;
use read_model::{Error, Rows};
use runtime::{Failure, Request, Stop, Work};
use server::{Call, batch_too_large, fingerprint, from_failure, from_timestamp, parse, present};
use tonic::{Code, Response, Status};
use uuid::Uuid;

use crate::desk::{Desk, Halt, Refusal, refused};
use crate::read_model::prospects;
use crate::service::prospect_stream;
use crate::wire;
use crate::wire::prospect_id;

/// How many touches one batch may have.
const LARGEST: usize = 1_000;
/// Prospects of one batch whose touches are recorded at once.
const AT_ONCE: usize = 64;

/// One touch of a batch.
#[derive(Debug, Clone)]
struct Item {
    touchpoint_id: TouchpointId,
    touch: Touch,
    occurred_at: Option<Time>,
}

/// What became of an item.
#[derive(Debug, Clone, PartialEq)]
enum Outcome {
    Recorded,
    /// It was recorded before.
    Unchanged,
    Refused(Refusal),
    /// It was refused when the batch came first, for a reason that is gone by now.
    RefusedThen,
}

/// Items of one prospect, in their order, with their places in the batch.
#[derive(Debug, Default)]
struct OfProspect {
    places: Vec<usize>,
    items: Vec<Item>,
    sent: Vec<proto::TouchpointItem>,
}

pub(super) async fn record(
    desk: &Desk,
    call: &Call,
    message: proto::BatchRecordTouchpointsRequest,
) -> Result<Response<proto::BatchRecordTouchpointsResponse>, Status> {
    let batch: Uuid = parse("request_id", &message.request_id)?;
    let count = message.items.len();
    if count > LARGEST {
        return Err(batch_too_large(LARGEST));
    }
    let mut results = vec![proto::TouchpointResult::default(); count];
    let mut by_prospect: BTreeMap<Uuid, OfProspect> = BTreeMap::new();
    for (place, (sent, result)) in message.items.into_iter().zip(&mut results).enumerate() {
        // One bad item does not stop the others, so each is checked by itself.
        match Item::read(&sent) {
            Ok((prospect, item)) => {
                let of = by_prospect.entry(prospect).or_default();
                of.places.push(place);
                of.items.push(item);
                of.sent.push(sent);
            }
            Err(status) => *result = told(&status),
        }
    }
    let recorded: Vec<(usize, proto::TouchpointResult)> = stream::iter(by_prospect)
        .map(|(prospect, of)| record_all(desk, call, batch, prospect, of))
        .buffer_unordered(AT_ONCE)
        .concat()
        .await;
    for (place, result) in recorded {
        if let Some(slot) = results.get_mut(place) {
            *slot = result;
        }
    }
    let position = desk.engine.position();
    Ok(server::reply_at(
        proto::BatchRecordTouchpointsResponse { results },
        &position,
    ))
}

impl Item {
    /// Reads an item, and whose it is.
    fn read(sent: &proto::TouchpointItem) -> Result<(Uuid, Self), Status> {
        server::validate(sent)?;
        let prospect = prospect_id("parent", &sent.parent)?;
        let written = present("touchpoint", sent.touchpoint.as_ref())?;
        let item = Self {
            touchpoint_id: parse("touchpoint.touchpoint_id", &written.touchpoint_id)?,
            touch: wire::prospect::touch_of(written)?,
            occurred_at: written.occurred_at.as_ref().map(from_timestamp),
        };
        Ok((prospect, item))
    }

    /// What has to happen for it to be recorded; nothing, if it is recorded already.
    fn decide(&self, state: &Prospect, now: Time) -> Result<Vec<Event>, Halt> {
        let command = Command::RecordTouchpoint {
            touchpoint_id: self.touchpoint_id.clone(),
            touch: self.touch.clone(),
            when: When {
                now,
                occurred_at: self.occurred_at,
            },
        };
        state.decide(command).map_err(refused)
    }
}

/// The prospect as it is before these items, with all that deciding about them looks at.
fn load(rows: &dyn Rows, prospect: Uuid, items: &[Item]) -> Result<Prospect, Error> {
    let touches = items.iter().map(|item| item.touchpoint_id.clone());
    let touches: Vec<TouchpointId> = touches.collect();
    prospects::load(rows, prospect, &touches)
}

/// Records the touches of one prospect, as many in one commit as surely fit into it.
async fn record_all(
    desk: &Desk,
    call: &Call,
    batch: Uuid,
    prospect: Uuid,
    of: OfProspect,
) -> Vec<(usize, proto::TouchpointResult)> {
    let mut results = Vec::with_capacity(of.places.len());
    let parts = of.items.chunks(TOUCHES_A_PART);
    let parts = parts.zip(of.sent.chunks(TOUCHES_A_PART));
    for (number, (items, sent)) in parts.enumerate() {
        let name = format!("{prospect}/{number}");
        let part = proto::BatchRecordTouchpointsRequest {
            items: sent.to_vec(),
            request_id: Uuid::new_v5(&batch, name.as_bytes()).to_string(),
        };
        match outcomes(desk, call, prospect, items.into(), part).await {
            Ok(outcomes) => results.extend(outcomes.iter().map(result)),
            Err(status) => results.extend(items.iter().map(|_| told(&status))),
        }
    }
    of.places.into_iter().zip(results).collect()
}

/// What becomes of each item, in their order.
async fn outcomes(
    desk: &Desk,
    call: &Call,
    prospect: Uuid,
    items: Arc<[Item]>,
    part: proto::BatchRecordTouchpointsRequest,
) -> Result<Vec<Outcome>, Status> {
    let stream = prospect_stream(prospect)?;
    let request = Request {
        root: stream.clone(),
        request_id: parse("request_id", &part.request_id)?,
        fingerprint: fingerprint(&part),
        etag: None,
        validate_only: false,
        actor: call.actor.clone(),
        trace_context: call.trace_context.clone(),
        deadline: call.deadline,
    };
    // The decision may be taken several times; the last one is the one that stands.
    let decided: Arc<Mutex<Vec<Outcome>>> = Arc::default();
    let (kept, asked) = (Arc::clone(&decided), Arc::clone(&items));
    let decide_all = move |work: &mut Work<'_>| -> Result<(), Halt> {
        let mut outcomes = Vec::with_capacity(asked.len());
        let mut state = load(work.rows(), prospect, &asked)?;
        for item in &*asked {
            outcomes.push(match item.decide(&state, work.now()) {
                Ok(events) if events.is_empty() => Outcome::Unchanged,
                Ok(events) => {
                    for event in events {
                        state.evolve(&event);
                        work.conclude(&stream, wire::event::of_prospect(prospect, &event))?;
                    }
                    Outcome::Recorded
                }
                Err(Stop::Refused(refusal)) => Outcome::Refused(refusal),
                Err(fault) => return Err(fault),
            });
        }
        let nothing = only_refusals(&outcomes).cloned();
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = outcomes;
        // With nothing accepted there is nothing to write, not even that the prospect was asked about.
        nothing.map_or(Ok(()), |refusal| Err(Stop::Refused(refusal)))
    };
    match desk.engine.execute(request, decide_all, |_| Ok(())).await {
        Ok(answer) if answer.replayed => recall(desk, prospect, &items),
        Ok(_) | Err(Failure::Refused(_)) => {
            let mut decided = decided.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(std::mem::take(&mut *decided))
        }
        Err(failure) => Err(from_failure(&failure)),
    }
}

/// The first of the refusals, if there is nothing else.
fn only_refusals(outcomes: &[Outcome]) -> Option<&Refusal> {
    let mut refusals = outcomes.iter().map(|outcome| match outcome {
        Outcome::Refused(refusal) => Some(refusal),
        Outcome::Recorded | Outcome::Unchanged | Outcome::RefusedThen => None,
    });
    let first = refusals.next()??;
    refusals.all(|refusal| refusal.is_some()).then_some(first)
}

/// The outcomes of a part that took effect before: what is recorded now was recorded then.
fn recall(desk: &Desk, prospect: Uuid, items: &[Item]) -> Result<Vec<Outcome>, Status> {
    let now = desk.engine.clock().now();
    let recalled = desk.engine.store().read(|rows| {
        let state = load(rows, prospect, items)?;
        let recall = |item: &Item| match item.decide(&state, now) {
            Ok(events) if events.is_empty() => Ok(Outcome::Unchanged),
            Ok(_) => Ok(Outcome::RefusedThen),
            Err(Stop::Refused(refusal)) => Ok(Outcome::Refused(refusal)),
            Err(fault) => Err(fault),
        };
        items.iter().map(recall).collect::<Result<Vec<_>, Halt>>()
    });
    recalled.map_err(|stop| match stop {
        Stop::Refused(refusal) => server::refusal(&refusal),
        Stop::Fault(fault) => from_failure(&Failure::<Refusal>::Internal(fault)),
    })
}

fn result(outcome: &Outcome) -> proto::TouchpointResult {
    match outcome {
        Outcome::Recorded => proto::TouchpointResult::default(),
        Outcome::Unchanged => proto::TouchpointResult {
            unchanged: true,
            ..proto::TouchpointResult::default()
        },
        Outcome::Refused(refusal) => told(&server::refusal(refusal)),
        Outcome::RefusedThen => proto::TouchpointResult {
            code: Code::FailedPrecondition as i32,
            reason: "REFUSED_BEFORE".to_owned(),
            message: "it was refused when this batch was recorded, and the reason is gone: send it again with a new request_id".to_owned(),
            unchanged: false,
        },
    }
}

fn told(status: &Status) -> proto::TouchpointResult {
    proto::TouchpointResult {
        code: status.code() as i32,
        reason: server::reason(status),
        message: status.message().to_owned(),
        unchanged: false,
    }
}
