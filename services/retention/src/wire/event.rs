//! The events of retention as the journal holds them, for ever.
//!
//! Every kind and schema that was ever written can be read here; a new schema gets a reader beside the old
//! one. The bytes of each are kept in `tests/golden`.

use patron_proto::journal::v1::KeysDestroyed;
use patron_proto::retention::v1 as proto;
use prost::{Message, Name};
use retention_domain::action::Proposed;
use retention_domain::id::ActionId;
use retention_domain::promise::Made;
use retention_domain::purchase::{Recorded, Reversed};
use retention_domain::relationship::{Loss, Opening};
use retention_domain::{Event, promise};
use server::{
    Wrong, currency, money_out, optional_sealed, parse, parse_optional, present, resource_id,
    sealed_out, timestamp,
};
use uuid::Uuid;

use super::action::{action_type, action_type_out};
use super::person::{identities_out, who};
use super::promise::{Promised, assessed, own, score_out, terms, terms_out};
use super::purchase::{amount, margin_source, margin_source_out};
use super::relationship::{
    Came, cause, cause_out, consents, consents_out, optional_reason, optional_reason_out, origin,
    source_out,
};
use super::{customer_id, text, time};

mod erasure;
mod relation;
mod risk;
#[cfg(test)]
mod tests;

/// The package of the events.
const PACKAGE: &str = "patron.retention.v1.";
/// The schema of every event that this release writes.
const SCHEMA: u32 = 1;

/// What happened to a customer, as the journal holds it.
pub(crate) fn write(customer: Uuid, event: &Event) -> journal::Event {
    let name = format!("customers/{customer}");
    match event {
        Event::RelationshipOpened(opening) => public(&opened_out(name, opening)),
        Event::PromiseMade(made) => public(&made_out(&name, made)),
        Event::PurchaseRecorded(recorded) => public(&recorded_out(name, recorded)),
        Event::PurchaseReversed(reversed) => public(&reversed_out(name, reversed)),
        Event::PromiseKept(kept) => public(&kept_out(&name, kept)),
        Event::PromiseBroken(broken) => public(&broken_out(&name, broken)),
        Event::PromiseRepaired {
            promise_id,
            occurred_at,
        } => public(&proto::PromiseRepaired {
            promise: format!("{name}/promises/{promise_id}"),
            occurred_at: Some(timestamp(*occurred_at)),
        }),
        Event::PromiseWaived {
            promise_id,
            note,
            occurred_at,
        } => public(&proto::PromiseWaived {
            promise: format!("{name}/promises/{promise_id}"),
            occurred_at: Some(timestamp(*occurred_at)),
            note: note.as_ref().map(sealed_out),
        }),
        Event::RelationshipLost(loss) => public(&lost_out(name, loss)),
        Event::RelationshipWonBack { won_back_at } => public(&proto::RelationshipWonBack {
            customer: name,
            occurred_at: Some(timestamp(*won_back_at)),
        }),
        Event::ActionProposed(proposed) => public(&proposed_out(&name, proposed)),
        Event::ActionCancelled {
            action_id,
            cancelled_at,
        } => public(&proto::ActionCancelled {
            action: format!("{name}/actions/{action_id}"),
            occurred_at: Some(timestamp(*cancelled_at)),
        }),
        Event::NoticeGiven(notice) => public(&relation::notice_out(name, notice)),
        Event::NoticeWithdrawn { withdrawn_at } => public(&proto::NoticeWithdrawn {
            customer: name,
            occurred_at: Some(timestamp(*withdrawn_at)),
        }),
        Event::PromiseOverdue(overdue) => public(&risk::overdue_out(&name, overdue)),
        Event::RiskChanged(changed) => public(&risk::changed_out(name, changed)),
        Event::OwnerAssigned(assignment) => public(&relation::assigned_out(name, assignment)),
        Event::RecurringRevenueSet(set) => public(&relation::recurring_out(name, set)),
        Event::ConsentChanged(changed) => public(&relation::consented_out(name, changed)),
        Event::ActionCompleted(completed) => public(&relation::completed_out(&name, completed)),
        Event::Erased { erased_at } => public(&proto::CustomerErased {
            customer: name,
            occurred_at: Some(timestamp(*erased_at)),
        }),
        Event::KeysDestroyed { destroyed_at } => erasure::destroyed_out(*destroyed_at),
    }
}

