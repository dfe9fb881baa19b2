//! How far prospects came in a period, and how long it took them.

use std::collections::BTreeMap;

use acquisition_domain::id::{ProblemId, PropositionId};
use acquisition_domain::prospect::CloseReason;
use eventsourcing::Time;
use read_model::{Error, Rows};
use server::Moment;

use super::journeys::{self, Journey, Standing, days};
use super::period::Period;

/// What lines tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Proposition,
    Problem,
    Campaign,
    Channel,
}

/// Prospects by how far they came.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Funnel {
    pub(crate) total: Line,
    /// By key, those without one last.
    pub(crate) lines: Vec<(Option<String>, Line)>,
}

/// Prospects by their first event of each kind in the period.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Line {
    pub(crate) created: i64,
    pub(crate) identified: i64,
    pub(crate) qualified: i64,
    pub(crate) converted: i64,
    pub(crate) closed: i64,
    /// In the order of the reasons.
    pub(crate) closed_for: BTreeMap<u8, (CloseReason, i64)>,
    pub(crate) created_to_identified: Lengths,
    pub(crate) created_to_qualified: Lengths,
    pub(crate) qualified_to_converted: Lengths,
    pub(crate) created_to_converted: Lengths,
    pub(crate) created_to_closed: Lengths,
}

/// How long it took prospects from one stage to another, in days.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Lengths(Vec<f64>);

impl Lengths {
    /// The length that half of them do not exceed; of an even number the mean of the middle two.
    pub(crate) fn median(&self) -> Option<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let upper = *sorted.get(middle)?;
        if sorted.len() % 2 == 1 {
            return Some(upper);
        }
        let lower = *sorted.get(middle.checked_sub(1)?)?;
        Some(f64::midpoint(lower, upper))
    }

    /// Counts in a prospect that came from one stage to the other, if it did and the later one counts. Of one that
    /// was converted, say, before it was said to be created nobody knows how long it took.
    fn add(&mut self, from: Option<Time>, to: Option<Time>) {
        if let (Some(from), Some(to)) = (from, to)
            && from <= to
        {
            self.0.push(days(from, to));
        }
    }
}

/// Counts the prospects at a moment.
pub(crate) fn funnel(
    rows: &dyn Rows,
    period: Period,
    by: Option<By>,
    moment: &Moment,
) -> Result<Funnel, Error> {
    let mut total = Line::default();
    let mut lines: BTreeMap<(bool, Option<String>), Line> = BTreeMap::new();
    journeys::visit(rows, moment, |journey| {
        if journey.stands == Standing::Merged {
            return;
        }
        let reached = Reached::of(&journey, period);
        if reached.is_nothing() {
            return;
        }
        total.add(&reached);
        if let Some(by) = by {
            let key = key(&journey, by);
            lines.entry((key.is_none(), key)).or_default().add(&reached);
        }
    })?;
    let lines = lines.into_iter();
    Ok(Funnel {
        total,
        lines: lines.map(|((_, key), line)| (key, line)).collect(),
    })
}

/// When a prospect first reached a stage, and its first event of each kind in the period.
struct Reached {
    created_at: Option<Time>,
    identified_at: Option<Time>,
    qualified_at: Option<Time>,
    created: Option<Time>,
    identified: Option<Time>,
    qualified: Option<Time>,
    converted: Option<Time>,
    closed: Option<(Time, CloseReason)>,
}

impl Reached {
    fn of(journey: &Journey, period: Period) -> Self {
        let within = |at: &Time| period.holds(*at);
        let converted_at = journey.converted.as_ref().map(|(at, _)| *at);
        Self {
            created_at: journey.created_at,
            identified_at: journey.identified.first().copied(),
            qualified_at: journey.qualified.first().copied(),
            created: journey.created_at.filter(within),
            identified: journey.identified.iter().copied().find(within),
            qualified: journey.qualified.iter().copied().find(within),
            converted: converted_at.filter(within),
            closed: journey.closed.iter().copied().find(|(at, _)| within(at)),
        }
    }

    const fn is_nothing(&self) -> bool {
        self.created.is_none()
            && self.identified.is_none()
            && self.qualified.is_none()
            && self.converted.is_none()
            && self.closed.is_none()
    }
}

impl Line {
    fn add(&mut self, reached: &Reached) {
        self.created += i64::from(reached.created.is_some());
        self.identified += i64::from(reached.identified.is_some());
        self.qualified += i64::from(reached.qualified.is_some());
        self.converted += i64::from(reached.converted.is_some());
        if let Some((_, reason)) = reached.closed {
            self.closed += 1;
            self.closed_for.entry(reason as u8).or_insert((reason, 0)).1 += 1;
        }
        let (created_at, closed_at) = (reached.created_at, reached.closed.map(|(at, _)| at));
        // A stage is reached once, however often it is passed; who is closed again had been open in between.
        let reached_first = |at: Option<Time>, ever: Option<Time>| at.filter(|_| at == ever);
        let identified = reached_first(reached.identified, reached.identified_at);
        self.created_to_identified.add(created_at, identified);
        let qualified = reached_first(reached.qualified, reached.qualified_at);
        self.created_to_qualified.add(created_at, qualified);
        self.qualified_to_converted
            .add(reached.qualified_at, reached.converted);
        self.created_to_converted.add(created_at, reached.converted);
        self.created_to_closed.add(created_at, closed_at);
    }
}

fn key(journey: &Journey, by: By) -> Option<String> {
    let first = journey.touches.first().map(|met| &met.touched);
    let campaign = || first.and_then(|touched| touched.campaign.as_ref());
    match by {
        By::Campaign => campaign().map(ToString::to_string),
        By::Channel => first.map(|touched| touched.channel.clone()),
        By::Proposition => wanted(journey)
            .map(|(proposition, _)| proposition)
            .or_else(|| campaign().map(|name| &name.proposition_id))
            .map(|proposition| format!("propositions/{proposition}")),
        By::Problem => wanted(journey)
            .map(|(proposition, problem)| format!("propositions/{proposition}/problems/{problem}")),
    }
}

/// Which problem of which proposition the prospect was last qualified for, or else converted with.
fn wanted(journey: &Journey) -> Option<(&PropositionId, &ProblemId)> {
    let qualified = journey.qualification.as_ref();
    let qualified = qualified.map(|for_what| (&for_what.proposition_id, &for_what.problem_id));
    qualified.or_else(|| {
        let (_, converted) = journey.converted.as_ref()?;
        Some((&converted.proposition_id, &converted.problem_id))
    })
}

#[cfg(test)]
mod tests {
    use super::Lengths;

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_the_middle_two() {
        assert_eq!(Lengths::default().median(), None);
        assert_eq!(Lengths(vec![9.0, 1.0, 2.0]).median(), Some(2.0));
        assert_eq!(Lengths(vec![9.0, 1.0, 2.0, 4.0]).median(), Some(3.0));
    }
}
