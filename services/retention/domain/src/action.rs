//! What somebody should do to keep a customer, and how the policies propose and cancel it.

mod propose;
#[cfg(test)]
mod tests;

use std::fmt;

use eventsourcing::{Days, Time};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::consent::CONTACT;
use crate::customer::{Customer, Event};
use crate::id::{ActionId, PromiseId};
use crate::relationship::{Cause, Relationship};
use crate::text::Label;

pub use propose::{CompleteAction, Completed, MAX_OPEN_ACTIONS, ProposeAction};

/// How long there is to repair a broken promise.
pub const REPAIR_WITHIN: Days = Days(2);
/// How long there is to keep a customer who may leave.
pub const SAVE_WITHIN: Days = Days(2);
/// How long there is to win a lost customer back.
pub const WIN_BACK_WITHIN: Days = Days(90);

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Make a broken promise good.
    Repair,
    /// Keep a customer who may leave.
    Save,
    /// Renew what runs out.
    Renew,
    /// Sell more.
    Grow,
    /// Win a lost customer back.
    WinBack,
}

/// How an action came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It was done and it worked.
    Succeeded,
    /// It was done and it did not work.
    Failed,
    /// It is no longer to be done.
    Cancelled,
}

/// The end of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// How it came to it.
    pub outcome: Outcome,
    /// When.
    pub closed_at: Time,
    /// What it cost, in minor units of the customer's currency.
    pub cost: Option<i64>,
}

/// Something that somebody should do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// What is to be done.
    pub kind: Kind,
    /// Who should do it; left out, whoever looks after the customer.
    pub owner: Option<Label>,
    /// The promise it is about.
    pub promise_id: Option<PromiseId>,
    /// The event that gave rise to it, if somebody named one.
    pub trigger_event_id: Option<Label>,
    /// When it was proposed.
    pub proposed_at: Time,
    /// Until when it should be done.
    pub due_at: Time,
    /// How it ended; absent while it is open.
    pub closing: Option<Closing>,
}

/// That something should be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// The id of the action.
    pub action_id: ActionId,
    /// What is to be done.
    pub kind: Kind,
    /// Who should do it; left out, whoever looks after the customer.
    pub owner: Option<Label>,
    /// The promise it is about.
    pub promise_id: Option<PromiseId>,
    /// The event that gave rise to it, if somebody named one.
    pub trigger_event_id: Option<Label>,
    /// When it was proposed.
    pub proposed_at: Time,
    /// Until when it should be done.
    pub due_at: Time,
}

/// Policy R2: a promise was broken, so somebody should repair it. For a lost customer it is too late.
///
/// A promise breaks once, so its name in the request makes the id unique.
pub(crate) fn after_broken_promise(
    relationship: &Relationship,
    promise_id: &PromiseId,
    request_id: Uuid,
    now: Time,
) -> Option<Event> {
    let proposed = Proposed {
        action_id: derived_id(request_id, &format!("REPAIR/{promise_id}")),
        kind: Kind::Repair,
        owner: None,
        promise_id: Some(promise_id.clone()),
        trigger_event_id: None,
        proposed_at: now,
        due_at: now.plus_days(REPAIR_WITHIN),
    };
    (!relationship.is_lost()).then_some(Event::ActionProposed(proposed))
}

impl Customer {
    /// Policy R3: something speaks for a loss, so somebody should keep the customer, unless somebody
    /// should already. For a lost customer it is too late.
    ///
    /// Nothing speaks twice in one request, so what does makes the id unique.
    pub(crate) fn save(&self, what_speaks: &str, request_id: Uuid, now: Time) -> Option<Event> {
        let lost = self.relationship.as_ref().is_none_or(Relationship::is_lost);
        let mut open = self.open_actions.values();
        if lost || open.any(|action| action.kind == Kind::Save) {
            return None;
        }
        Some(Event::ActionProposed(Proposed {
            action_id: derived_id(request_id, &format!("SAVE/{what_speaks}")),
            kind: Kind::Save,
            owner: None,
            promise_id: None,
            trigger_event_id: None,
            proposed_at: now,
            due_at: now.plus_days(SAVE_WITHIN),
        }))
    }

    /// Policy R4: the customer is lost, so nothing is left to do but to win back who left by choice and
    /// may be contacted.
    ///
    /// The number of the loss in the request makes the id unique.
    pub(crate) fn actions_after_loss(
        &self,
        relationship: &Relationship,
        cause: Cause,
        request_id: Uuid,
        now: Time,
    ) -> Vec<Event> {
        let what = format!("WIN_BACK/{}", relationship.losses);
        let may_be_asked = relationship.consents.allows(CONTACT) && !self.is_erased();
        let worth_asking = cause == Cause::Voluntary && may_be_asked;
        let win_back = Proposed {
            action_id: derived_id(request_id, &what),
            kind: Kind::WinBack,
            owner: None,
            promise_id: None,
            trigger_event_id: None,
            proposed_at: now,
            due_at: now.plus_days(WIN_BACK_WITHIN),
        };
        let proposed = worth_asking.then_some(Event::ActionProposed(win_back));
        self.cancel_open(now, |kind| kind != Kind::WinBack)
            .chain(proposed)
            .collect()
    }

    /// The customer is back, so nobody needs to win them back.
    pub(crate) fn actions_after_win_back(&self, now: Time) -> Vec<Event> {
        self.cancel_open(now, |kind| kind == Kind::WinBack)
            .collect()
    }

    pub(crate) fn cancel_open(
        &self,
        now: Time,
        which: fn(Kind) -> bool,
    ) -> impl Iterator<Item = Event> {
        self.open_actions
            .iter()
            .filter(move |(_, action)| which(action.kind))
            .map(move |(action_id, action)| Event::ActionCancelled {
                action_id: action_id.clone(),
                cancelled_at: now.max(action.proposed_at),
            })
    }

    pub(crate) fn action_proposed(&mut self, proposed: &Proposed) {
        let action = Action {
            kind: proposed.kind,
            owner: proposed.owner.clone(),
            promise_id: proposed.promise_id.clone(),
            trigger_event_id: proposed.trigger_event_id.clone(),
            proposed_at: proposed.proposed_at,
            due_at: proposed.due_at,
            closing: None,
        };
        self.open_actions.insert(proposed.action_id.clone(), action);
    }

    pub(crate) fn action_closed(
        &mut self,
        action_id: &ActionId,
        outcome: Outcome,
        closed_at: Time,
        cost: Option<i64>,
    ) {
        if let Some(mut action) = self.open_actions.remove(action_id) {
            action.closing = Some(Closing {
                outcome,
                closed_at,
                cost,
            });
            self.closed_actions.insert(action_id.clone(), action);
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        })
    }
}

/// The id of what this request proposes: the same request proposes the same action.
fn derived_id(request_id: Uuid, what: &str) -> ActionId {
    Uuid::new_v5(&request_id, what.as_bytes()).into()
}
