//! Which customers a campaign or a presentation may be credited with, and with how much of each.
//!
//! The rows only say who is in question: a touch may be recorded after the conversion that it led to, and how
//! credit is divided is asked by each report anew. Beside each customer stands its whole way to the conversion, as
//! long as that is short: so a scorecard reads one row for each customer in question, and these side by side.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use acquisition_domain::prospect::{Event, Prospect};
use attribution::{HalfLife, Rule, Touch};
use eventsourcing::{Days, Time};
use money::{Currency, Share};
use read_model::{Error, Rows, RowsMut, Table};
use server::Moment;
use uuid::Uuid;

use super::journeys::{self, Acquaintances, Converted, Touched, Way, days};
use super::point::{Dimension, Point, PresentationName};

/// How long before the conversion a touch earns credit, if nothing else is asked.
pub(crate) const WINDOW: Days = Days(90);

/// By touch point: the customers with a touch of it before the conversion, and their ways if they are short.
const TOUCHED: Table<(String, Uuid), Option<Way>> = Table::new("credit");
/// By touch point: the customers whose conversion names it.
const NAMED: Table<(String, Uuid), ()> = Table::new("named");

/// Of how many facts a journey has at most whose way is short.
const SHORT: usize = 32;

/// A model that divides each conversion by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Model(Rule);

impl Model {
    /// All to the last touch.
    pub(crate) const LAST: Self = Self(Rule::Last);

    /// This rule, with a half-life of a week; nothing if it has no credit for one customer.
    pub(crate) const fn new(rule: Rule) -> Option<Self> {
        match rule {
            Rule::Markov => None,
            Rule::TimeDecay(_) => Some(Self(Rule::TimeDecay(HalfLife::WEEK))),
            Rule::First | Rule::Last | Rule::Linear | Rule::Position | Rule::Shapley => {
                Some(Self(rule))
            }
        }
    }

    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        self.0.name()
    }
}

/// A customer and how much of it is credited.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Credited {
    pub(crate) customer: Uuid,
    pub(crate) acquired_at: Time,
    pub(crate) currency: Currency,
    /// Above nothing.
    pub(crate) share: Share,
}

