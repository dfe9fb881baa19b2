//! The promise ledger: how the promises of each benefit stood at a moment, from what was told of each promise,
//! which is added to and never changed.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use customer_value::Interval;
use eventsourcing::Time;
use read_model::{Error, Rows, RowsMut, Table};
use retention_domain::Event;
use retention_domain::id::PromiseId;
use retention_domain::promise::{Assessed, State};
use retention_domain::text::Label;
use runtime::Recorded;
use serde::{Deserialize, Serialize};
use server::Moment;
use uuid::Uuid;

/// By customer, promise, and the number of what was told of it.
const TOLD: Table<(Uuid, String, u32), Told> = Table::new("promised");

/// What was told of a promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    what: What,
    at: Time,
    /// Its place in the journal.
    recorded: Recorded,
}

/// What can be told of a promise. A gap is perceived less expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum What {
    Made {
        proposition: String,
        benefit_id: String,
    },
    Kept {
        gap: Option<i32>,
    },
    Broken {
        gap: Option<i32>,
    },
    Repaired,
    Waived,
    Overdue,
}

/// How a promise stood.
#[derive(Debug)]
struct Standing {
    proposition: String,
    benefit_id: String,
    state: State,
    is_noted_overdue: bool,
    /// Of the last assessment that had a score.
    gap: Option<i32>,
}

/// How many promises stand where. A sum over promises: their order does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Line {
    pub(crate) made: i64,
    pub(crate) open: i64,
    /// Of the open ones, those that a day found past their due date.
    pub(crate) overdue: i64,
    pub(crate) kept: i64,
    /// Broken and not repaired.
    pub(crate) unrepaired: i64,
    pub(crate) repaired: i64,
    pub(crate) waived: i64,
    /// Promises with a score, and the sum of the gaps of their last ones.
    scored: i64,
    gaps: i64,
}

/// How the promises of one benefit stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OfBenefit {
    pub(crate) proposition: String,
    pub(crate) benefit_id: String,
    pub(crate) line: Line,
}

impl Line {
    /// Broken at some time, repaired or not.
    pub(crate) const fn broken(self) -> i64 {
        self.unrepaired + self.repaired
    }

    /// Kept of those kept or broken; nothing if there are none.
    pub(crate) fn kept_rate(self) -> Option<f64> {
        ratio(self.kept, self.kept + self.broken())
    }

    /// Repaired of those broken; nothing if there are none.
    pub(crate) fn repaired_rate(self) -> Option<f64> {
        ratio(self.repaired, self.broken())
    }

    /// The Wilson 95 % interval of the kept rate.
    pub(crate) fn interval(self) -> Option<Interval> {
        let count = |n| u64::try_from(n).unwrap_or(0);
        Interval::wilson95(count(self.kept), count(self.kept + self.broken()))
    }

    /// Mean of perceived less expected, of the last score of each promise that has one.
    pub(crate) fn mean_gap(self) -> Option<f64> {
        ratio(self.gaps, self.scored)
    }

    /// Both together.
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            made: self.made + other.made,
            open: self.open + other.open,
            overdue: self.overdue + other.overdue,
            kept: self.kept + other.kept,
            unrepaired: self.unrepaired + other.unrepaired,
            repaired: self.repaired + other.repaired,
            waived: self.waived + other.waived,
            scored: self.scored + other.scored,
            gaps: self.gaps + other.gaps,
        }
    }

    fn count(&mut self, promise: &Standing) {
        self.made += 1;
        *match promise.state {
            State::Open => &mut self.open,
            State::Kept => &mut self.kept,
            State::Broken => &mut self.unrepaired,
            State::Repaired => &mut self.repaired,
            State::Waived => &mut self.waived,
        } += 1;
        let overdue = promise.state == State::Open && promise.is_noted_overdue;
        self.overdue += i64::from(overdue);
        if let Some(gap) = promise.gap {
            self.scored += 1;
            self.gaps += i64::from(gap);
        }
    }
}

impl Standing {
    /// How a promise stands after something more was told of it; nothing before it was made.
    fn after(before: Option<Self>, what: What) -> Option<Self> {
        let (state, gap) = match what {
            What::Made {
                proposition,
                benefit_id,
            } => {
                return Some(Self {
                    proposition,
                    benefit_id,
                    state: State::Open,
                    is_noted_overdue: false,
                    gap: None,
                });
            }
            What::Overdue => {
                return before.map(|before| Self {
                    is_noted_overdue: true,
                    ..before
                });
            }
            What::Kept { gap } => (State::Kept, gap),
            What::Broken { gap } => (State::Broken, gap),
            What::Repaired => (State::Repaired, None),
            What::Waived => (State::Waived, None),
        };
        before.map(|before| Self {
            state,
            gap: gap.or(before.gap),
            ..before
        })
    }
}

