//! How far what was perceived lies from what was expected.

use std::collections::BTreeMap;

use read_model::{Error, Rows};
use server::Moment;
use uuid::Uuid;

use super::NONE;
use crate::read_model::scores::{self, OfPromise, Scored};
use crate::read_model::{holdings, lives};

/// What the gaps are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Benefit,
    Campaign,
    Owner,
}

/// Sums over promises with a score.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Gap {
    pub(crate) scored: i64,
    expected: i64,
    gaps: i64,
    importance: i64,
    weighted: i64,
}

impl Gap {
    /// Mean expected score.
    pub(crate) fn expected(&self) -> f64 {
        ratio(self.expected, self.scored)
    }

    /// Mean perceived score.
    pub(crate) fn perceived(&self) -> f64 {
        ratio(self.expected + self.gaps, self.scored)
    }

    /// Mean gap.
    pub(crate) fn mean(&self) -> f64 {
        ratio(self.gaps, self.scored)
    }

    /// Mean gap, each promise by its importance; nothing if none has any.
    pub(crate) fn weighted(&self) -> Option<f64> {
        (self.importance > 0).then(|| ratio(self.weighted, self.importance))
    }

    pub(crate) fn count(&mut self, expected: u32, gap: i32, importance: u32) {
        let (gap, importance) = (i64::from(gap), i64::from(importance));
        self.scored += 1;
        self.expected += i64::from(expected);
        self.gaps += gap;
        self.importance += importance;
        self.weighted += importance * gap;
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a mean for people; no sum is made of it"
)]
fn ratio(part: i64, whole: i64) -> f64 {
    part as f64 / whole as f64
}

/// The gaps, the worst first; of one proposition if one is named.
pub(crate) fn gaps(
    rows: &dyn Rows,
    by: By,
    proposition: Option<&str>,
    moment: &Moment,
) -> Result<Vec<(String, Gap)>, Error> {
    let mut lasts: BTreeMap<OfPromise, Scored> = BTreeMap::new();
    for (promise, scored) in scores::all(rows)? {
        let asked = proposition.is_none_or(|asked| asked == scored.proposition);
        if !asked || !moment.includes(scored.at, &scored.recorded) {
            continue;
        }
        // A score that was told late does not undo one that was given later.
        let known = lasts.get(&promise);
        if known.is_none_or(|known| known.at <= scored.at) {
            lasts.insert(promise, scored);
        }
    }
    let campaigns: BTreeMap<Uuid, String> = match by {
        By::Campaign => {
            let lives = lives::all(rows)?.into_iter();
            lives.map(|(id, life)| (id, life.campaign)).collect()
        }
        By::Benefit | By::Owner => BTreeMap::new(),
    };
    let mut found: BTreeMap<String, Gap> = BTreeMap::new();
    for ((customer, _), scored) in &lasts {
        let name = match by {
            By::Benefit => format!("{}/benefits/{}", scored.proposition, scored.benefit_id),
            By::Campaign => campaigns.get(customer).cloned().unwrap_or_default(),
            By::Owner => holdings::standing(rows, *customer, moment)?
                .map(|standing| standing.owner)
                .unwrap_or_default(),
        };
        let name = if name.is_empty() {
            NONE.to_owned()
        } else {
            name
        };
        let gap = found.entry(name).or_default();
        gap.count(scored.expected, scored.gap, scored.importance);
    }
    let mut gaps: Vec<(String, Gap)> = found.into_iter().collect();
    let worst = |gap: &Gap| gap.weighted().unwrap_or_else(|| gap.mean());
    // By name already: a stable sort keeps that among equals.
    gaps.sort_by(|(_, one), (_, other)| worst(one).total_cmp(&worst(other)));
    Ok(gaps)
}
