//! A customer gives notice: the relationship goes on until it takes effect, and may yet be kept.

#[cfg(test)]
mod tests;

use eventsourcing::Time;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::customer::{Customer, Event};
use crate::input::{When, not_before};
use crate::refusal::Refusal;
use crate::relationship::{Cause, EndRelationship, Reason, State};
use crate::text::Label;

/// That a relationship will end, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// When notice was given.
    pub notice_at: Time,
    /// When the relationship ends, unless the notice is withdrawn.
    pub effective_at: Time,
    /// How it came to it.
    pub cause: Cause,
    /// Why; always there when the customer leaves voluntarily.
    pub reason: Option<Reason>,
    /// Who the customer goes to.
    pub competitor: Option<Label>,
}

/// Gives notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GiveNotice {
    /// The request, from which a save action takes its id.
    pub request_id: Uuid,
    /// When the relationship ends.
    pub effective_at: Time,
    /// How it came to it.
    pub cause: Cause,
    /// Why.
    pub reason: Option<Reason>,
    /// Who the customer goes to.
    pub competitor: Option<Label>,
    /// When notice was given.
    pub when: When,
}

impl Notice {
    /// The command that ends the relationship when the notice takes effect, told at `now`.
    pub fn ending(&self, request_id: Uuid, now: Time) -> EndRelationship {
        EndRelationship {
            request_id,
            cause: self.cause,
            reason: self.reason,
            competitor: self.competitor.clone(),
            when: When {
                now,
                occurred_at: Some(self.effective_at),
            },
        }
    }
}

impl Customer {
    pub(crate) fn give_notice(&self, command: GiveNotice) -> Result<Vec<Event>, Refusal> {
        let GiveNotice {
            request_id,
            effective_at,
            cause,
            reason,
            competitor,
            when,
        } = command;
        let relationship = self.opened()?;
        let state = relationship.state;
        if state != State::Active {
            return Err(Refusal::NotActive { state });
        }
        self.may_end_for(cause, reason)?;
        let notice_at = when.happened_since("notice_at", relationship.changed_at)?;
        not_before("effective_at", effective_at, notice_at)?;
        let given = Event::NoticeGiven(Notice {
            notice_at,
            effective_at,
            cause,
            reason,
            competitor,
        });
        let save = self.save("NOTICE", request_id, when.now);
        Ok(std::iter::once(given).chain(save).collect())
    }

    pub(crate) fn withdraw_notice(&self, when: When) -> Result<Vec<Event>, Refusal> {
        let relationship = self.opened()?;
        let state = relationship.state;
        if state != State::Leaving {
            return Err(Refusal::NotLeaving { state });
        }
        let withdrawn_at = when.happened_since("withdrawn_at", relationship.changed_at)?;
        Ok(vec![Event::NoticeWithdrawn { withdrawn_at }])
    }

    pub(crate) fn notice_given(&mut self, notice: &Notice) {
        if let Some(relationship) = &mut self.relationship {
            relationship.state = State::Leaving;
            relationship.changed_at = notice.notice_at;
            relationship.notice = Some(notice.clone());
        }
    }

    pub(crate) fn notice_withdrawn(&mut self, withdrawn_at: Time) {
        if let Some(relationship) = &mut self.relationship {
            relationship.state = State::Active;
            relationship.changed_at = withdrawn_at;
            relationship.notice = None;
        }
    }
}
