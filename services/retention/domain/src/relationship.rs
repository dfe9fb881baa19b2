//! A relationship: it is opened, perhaps lost, perhaps won back, and never goes back in time.

mod notice;
mod open;
#[cfg(test)]
mod tests;

use std::fmt;

use eventsourcing::Time;
use money::Currency;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::consent::Consents;
use crate::customer::{Customer, Event};
use crate::id::{PresentationId, PromiseId};
use crate::input::{Invalid, When};
use crate::owner::Assignment;
use crate::person::Who;
use crate::refusal::{Refusal, Thing};
use crate::risk::Risk;
use crate::text::Label;

pub use notice::{GiveNotice, Notice};
pub use open::{OpenRelationship, OpeningPromise};

/// Where a relationship stands. Active and leaving customers both count as active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// It goes on.
    Active,
    /// Notice has been given.
    Leaving,
    /// It has ended.
    Lost,
}

/// Where a customer comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// The prospect of the same id was converted.
    Prospect,
    /// Taken over from another system.
    Import {
        /// Its id there.
        external_id: Label,
    },
}

/// Where a customer comes from, and what won it. Names of acquisition are kept, not understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Where the customer comes from.
    pub source: Source,
    /// The proposition that was accepted.
    pub proposition: Option<Label>,
    /// The campaign that led to it.
    pub campaign: Option<Label>,
    /// The presentation that led to it.
    pub presentation_id: Option<PresentationId>,
}

/// How a relationship began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// Where the customer comes from.
    pub origin: Origin,
    /// When the customer became one.
    pub acquired_at: Time,
    /// The one currency of everything that this customer buys.
    pub currency: Currency,
    /// What the customer allowed so far.
    pub consents: Consents,
    /// Who the customer is, sealed.
    pub who: Who,
}

/// How it came to a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// The customer left, and said why.
    Voluntary,
    /// Payments failed.
    PaymentFailure,
    /// Nothing was heard any more.
    Inactivity,
    /// We ended it.
    OurDecision,
    /// The customer ceased to exist.
    Ceased,
}

/// Why a customer left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// Too expensive.
    Price,
    /// A promise was broken.
    PromiseBroken,
    /// A competitor was better.
    Competitor,
    /// The problem is gone.
    NoLongerNeeded,
    /// The service was bad.
    Service,
    /// Something else.
    Other,
}

/// How a relationship ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// When it ended.
    pub ended_at: Time,
    /// How it came to it.
    pub cause: Cause,
    /// Why; always there when the customer left voluntarily.
    pub reason: Option<Reason>,
    /// Who the customer went to.
    pub competitor: Option<Label>,
    /// With the reason of a broken promise: every promise that was broken, repaired or not.
    pub broken_promise_ids: Vec<PromiseId>,
}

/// A relationship that was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relationship {
    /// Where the customer comes from.
    pub origin: Origin,
    /// When the customer became one.
    pub acquired_at: Time,
    /// The one currency of everything that this customer buys.
    pub currency: Currency,
    /// What the customer allows.
    pub consents: Consents,
    /// Who the customer is, sealed; nothing once it is erased.
    pub who: Who,
    /// Where it stands.
    pub state: State,
    /// When that last changed.
    pub changed_at: Time,
    /// How often it was lost.
    pub losses: u32,
    /// How it was lost, the last time.
    pub last_loss: Option<Loss>,
    /// When it was won back, the last time.
    pub won_back_at: Option<Time>,
    /// The notice that was given, while the customer is leaving.
    pub notice: Option<Notice>,
    /// Who looks after the customer, if somebody does.
    pub assignment: Option<Assignment>,
}

/// Ends a relationship.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndRelationship {
    /// The request, from which a win-back action takes its id.
    pub request_id: Uuid,
    /// How it came to it.
    pub cause: Cause,
    /// Why.
    pub reason: Option<Reason>,
    /// Who the customer went to.
    pub competitor: Option<Label>,
    /// When it ended.
    pub when: When,
}

impl Relationship {
    /// Whether it has ended.
    pub fn is_lost(&self) -> bool {
        self.state == State::Lost
    }

