//! Which customers a campaign or a presentation may be credited with, and with how much of each.
//!
//! The rows only say who is in question: a touch may be recorded after the conversion that it led to, and how
//! credit is divided is asked by each report anew. Every row is a set that only grows.

use acquisition_domain::prospect::{Event, Prospect};
use attribution::{HalfLife, Rule};
use eventsourcing::Days;
use money::Share;
use read_model::{Error, Rows, RowsMut, Table};
use server::Moment;
use uuid::Uuid;

use super::journeys::{self, Converted, Journey, Touched};
use super::point::{Dimension, Point, PresentationName};

/// How long before the conversion a touch earns credit, if nothing else is asked.
pub(crate) const WINDOW: Days = Days(90);

/// By touch point: the customers with a touch of it before the conversion.
const TOUCHED: Table<(String, Uuid), ()> = Table::new("credit");
/// By touch point: the customers whose conversion names it.
const NAMED: Table<(String, Uuid), ()> = Table::new("named");

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
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Credited {
    pub(crate) journey: Journey,
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
    for customer in customers(&TOUCHED, rows, point)? {
        let Some(journey) = journeys::get(rows, customer, moment)? else {
            continue;
        };
        let share = share(&journey, point, model);
        if share.to_f64() > 0.0 {
            credited.push(Credited { journey, share });
        }
    }
    Ok(credited)
}

/// The customers whose conversion names a touch point.
pub(crate) fn named(rows: &dyn Rows, point: &Point) -> Result<Vec<Uuid>, Error> {
    customers(&NAMED, rows, point)
}

fn customers(
    table: &Table<(String, Uuid), ()>,
    rows: &dyn Rows,
    point: &Point,
) -> Result<Vec<Uuid>, Error> {
    let found = table.scan(rows, &(point.to_string(),), None, usize::MAX)?;
    Ok(found.into_iter().map(|((_, id), ())| id).collect())
}

/// The share of a conversion that a touch point earned; nothing of a journey that has none.
fn share(journey: &Journey, point: &Point, model: Model) -> Share {
    let Some((converted_at, _)) = &journey.converted else {
        return Share::NONE;
    };
    let dimension = point.dimension();
    let path = journey.clone().into_path(*converted_at, WINDOW, |touched| {
        touched.into_point(dimension).map(|found| found.to_string())
    });
    let shares = model.0.shares(&path).unwrap_or_default();
    let name = point.to_string();
    let earned = path.iter().zip(shares);
    earned
        .filter(|(touch, _)| touch.channel == name)
        .fold(Share::NONE, |sum, (_, share)| sum.plus(share))
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
    match event {
        Event::Converted { .. } => {
            let converted = Converted::from(conversion);
            for point in named_points(converted) {
                NAMED.put(rows, &(point.to_string(), id), &())?;
            }
            for touched in journeys::touches_until(rows, id, conversion.converted_at)? {
                touch(rows, id, &touched)?;
            }
            Ok(())
        }
        Event::TouchpointRecorded { touchpoint, .. } => touch(rows, id, &Touched::from(touchpoint)),
        Event::Created { .. }
        | Event::Qualified { .. }
        | Event::Closed { .. }
        | Event::Identified { .. }
        | Event::Reopened { .. }
        | Event::Merged { .. }
        | Event::ConsentChanged { .. }
        | Event::Erased { .. }
        | Event::KeysDestroyed { .. }
        // What is absorbed after the conversion never earns credit; what was before, the conversion sees.
        | Event::Absorbed { .. } => Ok(()),
    }
}

fn touch(rows: &mut dyn RowsMut, customer: Uuid, touched: &Touched) -> Result<(), Error> {
    for dimension in [Dimension::Campaign, Dimension::Presentation] {
        if let Some(point) = touched.point(dimension) {
            TOUCHED.put(rows, &(point.to_string(), customer), &())?;
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
