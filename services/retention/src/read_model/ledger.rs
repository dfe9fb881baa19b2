//! The promise ledger: how the promises of each benefit stand, as sums.

use customer_value::Interval;
use read_model::{Error, Rows, RowsMut, Table};
use retention_domain::promise::{Promise, State};
use retention_domain::text::Label;
use serde::{Deserialize, Serialize};

const LINES: Table<(String, String), Line> = Table::new("ledger");

/// How many promises stand where. A sum over promises: their order does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
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

    /// Counts a promise in (1) or out (-1).
    fn count(&mut self, promise: &Promise, by: i64) {
        self.made += by;
        *match promise.state {
            State::Open => &mut self.open,
            State::Kept => &mut self.kept,
            State::Broken => &mut self.unrepaired,
            State::Repaired => &mut self.repaired,
            State::Waived => &mut self.waived,
        } += by;
        self.overdue += by * i64::from(promise.is_noted_overdue());
        if let Some(score) = promise.score {
            self.scored += by;
            self.gaps += by * i64::from(score.gap);
        }
    }
}

/// The lines of one proposition, or of all, by proposition and benefit.
pub(crate) fn lines(rows: &dyn Rows, only: Option<&Label>) -> Result<Vec<OfBenefit>, Error> {
    let found = match only {
        Some(proposition) => LINES.scan(rows, &(proposition.to_string(),), None, usize::MAX)?,
        None => LINES.scan(rows, &(), None, usize::MAX)?,
    };
    let found = found.into_iter();
    Ok(found
        .map(|((proposition, benefit_id), line)| OfBenefit {
            proposition,
            benefit_id,
            line,
        })
        .collect())
}

/// A promise was made (there was none before), or stands elsewhere now.
pub(crate) fn changed(
    rows: &mut dyn RowsMut,
    before: Option<&Promise>,
    after: &Promise,
) -> Result<(), Error> {
    let key = (
        after.terms.proposition.to_string(),
        after.terms.benefit_id.to_string(),
    );
    let mut line = LINES.get(rows, &key)?.unwrap_or_default();
    if let Some(before) = before {
        line.count(before, -1);
    }
    line.count(after, 1);
    LINES.put(rows, &key, &line)
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
