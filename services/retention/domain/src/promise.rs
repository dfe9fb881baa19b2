//! The promise ledger: what a customer was led to expect, and whether it came true.

mod assess;
mod overdue;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::RangeInclusive;

use eventsourcing::{Sealed, Time};
use serde::{Deserialize, Serialize};

use crate::customer::{Customer, Event, told_again};
use crate::id::{BenefitId, PresentationId, PromiseId};
use crate::input::{Invalid, When, not_before, within};
use crate::refusal::{Refusal, Thing};
use crate::text::{Expectation, Label};

pub use assess::{AssessPromise, Assessed, Finding};
pub use overdue::{NoteOverdue, Overdue};

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
    /// When it was noted that its day had passed.
    pub overdue_noted_at: Option<Time>,
    /// What the last assessment rests on, in words, sealed.
    pub evidence: Option<Sealed>,
    /// What the customer said when it was waived, sealed.
    pub note: Option<Sealed>,
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
}

impl Customer {
    pub(crate) fn make_promise(&self, command: MakePromise) -> Result<Vec<Event>, Refusal> {
        let MakePromise {
            promise_id,
            terms,
            when,
        } = command;
        let relationship = self.opened()?;
        if let Some(known) = self.promises.get(&promise_id) {
            let same = known.terms == terms && when.may_mean(known.made_at);
            return told_again(same, Thing::Promise(promise_id));
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

    pub(crate) fn promise_made(&mut self, made: &Made) {
        let promise = Promise {
            terms: made.terms.clone(),
            at_conversion: made.at_conversion,
            made_at: made.made_at,
            state: State::Open,
            changed_at: made.made_at,
            assessed_at: None,
            score: None,
            overdue_noted_at: None,
            evidence: None,
            note: None,
        };
        self.promises.insert(made.promise_id.clone(), promise);
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
