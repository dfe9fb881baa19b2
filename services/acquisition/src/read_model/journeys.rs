//! Journeys: everything that happened to a prospect, as facts that are added and never changed.
//!
//! One scan meets every journey whole. A fact keeps when it happened and where the journal took it, so that a
//! report can put facts in order and leave out what was not known.

mod pages;

use acquisition_domain::id::{BenefitId, CampaignName, PresentationId, ProblemId, PropositionId};
use acquisition_domain::prospect::{
    CloseReason, Conversion, Event, Qualification, State, Touchpoint,
};
use attribution::Touch;
use eventsourcing::{Days, Time};
use money::{Currency, Money};
use read_model::{Error, Rows, RowsMut};
use runtime::Recorded;
use serde::{Deserialize, Serialize};
use server::Moment;
use uuid::Uuid;

pub(crate) use self::pages::{Acquaintances, Met};
use self::pages::{Fact, What};
use super::point::{Dimension, Point, PresentationName};

const DAY_MICROS: f64 = 86_400e6;

/// How a prospect was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Touched {
    pub(crate) campaign: Option<CampaignName>,
    /// Of the campaign's proposition.
    pub(crate) presentation_id: Option<PresentationId>,
    pub(crate) channel: String,
}

/// How a prospect became a customer, as far as reports ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Converted {
    pub(crate) proposition_id: PropositionId,
    pub(crate) problem_id: ProblemId,
    pub(crate) campaign: Option<CampaignName>,
    pub(crate) presentation_id: Option<PresentationId>,
    /// The first purchase; 0 without one.
    pub(crate) value: Money,
    /// What was promised.
    pub(crate) benefits: Vec<BenefitId>,
}

/// What is known of a prospect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Journey {
    pub(crate) prospect: Uuid,
    /// In the order in which they happened.
    pub(crate) touches: Vec<Met>,
    /// When it first was created.
    pub(crate) created_at: Option<Time>,
    /// Each time that it was identified, and qualified, in their order.
    pub(crate) identified: Vec<Time>,
    pub(crate) qualified: Vec<Time>,
    /// What it was last qualified for.
    pub(crate) qualification: Option<Qualification>,
    pub(crate) converted: Option<(Time, Converted)>,
    /// Each time that it was closed, and why, in their order.
    pub(crate) closed: Vec<(Time, CloseReason)>,
    /// Where it stands, by what was recorded last.
    pub(crate) stands: Standing,
}

/// Where a journey stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Open,
    Converted,
    Closed { at: Time },
    Merged,
}

impl Touched {
    /// What the touch is credited to; nothing if it lacks that.
    pub(crate) fn point(&self, dimension: Dimension) -> Option<Point> {
        match dimension {
            Dimension::Campaign => self.campaign.clone().map(Point::Campaign),
            Dimension::Presentation => self.presentation().map(Point::Presentation),
            Dimension::Channel => Some(Point::Channel(self.channel.clone())),
        }
    }

    fn presentation(&self) -> Option<PresentationName> {
        Some(PresentationName {
            proposition_id: self.campaign.as_ref()?.proposition_id.clone(),
            presentation_id: self.presentation_id.clone()?,
        })
    }
}

impl Converted {
    /// The currency of the customer.
    pub(crate) const fn currency(&self) -> Currency {
        self.value.currency
    }
}

impl Journey {
    const fn of(prospect: Uuid) -> Self {
        Self {
            prospect,
            touches: Vec::new(),
            created_at: None,
            identified: Vec::new(),
            qualified: Vec::new(),
            qualification: None,
            converted: None,
            closed: Vec::new(),
            stands: Standing::Open,
        }
    }

    /// The touches of the last `window` before `end`, both ends included, as far as `point` finds in them what
    /// they are credited to.
    pub(crate) fn path<C>(
        &self,
        end: Time,
        window: Days,
        mut point: impl FnMut(&Met) -> Option<C>,
    ) -> Vec<Touch<C>> {
        let opens = end.minus_days(window);
        let within = self.touches.iter();
        within
            .filter(|met| (opens..=end).contains(&met.at))
            .filter_map(|met| {
                Some(Touch {
                    channel: point(met)?,
                    days_before_end: days(met.at, end),
                })
            })
            .collect()
    }
}