/// Reads what happened to this customer.
///
/// # Errors
/// If this release does not know the kind or schema, or a part is missing, ill-formed or of another customer.
pub(crate) fn read(customer: Uuid, event: &journal::Event) -> Result<Event, Wrong> {
    if event.schema != SCHEMA {
        return Err(unknown(event));
    }
    if event.kind == KeysDestroyed::full_name() {
        return erasure::destroyed(&message(event)?);
    }
    let kind = event.kind.strip_prefix(PACKAGE).unwrap_or_default();
    match kind {
        "RelationshipOpened" => opened(customer, &message(event)?),
        "PromiseMade" => made(customer, &message(event)?),
        "PurchaseRecorded" => recorded(customer, &message(event)?),
        "PurchaseReversed" => reversed(customer, &message(event)?),
        "PromiseKept" => kept(customer, &message(event)?),
        "PromiseBroken" => broken(customer, &message(event)?),
        "PromiseRepaired" => repaired(customer, &message(event)?),
        "PromiseWaived" => waived(customer, &message(event)?),
        "RelationshipLost" => lost(customer, &message(event)?),
        "RelationshipWonBack" => won_back(customer, &message(event)?),
        "ActionProposed" => proposed(customer, &message(event)?),
        "ActionCancelled" => cancelled(customer, &message(event)?),
        "NoticeGiven" => relation::notice(customer, &message(event)?),
        "NoticeWithdrawn" => relation::withdrawn(customer, &message(event)?),
        "PromiseOverdue" => risk::overdue(customer, &message(event)?),
        "RiskChanged" => risk::changed(customer, &message(event)?),
        "OwnerAssigned" => relation::assigned(customer, &message(event)?),
        "RecurringRevenueSet" => relation::recurring(customer, &message(event)?),
        "ConsentChanged" => relation::consented(customer, &message(event)?),
        "ActionCompleted" => relation::completed(customer, &message(event)?),
        "CustomerErased" => erasure::erased(customer, &message(event)?),
        _ => Err(unknown(event)),
    }
}

fn public<M: Message + Name>(message: &M) -> journal::Event {
    journal::Event {
        kind: M::full_name(),
        schema: SCHEMA,
        public: true,
        payload: message.encode_to_vec().into(),
    }
}

fn message<M: Message + Default>(event: &journal::Event) -> Result<M, Wrong> {
    M::decode(event.payload.clone()).map_err(|error| Wrong::new(&event.kind, error))
}

fn unknown(event: &journal::Event) -> Wrong {
    Wrong::new(
        &event.kind,
        format!("schema {} is unknown to this release", event.schema),
    )
}

/// The event must name the customer in whose stream it stands.
fn same(customer: Uuid, name: &str) -> Result<(), Wrong> {
    if customer_id("customer", name)? == customer {
        Ok(())
    } else {
        Err(Wrong::new("customer", "is another one than the stream's"))
    }
}

/// The id in the name of an action, which must be one of this customer.
fn own_action(customer: Uuid, name: &str) -> Result<ActionId, Wrong> {
    let [parent, action_id] = resource_id("action", name, ["customers", "actions"])?;
    same(customer, &format!("customers/{parent}"))?;
    parse("action", action_id)
}

fn opened_out(customer: String, opening: &Opening) -> proto::RelationshipOpened {
    let origin = &opening.origin;
    let (source, external_id) = source_out(&origin.source);
    let (identities, identity_kinds) = identities_out(&opening.who);
    proto::RelationshipOpened {
        customer,
        occurred_at: Some(timestamp(opening.acquired_at)),
        source,
        external_id,
        proposition: text(origin.proposition.as_ref()),
        campaign: text(origin.campaign.as_ref()),
        presentation_id: text(origin.presentation_id.as_ref()),
        currency_code: opening.currency.to_string(),
        consents: consents_out(&opening.consents),
        identities,
        display_name: opening.who.display_name.as_ref().map(sealed_out),
        identity_kinds,
    }
}

fn opened(customer: Uuid, read: &proto::RelationshipOpened) -> Result<Event, Wrong> {
    same(customer, &read.customer)?;
    Ok(Event::RelationshipOpened(Opening {
        origin: origin(&Came {
            source: read.source,
            external_id: &read.external_id,
            proposition: &read.proposition,
            campaign: &read.campaign,
            presentation_id: &read.presentation_id,
        })?,
        acquired_at: time("occurred_at", read.occurred_at.as_ref())?,
        currency: currency("currency_code", &read.currency_code)?,
        consents: consents(&read.consents)?,
        who: who(
            &read.identities,
            &read.identity_kinds,
            read.display_name.as_ref(),
        )?,
    }))
}

