//! The promise ledger: what a customer was led to expect, and whether it came true.

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::RangeInclusive;

use eventsourcing::Time;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::action;
use crate::customer::{Customer, Event};
use crate::id::{BenefitId, PresentationId, PromiseId};
use crate::input::{Invalid, When, not_before, within};
use crate::refusal::{Refusal, Thing};
use crate::text::{Expectation, Label};

/// How many promises a customer may have.
pub const MAX_PROMISES: usize = 1_000;
/// The scale of expected and perceived scores.
pub const SCORES: RangeInclusive<u32> = 1..=7;
/// The scale of importance.
pub const IMPORTANCES: RangeInclusive<u32> = 0..=100;

/// Where a promise stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Nobody has said yet whether it was kept.
    Open,
    /// It was kept, so far.
    Kept,
    /// It was broken.
    Broken,
    /// It was broken and made good.
    Repaired,
    /// The customer did not insist.
    Waived,
}

/// What is promised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The proposition that it belongs to.
    pub proposition: Label,
    /// The presentation that made it.
    pub presentation_id: Option<PresentationId>,
    /// The benefit it is about.
    pub benefit_id: BenefitId,
    /// What is expected, in plain words.
    pub expectation: Expectation,
    /// How much of it is expected, 1 to 7.
    pub expected_score: u32,
    /// How much it matters, 0 to 100.
    pub importance: u32,
    /// When it is due; without it, never.
    pub due_at: Option<Time>,
    /// Who made it, such as a campaign or a role.
    pub made_by: Option<Label>,
}

/// How much a customer perceived of what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// What was perceived, 1 to 7.
    pub perceived: u32,
    /// Perceived less expected: negative is a disappointment.
    pub gap: i32,
}

/// A promise and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// What is promised.
    pub terms: Terms,
    /// Whether it was one of the promises with which the customer was won.
    pub at_conversion: bool,
    /// When it was made.
    pub made_at: Time,
    /// Where it stands.
    pub state: State,
    /// When it last changed or was assessed.
    pub changed_at: Time,
    /// When it was last assessed.
    pub assessed_at: Option<Time>,
    /// The score of the last assessment that had one.
    pub score: Option<Score>,
}

/// How many promises stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Nobody has said yet whether they were kept.
    pub open: u32,
    /// Kept.
    pub kept: u32,
    /// Broken and not repaired.
    pub broken: u32,
    /// Broken and repaired.
    pub repaired: u32,
    /// Waived by the customer.
    pub waived: u32,
}

/// That a promise was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its id.
    pub promise_id: PromiseId,
    /// What is promised.
    pub terms: Terms,
    /// Whether it is one of the promises with which the customer was won.
    pub at_conversion: bool,
    /// When it was made.
    pub made_at: Time,
}

/// That it was found out whether a promise was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessed {
    /// Which promise.
    pub promise_id: PromiseId,
    /// The customer's score, if one was given.
    pub score: Option<Score>,
    /// When it was found out.
    pub occurred_at: Time,
}

/// Makes a promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MakePromise {
    /// The id that the client chose.
    pub promise_id: PromiseId,
    /// What is promised.
    pub terms: Terms,
    /// When it is made.
    pub when: When,
}

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
    /// When that was.
    pub when: When,
}

impl State {
    /// Whether it was broken at some time, even if it was repaired since.
    pub const fn was_broken(self) -> bool {
        matches!(self, Self::Broken | Self::Repaired)
    }
}

/// How the fields of the terms are called in a command.
pub(crate) struct Fields {
    expected_score: &'static str,
    importance: &'static str,
    due_at: &'static str,
}

/// In `MakePromise`.
const FIELDS: Fields = Fields {
    expected_score: "expected_score",
    importance: "importance",
    due_at: "due_at",
};

/// In `OpenRelationship`.
pub(crate) const OPENING_FIELDS: Fields = Fields {
    expected_score: "promises.expected_score",
    importance: "promises.importance",
    due_at: "promises.due_at",
};