/// Days from one moment to another.
#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds of a century are below 2^53"
)]
pub(crate) fn days(from: Time, to: Time) -> f64 {
    (to.micros() - from.micros()) as f64 / DAY_MICROS
}

/// Calls `each` for every prospect that is known at that moment, in one scan.
pub(crate) fn visit(
    rows: &dyn Rows,
    moment: &Moment,
    mut each: impl FnMut(Journey),
) -> Result<(), Error> {
    let mut known = Acquaintances::default();
    pages::visit(rows, |prospect, facts| {
        if let Some(journey) = gather(rows, prospect, facts.drain(..), moment, &mut known)? {
            each(journey);
        }
        Ok(())
    })
}

/// How many facts there are of a prospect, whatever is known of them when.
pub(crate) fn facts_of(rows: &dyn Rows, prospect: Uuid) -> Result<usize, Error> {
    pages::count(rows, prospect)
}

/// The way of a customer to its conversion, in the order of the journal: all that divides its credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Way {
    pub(crate) converted_at: Time,
    pub(crate) currency: Currency,
    /// Where the journal took the conversion.
    pub(crate) recorded: Recorded,
    pub(crate) touches: Vec<Step>,
}

/// A touch on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) at: Time,
    pub(crate) recorded: Recorded,
    /// Known to [`Acquaintances`].
    pub(crate) touch: Uuid,
}

/// The way of a customer; nothing of somebody who is none. What is known when is for the reader to say.
pub(crate) fn way(rows: &dyn Rows, customer: Uuid) -> Result<Option<Way>, Error> {
    let mut converted = None;
    let mut touches = Vec::new();
    for Fact { at, recorded, what } in pages::of_prospect(rows, customer)? {
        match what {
            What::Touched(touch) => touches.push(Step {
                at,
                recorded,
                touch,
            }),
            What::Converted(how) => converted = Some((at, recorded, how.currency())),
            What::Qualified(_) | What::Closed(_) | What::Reopened | What::Became(_) => {}
        }
    }
    Ok(converted.map(|(converted_at, recorded, currency)| {
        touches.retain(|step| step.at <= converted_at);
        Way {
            converted_at,
            currency,
            recorded,
            touches,
        }
    }))
}

/// Makes a journey of facts in the order of the journal, as far as they are known at that moment.
fn gather(
    rows: &dyn Rows,
    prospect: Uuid,
    facts: impl IntoIterator<Item = Fact>,
    moment: &Moment,
    met: &mut Acquaintances,
) -> Result<Option<Journey>, Error> {
    let known = (1..).zip(facts);
    let mut known: Vec<(u64, Fact)> = known
        .filter(|(_, fact)| moment.includes(fact.at, &fact.recorded))
        .collect();
    if known.is_empty() {
        return Ok(None);
    }
    // What happened at the same moment stays in the order of the journal.
    known.sort_by_key(|(_, fact)| fact.at);
    let mut gathering = Gathering::of(prospect);
    for (place, Fact { at, what, .. }) in known {
        if let What::Touched(id) = what {
            let touches = &mut gathering.journey.touches;
            touches.extend(met.meet(rows, id, at)?);
        } else {
            gathering.add(at, place, what);
        }
    }
    Ok(Some(gathering.journey))
}

/// A journey while its facts come in.
struct Gathering {
    journey: Journey,
    /// The place in the journal of the fact that says where it stands.
    stands_by: u64,
}

impl Gathering {
    const fn of(prospect: Uuid) -> Self {
        Self {
            journey: Journey::of(prospect),
            stands_by: 0,
        }
    }

    fn add(&mut self, at: Time, place: u64, what: What) {
        let journey = &mut self.journey;
        let stands = match what {
            What::Touched(_) => return,
            What::Qualified(qualification) => {
                journey.qualified.push(at);
                journey.qualification = Some(qualification);
                Standing::Open
            }
            What::Converted(converted) => {
                journey.converted = Some((at, *converted));
                Standing::Converted
            }
            What::Closed(reason) => {
                journey.closed.push((at, reason));
                Standing::Closed { at }
            }
            What::Reopened => Standing::Open,
            What::Became(state) => became(journey, at, state),
        };
        if place > self.stands_by {
            self.stands_by = place;
            journey.stands = stands;
        }
    }
}

