//! Which presentations promise too much: assessments by presentation, and whether a flag is due.
//!
//! Assessments come from every partition, and clearing a flag from the partition of the proposition, in an
//! order that no two instances share. So nothing here remembers what crossed which line when: the counts
//! are sums over assessments later than the last clearing, and "due" is a function of the counts.

use acquisition_domain::id::{PresentationId, PropositionId};
use acquisition_domain::presentation::{self, flag_due};
use customer_value::Interval;
use eventsourcing::Time;
use read_model::{Error, Rows, RowsMut, Table};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::customers::{Fate, Promise};
use super::propositions;

const ASSESSED: Table<(String, String, Uuid, String), Assessment> = Table::new("assessed");
const COUNTS: Table<(String, String), Counts> = Table::new("flag-counts");
const DUE: Table<(String, String), ()> = Table::new("flag-due");

/// The last assessment of one promise of a presentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Assessment {
    at: Time,
    kept: bool,
}

/// Promises of a presentation that were assessed since its flag was last cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) kept: u32,
    pub(crate) broken: u32,
}

impl Counts {
    /// The upper end of the Wilson 95 % interval of the kept rate; 1 while nothing was assessed.
    pub(crate) fn kept_rate_upper(self) -> f64 {
        let (kept, all) = (u64::from(self.kept), u64::from(self.kept + self.broken));
        Interval::wilson95(kept, all).map_or(1.0, |interval| interval.high)
    }

    /// Whether a flag is due, if there is none.
    pub(crate) fn is_due(self) -> bool {
        flag_due(self.kept + self.broken, self.kept_rate_upper())
    }

    const fn count(&mut self, kept: bool, by: i32) {
        let side = if kept {
            &mut self.kept
        } else {
            &mut self.broken
        };
        // A sum of what was counted in before, so it cannot fall below zero.
        *side = side.saturating_add_signed(by);
    }
}

/// Presentations whose flag is due.
pub(crate) fn due(rows: &dyn Rows, limit: usize) -> Result<Vec<(String, String)>, Error> {
    Ok(DUE
        .scan(rows, &(), None, limit)?
        .into_iter()
        .map(|(key, ())| key)
        .collect())
}

/// The counts that a flag would rest on.
pub(crate) fn counts(rows: &dyn Rows, key: &(String, String)) -> Result<Counts, Error> {
    Ok(COUNTS.get(rows, key)?.unwrap_or_default())
}

/// A promise of a conversion was assessed.
pub(crate) fn assessed(
    rows: &mut dyn RowsMut,
    customer: Uuid,
    promise_id: &str,
    promise: &Promise,
) -> Result<(), Error> {
    let (Some(proposition), Some(presentation)) =
        (&promise.proposition_id, &promise.presentation_id)
    else {
        return Ok(());
    };
    let last = promise
        .verdicts
        .iter()
        .rev()
        .find_map(|said| match said.fate {
            Fate::Kept => Some(Assessment {
                at: said.at,
                kept: true,
            }),
            Fate::Broken => Some(Assessment {
                at: said.at,
                kept: false,
            }),
            // Repaired is still broken, and waived is neither.
            Fate::Repaired | Fate::Waived => None,
        });
    let Some(last) = last else { return Ok(()) };
    let key = (proposition.to_string(), presentation.to_string());
    let row = (
        key.0.clone(),
        key.1.clone(),
        customer,
        promise_id.to_owned(),
    );
    let cleared_at = cleared_at(rows, proposition, presentation)?;
    let counts_now = |assessment: &Assessment| cleared_at.is_none_or(|at| assessment.at > at);
    let mut counts = counts(rows, &key)?;
    if let Some(before) = ASSESSED.get(rows, &row)?.filter(counts_now) {
        counts.count(before.kept, -1);
    }
    if counts_now(&last) {
        counts.count(last.kept, 1);
    }
    ASSESSED.put(rows, &row, &last)?;
    COUNTS.put(rows, &key, &counts)?;
    settle(rows, proposition, presentation)
}

/// A presentation changed: counts again after a clearing, and sees whether a flag is due.
pub(crate) fn apply(
    rows: &mut dyn RowsMut,
    proposition: &PropositionId,
    event: &presentation::Event,
) -> Result<(), Error> {
    match event {
        presentation::Event::Added {
            presentation_id, ..
        }
        | presentation::Event::Flagged {
            presentation_id, ..
        } => settle(rows, proposition, presentation_id),
        presentation::Event::FlagCleared {
            presentation_id, ..
        } => {
            recount(rows, proposition, presentation_id)?;
            settle(rows, proposition, presentation_id)
        }
    }
}

fn recount(
    rows: &mut dyn RowsMut,
    proposition: &PropositionId,
    presentation: &PresentationId,
) -> Result<(), Error> {
    let key = (proposition.to_string(), presentation.to_string());
    let cleared_at = cleared_at(rows, proposition, presentation)?;
    let mut counts = Counts::default();
    for (_, assessment) in ASSESSED.scan(rows, &key, None, usize::MAX)? {
        if cleared_at.is_none_or(|at| assessment.at > at) {
            counts.count(assessment.kept, 1);
        }
    }
    COUNTS.put(rows, &key, &counts)
}

fn settle(
    rows: &mut dyn RowsMut,
    proposition: &PropositionId,
    presentation: &PresentationId,
) -> Result<(), Error> {
    let key = (proposition.to_string(), presentation.to_string());
    let state = propositions::get(rows, proposition)?;
    let known = state
        .as_ref()
        .and_then(|state| state.presentations.get(presentation));
    let wanted = known.is_some_and(|known| known.flag.is_none());
    if wanted && counts(rows, &key)?.is_due() {
        DUE.put(rows, &key, &())?;
    } else {
        DUE.delete(rows, &key);
    }
    Ok(())
}

fn cleared_at(
    rows: &dyn Rows,
    proposition: &PropositionId,
    presentation: &PresentationId,
) -> Result<Option<Time>, Error> {
    let state = propositions::get(rows, proposition)?;
    let known = state
        .as_ref()
        .and_then(|state| state.presentations.get(presentation));
    Ok(known.and_then(|known| known.cleared_at))
}

#[cfg(test)]
pub(crate) mod tests;