fn made_out(customer: &str, made: &Made) -> proto::PromiseMade {
    proto::PromiseMade {
        promise: format!("{customer}/promises/{}", made.promise_id),
        occurred_at: Some(timestamp(made.made_at)),
        terms: Some(terms_out(&made.promise_id, &made.terms)),
        proposition: made.terms.proposition.to_string(),
        presentation_id: text(made.terms.presentation_id.as_ref()),
        made_by: text(made.terms.made_by.as_ref()),
        at_conversion: made.at_conversion,
    }
}

fn made(customer: Uuid, read: &proto::PromiseMade) -> Result<Event, Wrong> {
    Ok(Event::PromiseMade(Made {
        promise_id: own(customer, &read.promise)?,
        terms: terms(&Promised {
            terms: present("terms", read.terms.as_ref())?,
            proposition: &read.proposition,
            presentation_id: &read.presentation_id,
            made_by: &read.made_by,
        })?,
        at_conversion: read.at_conversion,
        made_at: time("occurred_at", read.occurred_at.as_ref())?,
    }))
}

fn recorded_out(customer: String, recorded: &Recorded) -> proto::PurchaseRecorded {
    proto::PurchaseRecorded {
        customer,
        occurred_at: Some(timestamp(recorded.occurred_at)),
        purchase_id: recorded.purchase_id.to_string(),
        amount: Some(money_out(recorded.amount)),
        contribution_margin: Some(money_out(recorded.contribution_margin)),
        margin_source: margin_source_out(recorded.margin_source),
    }
}

fn recorded(customer: Uuid, read: &proto::PurchaseRecorded) -> Result<Event, Wrong> {
    same(customer, &read.customer)?;
    Ok(Event::PurchaseRecorded(Recorded {
        purchase_id: parse("purchase_id", &read.purchase_id)?,
        amount: amount("amount", read.amount.as_ref())?,
        contribution_margin: amount("contribution_margin", read.contribution_margin.as_ref())?,
        margin_source: margin_source("margin_source", read.margin_source)?,
        occurred_at: time("occurred_at", read.occurred_at.as_ref())?,
    }))
}

fn reversed_out(customer: String, reversed: &Reversed) -> proto::PurchaseReversed {
    proto::PurchaseReversed {
        customer,
        occurred_at: Some(timestamp(reversed.occurred_at)),
        purchase_id: reversed.purchase_id.to_string(),
        reversal_id: reversed.reversal_id.to_string(),
        amount: Some(money_out(reversed.amount)),
        contribution_margin: Some(money_out(reversed.contribution_margin)),
        margin_source: margin_source_out(reversed.margin_source),
    }
}

fn reversed(customer: Uuid, read: &proto::PurchaseReversed) -> Result<Event, Wrong> {
    same(customer, &read.customer)?;
    Ok(Event::PurchaseReversed(Reversed {
        purchase_id: parse("purchase_id", &read.purchase_id)?,
        reversal_id: parse("reversal_id", &read.reversal_id)?,
        amount: amount("amount", read.amount.as_ref())?,
        contribution_margin: amount("contribution_margin", read.contribution_margin.as_ref())?,
        margin_source: margin_source("margin_source", read.margin_source)?,
        occurred_at: time("occurred_at", read.occurred_at.as_ref())?,
    }))
}

fn kept_out(customer: &str, kept: &promise::Assessed) -> proto::PromiseKept {
    let (perceived_score, gap) = score_out(kept.score);
    proto::PromiseKept {
        promise: format!("{customer}/promises/{}", kept.promise_id),
        occurred_at: Some(timestamp(kept.occurred_at)),
        perceived_score,
        gap,
        evidence: kept.evidence.as_ref().map(sealed_out),
    }
}

fn kept(customer: Uuid, read: &proto::PromiseKept) -> Result<Event, Wrong> {
    let score = (read.perceived_score, read.gap);
    let evidence = optional_sealed("evidence", read.evidence.as_ref())?;
    let assessed = assessed(customer, &read.promise, read.occurred_at.as_ref(), score)?;
    Ok(Event::PromiseKept(promise::Assessed {
        evidence,
        ..assessed
    }))
}

