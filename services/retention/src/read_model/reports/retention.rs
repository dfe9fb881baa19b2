//! Who stayed, who left and why, and how recurring revenue moved.

use std::collections::BTreeMap;

use customer_value::Interval;
use money::Currency;
use read_model::{Error, Rows};
use retention_domain::recurring::movement::{Change, Course, Movements};
use retention_domain::relationship::{Cause, Reason};
use server::Moment;
use uuid::Uuid;

use super::known;
use crate::read_model::lives::{self, Life};
use crate::read_model::recurring;
use crate::read_model::scoreboard::Period;

/// Who stayed and who left in a period.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Report {
    /// Active at the start.
    pub(crate) opening: i64,
    pub(crate) created: i64,
    /// Active at the start and at the end.
    pub(crate) kept: i64,
    pub(crate) lost: i64,
    pub(crate) won_back: i64,
    /// Active at the end.
    pub(crate) closing: i64,
    /// Losses by how they came and why, the most frequent first.
    pub(crate) churn: Vec<((Cause, Option<Reason>), i64)>,
    pub(crate) recurring: BTreeMap<Currency, Movements>,
}

impl Report {
    /// Kept of those active at the start; nothing if there were none.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a ratio for people; no sum is made of it"
    )]
    pub(crate) fn retention_rate(&self) -> Option<f64> {
        (self.opening > 0).then(|| self.kept as f64 / self.opening as f64)
    }

    /// The Wilson 95 % interval of the rate.
    pub(crate) fn interval(&self) -> Option<Interval> {
        let count = |n| u64::try_from(n).unwrap_or(0);
        Interval::wilson95(count(self.kept), count(self.opening))
    }

    fn count(&mut self, life: &Life, period: Period) {
        let losses = life.turns.iter().filter(|turn| period.contains(turn.at));
        for turn in losses {
            self.won_back += i64::from(turn.active);
            self.lost += i64::from(!turn.active);
            if let Some(why) = turn.why {
                match self.churn.iter_mut().find(|(known, _)| *known == why) {
                    Some((_, count)) => *count += 1,
                    None => self.churn.push((why, 1)),
                }
            }
        }
        let opened = period
            .start
            .is_some_and(|start| life.is_active_before(start));
        let closed = life.is_active_before(period.end);
        self.created += i64::from(period.contains(life.acquired_at));
        self.opening += i64::from(opened);
        self.closing += i64::from(closed);
        self.kept += i64::from(opened && closed);
    }
}

/// Reports on a period.
pub(crate) fn report(rows: &dyn Rows, period: Period, moment: &Moment) -> Result<Report, Error> {
    let mut report = Report::default();
    let mut changes = changes(rows, moment)?;
    for (customer, life) in lives::all(rows)? {
        let Some(life) = known(life, moment) else {
            continue;
        };
        report.count(&life, period);
        if let Some(changes) = changes.remove(&customer) {
            let start = period.from();
            let course = Course::follow(&with_losses(changes, &life), start, period.end);
            let movements = report.recurring.entry(life.currency).or_default();
            movements.count(course);
        }
    }
    let number = |why: &(Cause, Option<Reason>)| (why.0 as u8, why.1.map(|reason| reason as u8));
    report
        .churn
        .sort_by_key(|(why, count)| (std::cmp::Reverse(*count), number(why)));
    Ok(report)
}

/// What is known to have been set, by customer, each with its offset in the journal.
fn changes(rows: &dyn Rows, moment: &Moment) -> Result<BTreeMap<Uuid, Vec<Told>>, Error> {
    let mut changes: BTreeMap<Uuid, Vec<Told>> = BTreeMap::new();
    for (customer, set) in recurring::all(rows)? {
        if !moment.includes(set.at, &set.recorded) {
            continue;
        }
        // Only well-formed ids are ever written.
        if let Ok(line_id) = set.line_id.parse() {
            let monthly = set.monthly;
            let change = (set.at, Change::Set { line_id, monthly });
            let told = (set.recorded.offset, change);
            changes.entry(customer).or_default().push(told);
        }
    }
    Ok(changes)
}

/// A change, behind its offset in the journal.
type Told = (u64, (eventsourcing::Time, Change));

/// Losses end the lines: both in the order of the journal.
fn with_losses(mut changes: Vec<Told>, life: &Life) -> Vec<(eventsourcing::Time, Change)> {
    let losses = life.turns.iter().filter(|turn| !turn.active);
    changes.extend(losses.map(|turn| (turn.recorded.offset, (turn.at, Change::Lost))));
    changes.sort_by_key(|(offset, _)| *offset);
    changes.into_iter().map(|(_, change)| change).collect()
}