fn became(journey: &mut Journey, at: Time, state: State) -> Standing {
    match state {
        State::Anonymous => {
            if journey.created_at.is_none() {
                journey.created_at = Some(at);
            }
            Standing::Open
        }
        State::Identified => {
            journey.identified.push(at);
            Standing::Open
        }
        State::Merged { .. } => Standing::Merged,
        State::Converted => Standing::Converted,
        State::Closed => Standing::Closed { at },
        State::Absent | State::Qualified => Standing::Open,
    }
}

/// Adds an event of a prospect. What is absorbed after the conversion (`converted`) is none of the journey that
/// led to it.
pub(crate) fn apply(
    rows: &mut dyn RowsMut,
    (prospect, converted): (Uuid, bool),
    recorded: Recorded,
    event: &Event,
) -> Result<(), Error> {
    if converted && matches!(event, Event::Absorbed { .. }) {
        return Ok(());
    }
    let facts = facts(rows, event)?;
    let facts = facts
        .into_iter()
        .map(|(at, what)| Fact { at, recorded, what });
    pages::add(rows, prospect, facts)
}

/// What an event adds to the journey of its prospect, and when that happened. Whatever else comes to belong to
/// a journey, such as the touches of a prospect that turns out to be the same, is told by an event of this one.
fn facts(rows: &mut dyn RowsMut, event: &Event) -> Result<Vec<(Time, What)>, Error> {
    let mut touched = |touchpoint: &Touchpoint| {
        let id = pages::touch_id(rows, &touchpoint.into())?;
        Ok((touchpoint.occurred_at, What::Touched(id)))
    };
    Ok(match event {
        Event::Created { origin } => vec![(origin.created_at, What::Became(State::Anonymous))],
        Event::TouchpointRecorded { touchpoint, .. } => vec![touched(touchpoint)?],
        Event::Qualified {
            qualification,
            occurred_at,
        } => vec![(*occurred_at, What::Qualified(qualification.clone()))],
        Event::Converted { conversion, .. } => {
            let what = What::Converted(Box::new(Converted::from(&**conversion)));
            vec![(conversion.converted_at, what)]
        }
        Event::Closed {
            closing,
            occurred_at,
            ..
        } => vec![(*occurred_at, What::Closed(closing.reason))],
        Event::Identified { occurred_at, .. } => {
            vec![(*occurred_at, What::Became(State::Identified))]
        }
        Event::Reopened { occurred_at } => vec![(*occurred_at, What::Reopened)],
        Event::Merged { into, occurred_at } => {
            vec![(*occurred_at, What::Became(State::Merged { into: *into }))]
        }
        Event::Absorbed { touches, .. } => {
            let touches = touches.iter();
            let touches = touches.map(|absorbed| touched(&absorbed.touchpoint));
            touches.collect::<Result<_, Error>>()?
        }
        Event::ConsentChanged { .. } | Event::Erased { .. } | Event::KeysDestroyed { .. } => {
            Vec::new()
        }
    })
}

impl From<&Touchpoint> for Touched {
    fn from(touchpoint: &Touchpoint) -> Self {
        Self {
            campaign: touchpoint.touch.campaign.clone(),
            presentation_id: touchpoint.touch.presentation_id.clone(),
            channel: touchpoint.touch.channel.clone(),
        }
    }
}

impl From<&Conversion> for Converted {
    fn from(conversion: &Conversion) -> Self {
        let bought = conversion.first_purchase.as_ref();
        let campaign_id = conversion.campaign_id.clone();
        let benefits = conversion.promises.iter();
        Self {
            proposition_id: conversion.proposition_id.clone(),
            problem_id: conversion.problem_id.clone(),
            campaign: campaign_id.map(|campaign_id| CampaignName {
                proposition_id: conversion.proposition_id.clone(),
                campaign_id,
            }),
            presentation_id: conversion.presentation_id.clone(),
            value: Money::new(
                conversion.currency,
                bought.map_or(0, |bought| bought.amount.minor_units),
            ),
            benefits: benefits
                .map(|promise| promise.terms.benefit_id.clone())
                .collect(),
        }
    }
}