fn broken_out(customer: &str, broken: &promise::Assessed) -> proto::PromiseBroken {
    let (perceived_score, gap) = score_out(broken.score);
    proto::PromiseBroken {
        promise: format!("{customer}/promises/{}", broken.promise_id),
        occurred_at: Some(timestamp(broken.occurred_at)),
        perceived_score,
        gap,
        evidence: broken.evidence.as_ref().map(sealed_out),
    }
}

fn broken(customer: Uuid, read: &proto::PromiseBroken) -> Result<Event, Wrong> {
    let score = (read.perceived_score, read.gap);
    let evidence = optional_sealed("evidence", read.evidence.as_ref())?;
    let assessed = assessed(customer, &read.promise, read.occurred_at.as_ref(), score)?;
    Ok(Event::PromiseBroken(promise::Assessed {
        evidence,
        ..assessed
    }))
}

fn repaired(customer: Uuid, read: &proto::PromiseRepaired) -> Result<Event, Wrong> {
    Ok(Event::PromiseRepaired {
        promise_id: own(customer, &read.promise)?,
        occurred_at: time("occurred_at", read.occurred_at.as_ref())?,
    })
}

fn waived(customer: Uuid, read: &proto::PromiseWaived) -> Result<Event, Wrong> {
    Ok(Event::PromiseWaived {
        promise_id: own(customer, &read.promise)?,
        note: optional_sealed("note", read.note.as_ref())?,
        occurred_at: time("occurred_at", read.occurred_at.as_ref())?,
    })
}

fn lost_out(customer: String, loss: &Loss) -> proto::RelationshipLost {
    proto::RelationshipLost {
        customer,
        occurred_at: Some(timestamp(loss.ended_at)),
        cause: cause_out(loss.cause),
        reason: optional_reason_out(loss.reason),
        competitor: text(loss.competitor.as_ref()),
        broken_promise_ids: loss
            .broken_promise_ids
            .iter()
            .map(ToString::to_string)
            .collect(),
    }
}

fn lost(customer: Uuid, read: &proto::RelationshipLost) -> Result<Event, Wrong> {
    same(customer, &read.customer)?;
    let broken = read
        .broken_promise_ids
        .iter()
        .map(|id| parse("broken_promise_ids", id));
    Ok(Event::RelationshipLost(Loss {
        ended_at: time("occurred_at", read.occurred_at.as_ref())?,
        cause: cause("cause", read.cause)?,
        reason: optional_reason("reason", read.reason)?,
        competitor: parse_optional("competitor", &read.competitor)?,
        broken_promise_ids: broken.collect::<Result<_, _>>()?,
    }))
}

fn won_back(customer: Uuid, read: &proto::RelationshipWonBack) -> Result<Event, Wrong> {
    same(customer, &read.customer)?;
    let won_back_at = time("occurred_at", read.occurred_at.as_ref())?;
    Ok(Event::RelationshipWonBack { won_back_at })
}

fn proposed_out(customer: &str, proposed: &Proposed) -> proto::ActionProposed {
    proto::ActionProposed {
        action: format!("{customer}/actions/{}", proposed.action_id),
        occurred_at: Some(timestamp(proposed.proposed_at)),
        r#type: action_type_out(proposed.kind),
        promise_id: text(proposed.promise_id.as_ref()),
        due_at: Some(timestamp(proposed.due_at)),
        owner: text(proposed.owner.as_ref()),
        trigger_event_id: text(proposed.trigger_event_id.as_ref()),
    }
}

fn proposed(customer: Uuid, read: &proto::ActionProposed) -> Result<Event, Wrong> {
    Ok(Event::ActionProposed(Proposed {
        action_id: own_action(customer, &read.action)?,
        kind: action_type("type", read.r#type)?,
        owner: parse_optional("owner", &read.owner)?,
        promise_id: parse_optional("promise_id", &read.promise_id)?,
        trigger_event_id: parse_optional("trigger_event_id", &read.trigger_event_id)?,
        proposed_at: time("occurred_at", read.occurred_at.as_ref())?,
        due_at: time("due_at", read.due_at.as_ref())?,
    }))
}

fn cancelled(customer: Uuid, read: &proto::ActionCancelled) -> Result<Event, Wrong> {
    Ok(Event::ActionCancelled {
        action_id: own_action(customer, &read.action)?,
        cancelled_at: time("occurred_at", read.occurred_at.as_ref())?,
    })
}
