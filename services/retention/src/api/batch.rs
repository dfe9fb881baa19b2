//! `BatchRecordPurchases`: many purchases of many customers, each customer's in one commit.

mod item;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::stream::{self, StreamExt as _};
use patron_proto::retention::v1 as proto;
use retention_domain::Refusal;
use runtime::{Request, Stop, Work};
use server::{Call, batch_too_large, fingerprint, from_failure, invalid, parse, reason, reply_at};
use tonic::{Code, Response, Status};
use uuid::Uuid;

use crate::api::batch::item::{Item, decide};
use crate::desk::{Desk, Halt, failed, no};
use crate::service::customer_stream;
use crate::wire;

/// How many purchases one batch may have.
const LARGEST: usize = 1_000;
/// Customers of one batch whose purchases are recorded at once.
const AT_ONCE: usize = 64;

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

impl Outcome {
    const fn refusal(&self) -> Option<&Refusal> {
        if let Self::Refused(refusal) = self {
            Some(refusal)
        } else {
            None
        }
    }
}

/// Items of one customer, in their order, with their places in the batch.
#[derive(Debug, Default)]
struct OfCustomer {
    places: Vec<usize>,
    items: Vec<Item>,
    sent: Vec<proto::PurchaseItem>,
}

pub(super) async fn record(
    desk: &Desk,
    call: Call,
    message: proto::BatchRecordPurchasesRequest,
) -> Result<Response<proto::BatchRecordPurchasesResponse>, Status> {
    let batch: Uuid = parse("request_id", &message.request_id)?;
    let count = message.items.len();
    if count == 0 {
        return Err(invalid("items", "is required"));
    }
    if count > LARGEST {
        return Err(batch_too_large(LARGEST));
    }
    let mut results = vec![proto::PurchaseResult::default(); count];
    let mut by_customer: BTreeMap<Uuid, OfCustomer> = BTreeMap::new();
    for (place, (sent, result)) in message.items.into_iter().zip(&mut results).enumerate() {
        // One bad item does not stop the others, so each is checked by itself.
        match Item::read(&sent) {
            Ok((customer, item)) => {
                let of = by_customer.entry(customer).or_default();
                of.places.push(place);
                of.items.push(item);
                of.sent.push(sent);
            }
            Err(status) => *result = refused(&status, String::new()),
        }
    }
    let recorded: Vec<(usize, proto::PurchaseResult)> = stream::iter(by_customer)
        .map(|(customer, of)| record_all(desk, &call, batch, customer, of))
        .buffer_unordered(AT_ONCE)
        .concat()
        .await;
    for (place, result) in recorded {
        if let Some(slot) = results.get_mut(place) {
            *slot = result;
        }
    }
    let position = desk.engine.position();
    Ok(reply_at(
        proto::BatchRecordPurchasesResponse { results },
        &position,
    ))
}

/// Records the purchases of one customer, as one request of its own.
async fn record_all(
    desk: &Desk,
    call: &Call,
    batch: Uuid,
    customer: Uuid,
    of: OfCustomer,
) -> Vec<(usize, proto::PurchaseResult)> {
    let OfCustomer {
        places,
        items,
        sent,
    } = of;
    let outcomes = outcomes(desk, call, batch, customer, items.into(), sent).await;
    let name = format!("customers/{customer}");
    match outcomes {
        Ok(outcomes) => {
            let results = outcomes.iter().map(|outcome| result(customer, outcome));
            places.into_iter().zip(results).collect()
        }
        Err(status) => places
            .into_iter()
            .map(|place| (place, refused(&status, name.clone())))
            .collect(),
    }
}

/// What becomes of each item, in their order.
async fn outcomes(
    desk: &Desk,
    call: &Call,
    batch: Uuid,
    customer: Uuid,
    items: Arc<[Item]>,
    sent: Vec<proto::PurchaseItem>,
) -> Result<Vec<Outcome>, Status> {
    desk.expect(call, customer).await?;
    let stream = customer_stream(customer)?;
    let part = proto::BatchRecordPurchasesRequest {
        items: sent,
        request_id: batch.to_string(),
    };
    let request = Request {
        root: stream.clone(),
        request_id: Uuid::new_v5(&batch, customer.as_bytes()),
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
        let mut state = item::load(work.rows(), customer, &asked)?;
        for item in &*asked {
            let decision = decide(work.rows(), &mut state, item, work.now());
            outcomes.push(match decision {
                Ok(events) if events.is_empty() => Outcome::Unchanged,
                Ok(events) => {
                    for event in events {
                        work.conclude(&stream, wire::event::write(customer, &event))?;
                    }
                    Outcome::Recorded
                }
                Err(Stop::Refused(refusal)) => Outcome::Refused(refusal),
                Err(fault) => return Err(fault),
            });
        }
        let refusals: Option<Vec<&Refusal>> = outcomes.iter().map(Outcome::refusal).collect();
        let nothing = refusals.and_then(|refusals| refusals.first().copied().cloned());
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = outcomes;
        // With nothing accepted there is nothing to write, not even that the customer was asked about.
        nothing.map_or(Ok(()), |refusal| Err(Stop::Refused(refusal)))
    };
    let decided = || {
        decided
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    };
    match desk.engine.execute(request, decide_all, |_| Ok(())).await {
        Ok(answer) if answer.replayed => recall(desk, customer, &items),
        Ok(_) | Err(runtime::Failure::Refused(_)) => Ok(decided()),
        Err(failure) => Err(failed(customer, &failure)),
    }
}

/// The outcomes of a batch that took effect before: what is recorded now was recorded then.
fn recall(desk: &Desk, customer: Uuid, items: &[Item]) -> Result<Vec<Outcome>, Status> {
    let now = desk.engine.clock().now();
    let recalled = desk
        .engine
        .store()
        .read(|rows| -> Result<Vec<Outcome>, Halt> {
            let state = item::load(rows, customer, items)?;
            items
                .iter()
                .map(|item| match decide(rows, &mut state.clone(), item, now) {
                    Ok(events) if events.is_empty() => Ok(Outcome::Unchanged),
                    Ok(_) => Ok(Outcome::RefusedThen),
                    Err(Stop::Refused(refusal)) => Ok(Outcome::Refused(refusal)),
                    Err(fault) => Err(fault),
                })
                .collect()
        });
    recalled.map_err(|stop| match stop {
        Stop::Refused(refusal) => no(customer, &refusal),
        Stop::Fault(fault) => from_failure(&runtime::Failure::<Refusal>::Internal(fault)),
    })
}

fn result(customer: Uuid, outcome: &Outcome) -> proto::PurchaseResult {
    let name = format!("customers/{customer}");
    let unchanged = match outcome {
        Outcome::Recorded => false,
        Outcome::Unchanged => true,
        Outcome::Refused(refusal) => return refused(&no(customer, refusal), name),
        Outcome::RefusedThen => {
            return proto::PurchaseResult {
                code: Code::FailedPrecondition as i32,
                reason: "REFUSED_BEFORE".to_owned(),
                message: "it was refused when this batch was recorded, and the reason is gone: send it again with a new request_id".to_owned(),
                customer: name,
                unchanged: false,
            };
        }
    };
    proto::PurchaseResult {
        code: Code::Ok as i32,
        customer: name,
        unchanged,
        ..proto::PurchaseResult::default()
    }
}

fn refused(status: &Status, customer: String) -> proto::PurchaseResult {
    proto::PurchaseResult {
        code: status.code() as i32,
        reason: reason(status),
        message: status.message().to_owned(),
        customer,
        unchanged: false,
    }
}