    /// When it ended, if it has.
    pub fn ended_at(&self) -> Option<Time> {
        self.last_loss
            .as_ref()
            .filter(|_| self.is_lost())
            .map(|loss| loss.ended_at)
    }

    /// Refuses what is only possible while it has not ended.
    pub(crate) fn must_go_on(&self) -> Result<(), Refusal> {
        self.ended_at()
            .map_or(Ok(()), |ended_at| Err(Refusal::WinBackFirst { ended_at }))
    }
}

impl Customer {
    /// The relationship, which everything but opening it needs.
    pub(crate) fn opened(&self) -> Result<&Relationship, Refusal> {
        self.relationship
            .as_ref()
            .ok_or(Refusal::NotFound(Thing::Customer))
    }

    pub(crate) fn end(&self, command: EndRelationship) -> Result<Vec<Event>, Refusal> {
        let EndRelationship {
            request_id,
            cause,
            reason,
            competitor,
            when,
        } = command;
        let relationship = self.opened()?;
        if let Some(ended_at) = relationship.ended_at() {
            return Err(Refusal::AlreadyLost { ended_at });
        }
        let broken_promise_ids = self.may_end_for(cause, reason)?;
        let ended_at = when.happened_since("ended_at", relationship.changed_at)?;
        let loss = Loss {
            ended_at,
            cause,
            reason,
            competitor,
            broken_promise_ids,
        };
        let mut events = vec![Event::RelationshipLost(loss)];
        events.extend(self.actions_after_loss(relationship, cause, request_id, when.now));
        Ok(events)
    }

    pub(crate) fn win_back(&self, when: When) -> Result<Vec<Event>, Refusal> {
        let relationship = self.opened()?;
        self.must_be_known()?;
        if !relationship.is_lost() {
            return Err(Refusal::NotLost {
                state: relationship.state,
            });
        }
        let won_back_at = when.happened_since("occurred_at", relationship.changed_at)?;
        let mut events = vec![Event::RelationshipWonBack { won_back_at }];
        events.extend(self.actions_after_win_back(when.now));
        Ok(events)
    }

    /// The broken promises behind a loss with this cause and reason; if that is the reason, there must be one.
    pub(crate) fn may_end_for(
        &self,
        cause: Cause,
        reason: Option<Reason>,
    ) -> Result<Vec<PromiseId>, Refusal> {
        if cause == Cause::Voluntary && reason.is_none() {
            return Err(Invalid::NoReason.into());
        }
        if reason != Some(Reason::PromiseBroken) {
            return Ok(vec![]);
        }
        let broken: Vec<PromiseId> = self
            .promises
            .iter()
            .filter(|(_, promise)| promise.state.was_broken())
            .map(|(promise_id, _)| promise_id.clone())
            .collect();
        if broken.is_empty() {
            Err(Refusal::NoBrokenPromise)
        } else {
            Ok(broken)
        }
    }

    pub(crate) fn relationship_opened(&mut self, opening: &Opening) {
        let Opening {
            origin,
            acquired_at,
            currency,
            consents,
            who,
        } = opening.clone();
        self.relationship = Some(Relationship {
            origin,
            acquired_at,
            currency,
            consents,
            who,
            state: State::Active,
            changed_at: acquired_at,
            losses: 0,
            last_loss: None,
            won_back_at: None,
            notice: None,
            assignment: None,
        });
    }

    pub(crate) fn relationship_lost(&mut self, loss: &Loss) {
        if let Some(relationship) = &mut self.relationship {
            relationship.state = State::Lost;
            relationship.changed_at = loss.ended_at;
            relationship.losses = relationship.losses.saturating_add(1);
            relationship.last_loss = Some(loss.clone());
            relationship.notice = None;
        }
        self.risk = Risk::default();
        self.end_lines(loss.ended_at);
    }

    pub(crate) fn relationship_won_back(&mut self, won_back_at: Time) {
        if let Some(relationship) = &mut self.relationship {
            relationship.state = State::Active;
            relationship.changed_at = won_back_at;
            relationship.won_back_at = Some(won_back_at);
        }
        self.risk = Risk::default();
        self.lines.clear();
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "ACTIVE",
            Self::Leaving => "LEAVING",
            Self::Lost => "LOST",
        })
    }
}
