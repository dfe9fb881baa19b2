//! Which touches earned the credit for the customers of a period: the journeys of the rows, divided by the
//! rules of the crate `attribution`.

use std::collections::{BTreeMap, HashMap};

use attribution::markov::Solution;
use attribution::report::ValueTooLarge;
use attribution::{Credit, Journey, Rule, Touch, attribute};
use eventsourcing::{Days, Time};
use money::Currency;
use read_model::{Error, Rows};
use server::Moment;

use super::figures::{double, share, total};
use super::journeys::{self, Standing};
use super::offers;
use super::period::Period;
use super::point::{Dimension, Point, PresentationName};

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Question {
    pub(crate) period: Period,
    pub(crate) rule: Rule,
    pub(crate) window: Days,
    pub(crate) dimension: Dimension,
    pub(crate) currency: Currency,
}

/// The credit for the conversions of a period. Money is in minor units.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Attribution {
    /// By name, what is unattributed last.
    pub(crate) lines: Vec<Line>,
    pub(crate) conversions: i64,
    pub(crate) value: i64,
    /// Of all lines; nothing if none has any.
    pub(crate) spend: Option<i64>,
    pub(crate) cac: Option<i64>,
    /// Conversions in other currencies: in no other figure.
    pub(crate) other_currency: i64,
    /// Journeys that were closed in the period, from which MARKOV learns.
    pub(crate) closed: Option<i64>,
}

/// What one touch point earned and cost.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    /// Nothing for what no touch point earned.
    pub(crate) point: Option<String>,
    pub(crate) credit: f64,
    pub(crate) value: i64,
    pub(crate) spend: Option<i64>,
    pub(crate) cac: Option<i64>,
    pub(crate) removal_effect: Option<f64>,
}

/// Answers from the rows at a moment.
pub(crate) fn report(
    rows: &dyn Rows,
    question: &Question,
    moment: &Moment,
) -> Result<Result<Attribution, ValueTooLarge>, Error> {
    let mut found = Found::default();
    journeys::visit(rows, moment, |journey| found.add(&journey, question))?;
    let names = found.rank();
    let report = match attribute(&found.journeys, question.rule) {
        Ok(report) => report,
        Err(too_large) => return Ok(Err(too_large)),
    };
    let spends = spends(rows, question, moment)?;
    let all = spends.values().flatten().copied();
    let spend = (!spends.is_empty()).then(|| total(all)).flatten();
    let markov = report.markov.as_ref();
    Ok(Ok(Attribution {
        cac: spend.and_then(|spend| share(spend, double(found.converted))),
        conversions: found.converted,
        value: report.value_minor,
        spend,
        other_currency: found.other_currency,
        closed: markov.map(|_| found.closed),
        lines: lines(&report.credits, &names, markov, spends),
    }))
}

/// Credits and spends side by side, by name.
fn lines(
    credits: &[Credit<u32>],
    names: &[String],
    markov: Option<&Solution<u32>>,
    mut spends: BTreeMap<String, Vec<i64>>,
) -> Vec<Line> {
    let effects: BTreeMap<u32, f64> = markov
        .map(|solution| solution.removal_effects.iter().copied().collect())
        .unwrap_or_default();
    let mut lines: Vec<Line> = credits
        .iter()
        .map(|credit| {
            let name = credit.channel.and_then(|rank| names.get(rank as usize));
            let spend = name.and_then(|name| spends.remove(name));
            let spend = spend.and_then(total);
            Line {
                point: name.cloned(),
                credit: credit.conversions,
                value: credit.value_minor,
                spend,
                cac: spend.and_then(|spend| share(spend, credit.conversions)),
                removal_effect: credit.channel.and_then(|rank| effects.get(&rank).copied()),
            }
        })
        .collect();
    // Money that reached nobody is what a business has to see.
    lines.extend(spends.into_iter().map(|(name, spend)| Line {
        point: Some(name),
        credit: 0.0,
        value: 0,
        spend: total(spend),
        cac: None,
        removal_effect: markov.map(|_| 0.0),
    }));
    lines.sort_by(|a, b| (a.point.is_none(), &a.point).cmp(&(b.point.is_none(), &b.point)));
    lines
}

