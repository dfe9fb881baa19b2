//! Actions: what is to be done, and what became of it.

use money::{Currency, Money};
use patron_proto::retention::v1 as proto;
use retention_domain::action::{Action, Kind, Outcome};
use retention_domain::id::ActionId;
use server::{Wrong, money_out, pairs, parse, resource_id, timestamp};
use uuid::Uuid;

use super::{text, uuid};

pairs!(action_type_out, action_type: Kind = proto::ActionType {
    Repair = Repair, Save = Save, Renew = Renew, Grow = Grow, WinBack = WinBack,
});

/// The ids in `customers/{customer}/actions/{action}`.
pub(crate) fn action_name(field: &str, name: &str) -> Result<(Uuid, ActionId), Wrong> {
    let [customer, action] = resource_id(field, name, ["customers", "actions"])?;
    Ok((uuid(field, customer)?, parse(field, action)?))
}

/// Whether an action worked.
pub(crate) fn outcome(field: &str, number: i32) -> Result<bool, Wrong> {
    match proto::ActionOutcome::try_from(number) {
        Ok(proto::ActionOutcome::Succeeded) => Ok(true),
        Ok(proto::ActionOutcome::Failed) => Ok(false),
        Ok(proto::ActionOutcome::Unspecified) | Err(_) => {
            Err(Wrong::new(field, "must be SUCCEEDED or FAILED"))
        }
    }
}

/// Whether an action worked, as protobuf writes it.
pub(crate) const fn outcome_out(succeeded: bool) -> i32 {
    if succeeded {
        proto::ActionOutcome::Succeeded as i32
    } else {
        proto::ActionOutcome::Failed as i32
    }
}

/// An action and what became of it. Its cost is in the customer's currency.
pub(crate) fn action_out(
    customer: Uuid,
    id: &ActionId,
    action: &Action,
    currency: Currency,
) -> proto::Action {
    let closing = action.closing.as_ref();
    let state = closing.map_or(proto::ActionState::Open, |closing| match closing.outcome {
        Outcome::Succeeded => proto::ActionState::Succeeded,
        Outcome::Failed => proto::ActionState::Failed,
        Outcome::Cancelled => proto::ActionState::Cancelled,
    });
    let cost = closing.and_then(|closing| closing.cost);
    proto::Action {
        name: format!("customers/{customer}/actions/{id}"),
        r#type: action_type_out(action.kind),
        state: state as i32,
        promise_id: text(action.promise_id.as_ref()),
        due_at: Some(timestamp(action.due_at)),
        proposed_at: Some(timestamp(action.proposed_at)),
        owner: text(action.owner.as_ref()),
        trigger_event_id: text(action.trigger_event_id.as_ref()),
        closed_at: closing.map(|closing| timestamp(closing.closed_at)),
        cost: cost.map(|cost| money_out(Money::new(currency, cost))),
    }
}
