//! Actions: proposed, completed, cancelled, listed.

use patron_proto::retention::v1 as proto;
use read_model::{Error, Rows};
use retention_domain::action::{CompleteAction, ProposeAction};
use retention_domain::id::ActionId;
use retention_domain::input::When;
use retention_domain::{Command, PartId};
use runtime::Work;
use server::{Call, Opener, Page, parse, parse_optional, present};
use tonic::{Response, Status};
use uuid::Uuid;

use crate::api::when;
use crate::desk::Desk;
use crate::read_model::customers;
use crate::wire::action::{action_name, action_out, action_type, outcome};
use crate::wire::purchase::optional_amount;
use crate::wire::{customer_id, time};

pub(super) async fn propose(
    desk: &Desk,
    call: Call,
    message: proto::ProposeActionRequest,
) -> Result<Response<proto::Action>, Status> {
    let id = customer_id("parent", &message.parent)?;
    let request_id: Uuid = parse("request_id", &message.request_id)?;
    let chosen: Option<ActionId> = parse_optional("action_id", &message.action_id)?;
    let action_id = chosen.unwrap_or_else(|| Uuid::new_v5(&request_id, b"ACTION").into());
    let written = present("action", message.action.as_ref())?;
    let shown = shown(action_id.clone());
    let proposed = ProposeAction {
        action_id,
        kind: action_type("action.type", written.r#type)?,
        owner: parse_optional("action.owner", &written.owner)?,
        promise_id: parse_optional("action.promise_id", &written.promise_id)?,
        due_at: time("action.due_at", written.due_at.as_ref())?,
        trigger_event_id: parse_optional("action.trigger_event_id", &written.trigger_event_id)?,
        // The present is only known once the command is decided.
        when: When::now(eventsourcing::Time::EPOCH),
    };
    let at = message.occurred_at;
    let make = move |work: &Work<'_>| {
        Command::ProposeAction(Box::new(ProposeAction {
            when: when(work, at.as_ref()),
            ..proposed.clone()
        }))
    };
    desk.on_customer(&call, &message, id, make, shown).await
}

pub(super) async fn complete(
    desk: &Desk,
    call: Call,
    message: proto::CompleteActionRequest,
) -> Result<Response<proto::Action>, Status> {
    let (id, action_id) = action_name("name", &message.name)?;
    let succeeded = outcome("outcome", message.outcome)?;
    let cost = optional_amount("cost", message.cost.as_ref())?;
    let completed_at = message.completed_at;
    let shown = shown(action_id.clone());
    let make = move |work: &Work<'_>| {
        Command::CompleteAction(CompleteAction {
            action_id: action_id.clone(),
            succeeded,
            cost,
            when: when(work, completed_at.as_ref()),
        })
    };
    desk.on_customer(&call, &message, id, make, shown).await
}

pub(super) async fn cancel(
    desk: &Desk,
    call: Call,
    message: proto::CancelActionRequest,
) -> Result<Response<proto::Action>, Status> {
    let (id, action_id) = action_name("name", &message.name)?;
    let cancelled_at = message.cancelled_at;
    let shown = shown(action_id.clone());
    let make = move |work: &Work<'_>| Command::CancelAction {
        action_id: action_id.clone(),
        when: when(work, cancelled_at.as_ref()),
    };
    desk.on_customer(&call, &message, id, make, shown).await
}

pub(super) async fn list(
    desk: &Desk,
    call: Call,
    message: proto::ListActionsRequest,
) -> Result<Response<proto::ListActionsResponse>, Status> {
    let id = customer_id("parent", &message.parent)?;
    let asked = ["actions", &message.parent];
    let page = Page::parse(message.page_size, &message.page_token, &asked)?;
    let after = page.after_text()?;
    let read = |rows: &dyn Rows| {
        let state = customers::get(rows, id)?;
        let Some(relationship) = state.and_then(|state| state.relationship) else {
            return Ok(None);
        };
        let found = customers::actions(rows, id, after, page.wanted())?;
        let key = |action: &ActionId| action.as_str().as_bytes().to_vec();
        let paged = page.cut(found, |(action, _)| key(action));
        let rows = paged.rows.iter();
        Ok(Some(proto::ListActionsResponse {
            actions: rows
                .map(|(name, it)| action_out(id, name, it, relationship.currency))
                .collect(),
            next_page_token: paged.next_page_token,
        }))
    };
    desk.read_of(&call, id, &message.min_position, &message.parent, read)
        .await
}

/// Reads the action that a command was about.
fn shown(
    action_id: ActionId,
) -> impl Fn(&dyn Rows, Uuid, &Opener) -> Result<Option<proto::Action>, Error> {
    move |rows, id, _| {
        let part = PartId::ClosedAction(action_id.clone());
        let state = customers::load(rows, id, &[part])?;
        let Some(relationship) = &state.relationship else {
            return Ok(None);
        };
        let action = state.open_actions.get(&action_id);
        let action = action.or_else(|| state.closed_actions.get(&action_id));
        Ok(action.map(|action| action_out(id, &action_id, action, relationship.currency)))
    }
}