/// The journeys that count, while the rows are read. Touch points are numbers until their names are known.
#[derive(Debug, Default)]
struct Found {
    journeys: Vec<Journey<u32>>,
    points: HashMap<Point, u32>,
    /// What each touch that was met is credited to.
    credited: HashMap<usize, Option<u32>>,
    converted: i64,
    closed: i64,
    other_currency: i64,
}

impl Found {
    fn add(&mut self, journey: &journeys::Journey, question: &Question) {
        let converted = journey.converted.as_ref();
        match (converted.map(|(at, how)| (*at, how.value)), journey.stands) {
            (Some((at, _)), _) if !question.period.holds(at) => {}
            (Some((_, value)), _) if value.currency != question.currency => {
                self.other_currency += 1;
            }
            (Some((at, value)), _) => {
                self.converted += 1;
                let journey = Journey {
                    path: self.path(journey, at, question),
                    conversions: 1,
                    value_minor: value.minor_units,
                    non_conversions: 0,
                    open: 0,
                };
                self.journeys.push(journey);
            }
            (None, Standing::Closed { at })
                if question.rule == Rule::Markov && question.period.holds(at) =>
            {
                self.closed += 1;
                let journey = Journey {
                    path: self.path(journey, at, question),
                    conversions: 0,
                    value_minor: 0,
                    non_conversions: 1,
                    open: 0,
                };
                self.journeys.push(journey);
            }
            // Nobody who was converted is ever merged, so what stands merged is left out here.
            (None, _) => {}
        }
    }

    fn path(
        &mut self,
        journey: &journeys::Journey,
        end: Time,
        question: &Question,
    ) -> Vec<Touch<u32>> {
        let (points, credited) = (&mut self.points, &mut self.credited);
        journey.path(end, question.window, |met| {
            let number = credited.entry(met.number);
            *number.or_insert_with(|| {
                let point = met.touched.point(question.dimension)?;
                let next = u32::try_from(points.len()).ok()?;
                Some(*points.entry(point).or_insert(next))
            })
        })
    }

    /// Numbers the touch points by their names, and says the names.
    fn rank(&mut self) -> Vec<String> {
        let points = std::mem::take(&mut self.points).into_iter();
        let mut named: Vec<(String, u32)> = points
            .map(|(point, number)| (point.to_string(), number))
            .collect();
        named.sort_unstable();
        let mut ranks = vec![0; named.len()];
        for (rank, (_, number)) in (0..).zip(&named) {
            if let Some(place) = ranks.get_mut(*number as usize) {
                *place = rank;
            }
        }
        for touch in self.journeys.iter_mut().flat_map(|known| &mut known.path) {
            if let Some(rank) = ranks.get(touch.channel as usize) {
                touch.channel = *rank;
            }
        }
        named.into_iter().map(|(name, _)| name).collect()
    }
}

/// What was spent in the period, one by one, by touch point.
fn spends(
    rows: &dyn Rows,
    question: &Question,
    moment: &Moment,
) -> Result<BTreeMap<String, Vec<i64>>, Error> {
    let mut spends: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for (campaign, cost) in offers::all_costs(rows, moment)? {
        if !question.period.holds(cost.incurred_at) || cost.amount.currency != question.currency {
            continue;
        }
        let named = cost
            .presentation_id
            .map(|presentation_id| PresentationName {
                proposition_id: campaign.proposition_id.clone(),
                presentation_id,
            });
        let point = match (question.dimension, named) {
            (Dimension::Campaign, _) => Some(Point::Campaign(campaign)),
            (Dimension::Presentation, named) => named.map(Point::Presentation),
            (Dimension::Channel, None) => None,
            (Dimension::Channel, Some(name)) => offers::shown(rows, &name, &moment.known)?
                .map(|shown| Point::Channel(shown.channel)),
        };
        if let Some(point) = point {
            let spent = spends.entry(point.to_string()).or_default();
            spent.push(cost.amount.minor_units);
        }
    }
    Ok(spends)
}
