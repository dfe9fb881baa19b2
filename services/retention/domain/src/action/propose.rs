//! People propose actions too, and say what became of them.

#[cfg(test)]
mod tests;

use eventsourcing::Time;
use money::Money;

use crate::action::{Action, Kind, Outcome, Proposed};
use crate::consent::CONTACT;
use crate::customer::{Customer, Event, told_again};
use crate::id::{ActionId, PromiseId};
use crate::input::{When, not_negative};
use crate::refusal::{Refusal, Thing};
use crate::text::Label;

/// How many actions of a customer may be open at once.
pub const MAX_OPEN_ACTIONS: usize = 1_000;

/// Proposes that something should be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposeAction {
    /// The id that the client chose.
    pub action_id: ActionId,
    /// What is to be done.
    pub kind: Kind,
    /// Who should do it; left out, whoever looks after the customer.
    pub owner: Option<Label>,
    /// The promise it is about.
    pub promise_id: Option<PromiseId>,
    /// Until when it should be done.
    pub due_at: Time,
    /// The event that gave rise to it.
    pub trigger_event_id: Option<Label>,
    /// When it is proposed.
    pub when: When,
}

/// Says that something was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompleteAction {
    /// Which action.
    pub action_id: ActionId,
    /// Whether it worked.
    pub succeeded: bool,
    /// What it cost.
    pub cost: Option<Money>,
    /// When it was done.
    pub when: When,
}

/// That something was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completed {
    /// The id of the action.
    pub action_id: ActionId,
    /// Whether it worked.
    pub succeeded: bool,
    /// What it cost.
    pub cost: Option<Money>,
    /// When it was done.
    pub completed_at: Time,
}

impl ProposeAction {
    /// Whether it proposes what was proposed already.
    fn repeats(&self, known: &Action) -> bool {
        self.kind == known.kind
            && self.owner == known.owner
            && self.promise_id == known.promise_id
            && self.due_at == known.due_at
            && self.trigger_event_id == known.trigger_event_id
            && self.when.may_mean(known.proposed_at)
    }
}

impl Customer {
    pub(crate) fn propose_action(&self, command: ProposeAction) -> Result<Vec<Event>, Refusal> {
        let relationship = self.opened()?;
        if let Some(known) = self.known_action(&command.action_id) {
            return told_again(command.repeats(known), Thing::Action(command.action_id));
        }
        let wins_back = command.kind == Kind::WinBack;
        if !wins_back {
            relationship.must_go_on()?;
        } else if self.is_erased() {
            return Err(Refusal::Erased);
        } else if !relationship.consents.allows(CONTACT) {
            return Err(Refusal::NoConsent);
        }
        let promise = command.promise_id.as_ref();
        if let Some(unknown) = promise.filter(|id| !self.promises.contains_key(id)) {
            return Err(Refusal::NotFound(Thing::Promise(unknown.clone())));
        }
        if self.open_actions.len() >= MAX_OPEN_ACTIONS {
            return Err(Refusal::Limit {
                what: "open actions",
                limit: 1_000,
            });
        }
        let proposed_at = command
            .when
            .happened_since("occurred_at", relationship.acquired_at)?;
        Ok(vec![Event::ActionProposed(Proposed {
            action_id: command.action_id,
            kind: command.kind,
            owner: command.owner,
            promise_id: command.promise_id,
            trigger_event_id: command.trigger_event_id,
            proposed_at,
            due_at: command.due_at,
        })])
    }

    pub(crate) fn complete_action(&self, command: CompleteAction) -> Result<Vec<Event>, Refusal> {
        let CompleteAction {
            action_id,
            succeeded,
            cost,
            when,
        } = command;
        let currency = self.opened()?.currency;
        let action = self.open_action(&action_id)?;
        if let Some(cost) = cost {
            not_negative("cost", cost, currency)?;
        }
        let completed_at = when.happened_since("completed_at", action.proposed_at)?;
        Ok(vec![Event::ActionCompleted(Completed {
            action_id,
            succeeded,
            cost,
            completed_at,
        })])
    }

    pub(crate) fn cancel_action(
        &self,
        action_id: ActionId,
        when: When,
    ) -> Result<Vec<Event>, Refusal> {
        self.opened()?;
        let action = self.open_action(&action_id)?;
        let cancelled_at = when.happened_since("cancelled_at", action.proposed_at)?;
        Ok(vec![Event::ActionCancelled {
            action_id,
            cancelled_at,
        }])
    }

    fn known_action(&self, action_id: &ActionId) -> Option<&Action> {
        let open = self.open_actions.get(action_id);
        open.or_else(|| self.closed_actions.get(action_id))
    }

    fn open_action(&self, action_id: &ActionId) -> Result<&Action, Refusal> {
        let unknown = || Refusal::NotFound(Thing::Action(action_id.clone()));
        let action = self.known_action(action_id).ok_or_else(unknown)?;
        action.closing.map_or(Ok(action), |closing| {
            Err(Refusal::ActionClosed {
                action_id: action_id.clone(),
                outcome: closing.outcome,
            })
        })
    }

    pub(crate) fn action_completed(&mut self, completed: &Completed) {
        let outcome = if completed.succeeded {
            Outcome::Succeeded
        } else {
            Outcome::Failed
        };
        let cost = completed.cost.map(|cost| cost.minor_units);
        self.action_closed(&completed.action_id, outcome, completed.completed_at, cost);
    }
}