impl Terms {
    /// Whether each field is what it must be for a promise made at `made_at`.
    pub(crate) fn check(&self, fields: &Fields, made_at: Time) -> Result<(), Invalid> {
        within(fields.expected_score, self.expected_score, &SCORES)?;
        within(fields.importance, self.importance, &IMPORTANCES)?;
        self.due_at
            .map_or(Ok(()), |due_at| not_before(fields.due_at, due_at, made_at))
    }

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
    /// How many promises stand where.
    pub fn promise_tally(&self) -> Tally {
        let mut tally = Tally::default();
        for promise in self.promises.values() {
            let count = match promise.state {
                State::Open => &mut tally.open,
                State::Kept => &mut tally.kept,
                State::Broken => &mut tally.broken,
                State::Repaired => &mut tally.repaired,
                State::Waived => &mut tally.waived,
            };
            *count += 1;
        }
        tally
    }

    pub(crate) fn make_promise(&self, command: MakePromise) -> Result<Vec<Event>, Refusal> {
        let MakePromise {
            promise_id,
            terms,
            when,
        } = command;
        let relationship = self.opened()?;
        if let Some(known) = self.promises.get(&promise_id) {
            let same = known.terms == terms && when.may_mean(known.made_at);
            let taken = Refusal::AlreadyExists(Thing::Promise(promise_id));
            return if same { Ok(vec![]) } else { Err(taken) };
        }
        let made_at = when.happened_since("occurred_at", relationship.acquired_at)?;
        terms.check(&FIELDS, made_at)?;
        relationship.must_go_on()?;
        if self.promises.len() >= MAX_PROMISES {
            return Err(too_many());
        }
        let at_conversion = false;
        Ok(vec![Event::PromiseMade(Made {
            promise_id,
            terms,
            at_conversion,
            made_at,
        })])
    }

    pub(crate) fn assess(&self, command: AssessPromise) -> Result<Vec<Event>, Refusal> {
        let AssessPromise {
            request_id,
            promise_id,
            finding,
            when,
        } = command;
        let relationship = self.opened()?;
        let promise = self.promise(&promise_id)?;
        let (kept, score) = promise.terms.judge(finding)?;
        let state = promise.state;
        if !matches!(state, State::Open | State::Kept) {
            return Err(Refusal::NotAssessable { promise_id, state });
        }
        let occurred_at = promise.happens(when)?;
        if kept && promise.is_known_kept(occurred_at, score) {
            return Ok(vec![]);
        }
        let assessed = Assessed {
            promise_id,
            score,
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

    pub(crate) fn waive(&self, promise_id: PromiseId, when: When) -> Result<Vec<Event>, Refusal> {
        self.opened()?;
        let promise = self.promise(&promise_id)?;
        let state = promise.state;
        if state != State::Open {
            return Err(Refusal::NotOpen { promise_id, state });
        }
        let occurred_at = promise.happens(when)?;
        Ok(vec![Event::PromiseWaived {
            promise_id,
            occurred_at,
        }])
    }

    fn promise(&self, promise_id: &PromiseId) -> Result<&Promise, Refusal> {
        let unknown = || Refusal::NotFound(Thing::Promise(promise_id.clone()));
        self.promises.get(promise_id).ok_or_else(unknown)
    }

    pub(crate) fn promise_made(&mut self, made: &Made) {
        let promise = Promise {
            terms: made.terms.clone(),
            at_conversion: made.at_conversion,
            made_at: made.made_at,
            state: State::Open,
            changed_at: made.made_at,
            assessed_at: None,
            score: None,
        };
        self.promises.insert(made.promise_id.clone(), promise);
    }

    pub(crate) fn promise_assessed(&mut self, assessed: &Assessed, state: State) {
        self.promise_changed(&assessed.promise_id, state, assessed.occurred_at);
        if let Some(promise) = self.promises.get_mut(&assessed.promise_id) {
            promise.assessed_at = Some(assessed.occurred_at);
            promise.score = assessed.score.or(promise.score);
        }
    }

    pub(crate) fn promise_changed(
        &mut self,
        promise_id: &PromiseId,
        state: State,
        occurred_at: Time,
    ) {
        if let Some(promise) = self.promises.get_mut(promise_id) {
            promise.state = state;
            promise.changed_at = occurred_at;
        }
    }
}

pub(crate) fn too_many() -> Refusal {
    Refusal::Limit {
        what: "promises",
        limit: 1_000,
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "OPEN",
            Self::Kept => "KEPT",
            Self::Broken => "BROKEN",
            Self::Repaired => "REPAIRED",
            Self::Waived => "WAIVED",
        })
    }
}