/// Lines by proposition and benefit.
type Lines = BTreeMap<(String, String), Line>;

/// Counts how a promise stood, if it had been made and is of the proposition that was asked for.
fn count(lines: &mut Lines, only: Option<&Label>, promise: Option<Standing>) {
    let asked = |promise: &Standing| only.is_none_or(|only| only.as_str() == promise.proposition);
    if let Some(mut promise) = promise.filter(asked) {
        let proposition = std::mem::take(&mut promise.proposition);
        let key = (proposition, std::mem::take(&mut promise.benefit_id));
        lines.entry(key).or_default().count(&promise);
    }
}

/// The lines of one proposition, or of all, by proposition and benefit, as they stood at a moment.
pub(crate) fn lines(
    rows: &dyn Rows,
    only: Option<&Label>,
    moment: &Moment,
) -> Result<Vec<OfBenefit>, Error> {
    let mut lines = Lines::new();
    let mut of: Option<(Uuid, String)> = None;
    let mut standing = None;
    TOLD.visit(rows, &(), |(customer, promise, _), told| {
        let promise = (customer, promise);
        if of.as_ref() != Some(&promise) {
            count(&mut lines, only, standing.take());
            of = Some(promise);
        }
        if moment.includes(told.at, &told.recorded) {
            standing = Standing::after(standing.take(), told.what);
        }
        ControlFlow::Continue(())
    })?;
    count(&mut lines, only, standing);
    let lines = lines.into_iter();
    Ok(lines
        .map(|((proposition, benefit_id), line)| OfBenefit {
            proposition,
            benefit_id,
            line,
        })
        .collect())
}

/// Lets an event happen, if it tells something of a promise.
pub(crate) fn apply(
    rows: &mut dyn RowsMut,
    id: Uuid,
    event: &Event,
    recorded: Recorded,
) -> Result<(), Error> {
    let Some((promise_id, what, at)) = told(event) else {
        return Ok(());
    };
    let promise_id = promise_id.to_string();
    let last = TOLD.scan_rev(rows, &(id, promise_id.clone()), None, 1)?;
    let number = last.first().map_or(0, |((_, _, last), _)| last + 1);
    let told = Told { what, at, recorded };
    TOLD.put(rows, &(id, promise_id, number), &told)
}

/// What an event tells of which promise, and when that was.
fn told(event: &Event) -> Option<(&PromiseId, What, Time)> {
    let gap = |assessed: &Assessed| assessed.score.map(|score| score.gap);
    Some(match event {
        Event::PromiseMade(made) => {
            let what = What::Made {
                proposition: made.terms.proposition.to_string(),
                benefit_id: made.terms.benefit_id.to_string(),
            };
            (&made.promise_id, what, made.made_at)
        }
        Event::PromiseKept(assessed) => {
            let what = What::Kept { gap: gap(assessed) };
            (&assessed.promise_id, what, assessed.occurred_at)
        }
        Event::PromiseBroken(assessed) => {
            let what = What::Broken { gap: gap(assessed) };
            (&assessed.promise_id, what, assessed.occurred_at)
        }
        Event::PromiseRepaired {
            promise_id,
            occurred_at,
        } => (promise_id, What::Repaired, *occurred_at),
        Event::PromiseWaived {
            promise_id,
            occurred_at,
            ..
        } => (promise_id, What::Waived, *occurred_at),
        Event::PromiseOverdue(overdue) => (&overdue.promise_id, What::Overdue, overdue.occurred_at),
        Event::RelationshipOpened(_)
        | Event::RelationshipLost(_)
        | Event::RelationshipWonBack { .. }
        | Event::PurchaseRecorded(_)
        | Event::PurchaseReversed(_)
        | Event::ActionProposed(_)
        | Event::ActionCancelled { .. }
        | Event::NoticeGiven(_)
        | Event::NoticeWithdrawn { .. }
        | Event::RiskChanged(_)
        | Event::OwnerAssigned(_)
        | Event::RecurringRevenueSet(_)
        | Event::ConsentChanged(_)
        | Event::ActionCompleted(_)
        | Event::Erased { .. }
        | Event::KeysDestroyed { .. } => return None,
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a ratio for people; no sum is made of it"
)]
fn ratio(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests;
