//! It is found out whether a promise was kept; a broken one may be repaired, an open one waived.

use eventsourcing::{Sealed, Time};
use uuid::Uuid;

use crate::action;
use crate::customer::{Customer, Event};
use crate::id::PromiseId;
use crate::input::{Invalid, When, within};
use crate::promise::{Promise, SCORES, Score, State, Terms};
use crate::refusal::{Refusal, Thing};

/// What was found out about a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// It was kept.
    Kept,
    /// It was broken.
    Broken,
    /// The customer gave this score: at least the expected one means kept.
    Perceived(u32),
}

/// Says whether a promise was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssessPromise {
    /// The request, from which a repair action takes its id.
    pub request_id: Uuid,
    /// Which promise.
    pub promise_id: PromiseId,
    /// What was found out.
    pub finding: Finding,
    /// What shows it, in words, sealed.
    pub evidence: Option<Sealed>,
    /// When that was.
    pub when: When,
}

/// That it was found out whether a promise was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessed {
    /// Which promise.
    pub promise_id: PromiseId,
    /// The customer's score, if one was given.
    pub score: Option<Score>,
    /// What shows it, in words, sealed.
    pub evidence: Option<Sealed>,
    /// When it was found out.
    pub occurred_at: Time,
}

impl Terms {
    /// Whether the promise was kept, and the score if there is one.
    fn judge(&self, finding: Finding) -> Result<(bool, Option<Score>), Invalid> {
        let perceived = match finding {
            Finding::Kept => return Ok((true, None)),
            Finding::Broken => return Ok((false, None)),
            Finding::Perceived(perceived) => perceived,
        };
        within("perceived_score", perceived, &SCORES)?;
        let gap = perceived.cast_signed() - self.expected_score.cast_signed();
        Ok((gap >= 0, Some(Score { perceived, gap })))
    }
}

impl Promise {
    /// The moment of a command about it. What happens to a promise never goes back in time.
    fn happens(&self, when: When) -> Result<Time, Invalid> {
        when.happened_since("occurred_at", self.changed_at)
    }

    /// Whether it is known that it was kept, from an assessment at this moment with this score.
    fn is_known_kept(&self, occurred_at: Time, score: Option<Score>) -> bool {
        self.state == State::Kept
            && self.assessed_at == Some(occurred_at)
            && (score.is_none() || score == self.score)
    }
}

impl Customer {
    pub(crate) fn assess(&self, command: AssessPromise) -> Result<Vec<Event>, Refusal> {
        let AssessPromise {
            request_id,
            promise_id,
            finding,
            evidence,
            when,
        } = command;
        let relationship = self.opened()?;
        self.may_be_noted(evidence.as_ref())?;
        let promise = self.promise(&promise_id)?;
        let (kept, score) = promise.terms.judge(finding)?;
        let state = promise.state;
        if !matches!(state, State::Open | State::Kept) {
            return Err(Refusal::NotAssessable { promise_id, state });
        }
        let occurred_at = promise.happens(when)?;
        if kept && evidence.is_none() && promise.is_known_kept(occurred_at, score) {
            return Ok(vec![]);
        }
        let assessed = Assessed {
            promise_id,
            score,
            evidence,
            occurred_at,
        };
        if kept {
            return Ok(vec![Event::PromiseKept(assessed)]);
        }
        let promise_id = &assessed.promise_id;
        let repair = action::after_broken_promise(relationship, promise_id, request_id, when.now);
        Ok(std::iter::once(Event::PromiseBroken(assessed))
            .chain(repair)
            .collect())
    }

    pub(crate) fn repair(&self, promise_id: PromiseId, when: When) -> Result<Vec<Event>, Refusal> {
        self.opened()?;
        let promise = self.promise(&promise_id)?;
        let state = promise.state;
        if state != State::Broken {
            return Err(Refusal::NotBroken { promise_id, state });
        }
        let occurred_at = promise.happens(when)?;
        Ok(vec![Event::PromiseRepaired {
            promise_id,
            occurred_at,
        }])
    }

    pub(crate) fn waive(
        &self,
        promise_id: PromiseId,
        note: Option<Sealed>,
        when: When,
    ) -> Result<Vec<Event>, Refusal> {
        self.opened()?;
        self.may_be_noted(note.as_ref())?;
        let promise = self.promise(&promise_id)?;
        let state = promise.state;
        if state != State::Open {
            return Err(Refusal::NotOpen { promise_id, state });
        }
        let occurred_at = promise.happens(when)?;
        Ok(vec![Event::PromiseWaived {
            promise_id,
            note,
            occurred_at,
        }])
    }

    pub(crate) fn promise_waived(
        &mut self,
        promise_id: &PromiseId,
        note: Option<&Sealed>,
        occurred_at: Time,
    ) {
        self.promise_changed(promise_id, State::Waived, occurred_at);
        if let Some(promise) = self.promises.get_mut(promise_id) {
            promise.note = note.cloned();
        }
    }

    fn promise(&self, promise_id: &PromiseId) -> Result<&Promise, Refusal> {
        let unknown = || Refusal::NotFound(Thing::Promise(promise_id.clone()));
        self.promises.get(promise_id).ok_or_else(unknown)
    }

    pub(crate) fn promise_assessed(&mut self, assessed: &Assessed, state: State) {
        self.promise_changed(&assessed.promise_id, state, assessed.occurred_at);
        if let Some(promise) = self.promises.get_mut(&assessed.promise_id) {
            promise.assessed_at = Some(assessed.occurred_at);
            promise.score = assessed.score.or(promise.score);
            promise.evidence.clone_from(&assessed.evidence);
        }
    }
}