/// The customers credited to a touch point at a moment, by id.
pub(crate) fn credited(
    rows: &dyn Rows,
    point: &Point,
    model: Model,
    moment: &Moment,
) -> Result<Vec<Credited>, Error> {
    let mut credited = Vec::new();
    let mut points = Points::around(point);
    let mut outcome = Ok(());
    TOUCHED.visit(rows, &(point.to_string(),), |(_, customer), short| {
        outcome = short
            .map_or_else(|| journeys::way(rows, customer), |way| Ok(Some(way)))
            .and_then(|way| {
                let Some(way) = way else { return Ok(()) };
                let share = points.share(rows, &way, model, moment)?;
                if share.to_f64() > 0.0 {
                    credited.push(Credited {
                        customer,
                        acquired_at: way.converted_at,
                        currency: way.currency,
                        share,
                    });
                }
                Ok(())
            });
        match outcome {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    })?;
    outcome?;
    Ok(credited)
}

/// The customers whose conversion names a touch point.
pub(crate) fn named(rows: &dyn Rows, point: &Point) -> Result<Vec<Uuid>, Error> {
    let found = NAMED.scan(rows, &(point.to_string(),), None, usize::MAX)?;
    Ok(found.into_iter().map(|((_, id), ())| id).collect())
}

/// Touch points as numbers, of which one is asked about.
struct Points {
    dimension: Dimension,
    numbers: HashMap<Point, u32>,
    met: Acquaintances,
    /// By the touch.
    known: HashMap<Uuid, Option<u32>>,
}

/// The number of the touch point that is asked about.
const ASKED: u32 = 0;

impl Points {
    fn around(asked: &Point) -> Self {
        Self {
            dimension: asked.dimension(),
            numbers: HashMap::from([(asked.clone(), ASKED)]),
            met: Acquaintances::default(),
            known: HashMap::new(),
        }
    }

    /// The share of a conversion that the touch point earned; nothing if it was not known at that moment.
    fn share(
        &mut self,
        rows: &dyn Rows,
        way: &Way,
        model: Model,
        moment: &Moment,
    ) -> Result<Share, Error> {
        let end = way.converted_at;
        if !moment.includes(end, &way.recorded) {
            return Ok(Share::NONE);
        }
        let opens = end.minus_days(WINDOW);
        let mut path: Vec<(Time, Touch<u32>)> = Vec::with_capacity(way.touches.len());
        for step in &way.touches {
            let counts = (opens..=end).contains(&step.at);
            if counts
                && moment.includes(step.at, &step.recorded)
                && let Some(channel) = self.number(rows, step.touch)?
            {
                let days_before_end = days(step.at, end);
                let touch = Touch {
                    channel,
                    days_before_end,
                };
                path.push((step.at, touch));
            }
        }
        // What happened at the same moment stays in the order of the journal.
        path.sort_by_key(|(at, _)| *at);
        let path: Vec<Touch<u32>> = path.into_iter().map(|(_, touch)| touch).collect();
        let shares = model.0.shares(&path).unwrap_or_default();
        let earned = path.iter().zip(shares);
        Ok(earned
            .filter(|(touch, _)| touch.channel == ASKED)
            .fold(Share::NONE, |sum, (_, share)| sum.plus(share)))
    }

    /// The touch point that a touch is credited to; nothing if it lacks that.
    fn number(&mut self, rows: &dyn Rows, touch: Uuid) -> Result<Option<u32>, Error> {
        if let Some(known) = self.known.get(&touch) {
            return Ok(*known);
        }
        let met = self.met.meet(rows, touch, Time::EPOCH)?;
        let point = met.and_then(|met| met.touched.point(self.dimension));
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        let number = point.map(|point| *self.numbers.entry(point).or_insert(next));
        self.known.insert(touch, number);
        Ok(number)
    }
}

/// Notes after an event of a prospect, whose state is the one after it, who is in question for what.
pub(crate) fn apply(
    rows: &mut dyn RowsMut,
    id: Uuid,
    prospect: &Prospect,
    event: &Event,
) -> Result<(), Error> {
    let Some(conversion) = &prospect.conversion else {
        return Ok(());
    };
    if let Event::Converted { .. } = event {
        let converted = Converted::from(conversion);
        for point in named_points(converted) {
            NAMED.put(rows, &(point.to_string(), id), &())?;
        }
        return note_all(rows, id);
    }
    let facts = journeys::facts_of(rows, id)?;
    // What is absorbed after the conversion never earns credit; a touch may be told long after it.
    if let Event::TouchpointRecorded { touchpoint, .. } = event {
        if facts <= SHORT {
            return note_all(rows, id);
        }
        note(rows, id, &Touched::from(touchpoint), None)?;
    }
    // A customer is told of fact by fact: with this one its way is not short any more.
    if facts == SHORT + 1 {
        return note_all(rows, id);
    }
    Ok(())
}

/// Notes a customer at every touch point of its way.
fn note_all(rows: &mut dyn RowsMut, customer: Uuid) -> Result<(), Error> {
    let Some(way) = journeys::way(rows, customer)? else {
        return Ok(());
    };
    let touches: HashSet<Uuid> = way.touches.iter().map(|step| step.touch).collect();
    let is_short = journeys::facts_of(rows, customer)? <= SHORT;
    let short = is_short.then_some(way);
    let mut met = Acquaintances::default();
    for touch in touches {
        if let Some(met) = met.meet(rows, touch, Time::EPOCH)? {
            note(rows, customer, &met.touched, short.as_ref())?;
        }
    }
    Ok(())
}

fn note(
    rows: &mut dyn RowsMut,
    customer: Uuid,
    touched: &Touched,
    short: Option<&Way>,
) -> Result<(), Error> {
    for dimension in [Dimension::Campaign, Dimension::Presentation] {
        if let Some(point) = touched.point(dimension) {
            TOUCHED.put(rows, &(point.to_string(), customer), &short.cloned())?;
        }
    }
    Ok(())
}

fn named_points(converted: Converted) -> impl Iterator<Item = Point> {
    let presentation = converted.presentation_id.map(|presentation_id| {
        Point::Presentation(PresentationName {
            proposition_id: converted.proposition_id,
            presentation_id,
        })
    });
    let campaign = converted.campaign.map(Point::Campaign);
    campaign.into_iter().chain(presentation)
}
