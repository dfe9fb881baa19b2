//! Journeys: everything that happened to a prospect, as facts that are added and never changed.
//!
//! The rows are ordered by prospect and then by when things happened, so one scan meets every journey whole
//! and in order. A fact keeps where the journal took it, so that a report can leave out what was not known.

use std::ops::ControlFlow;

use acquisition_domain::id::{BenefitId, CampaignName, PresentationId, ProblemId, PropositionId};
use acquisition_domain::prospect::{
    CloseReason, Conversion, Event, Qualification, State, Touchpoint,
};
use attribution::Touch;
use eventsourcing::{Days, Time};
use money::{Currency, Money};
use read_model::{Error, Rows, RowsMut, Table};
use runtime::Recorded;
use serde::{Deserialize, Serialize};
use server::Moment;
use uuid::Uuid;

use super::point::{Dimension, Point, PresentationName};

/// By prospect, µs, the version of the prospect's stream, which is the order of the journal at the same moment,
/// and the place among what came with one event.
const FACTS: Table<(Uuid, i64, u64, u32), Fact> = Table::new("journey");

const DAY_MICROS: f64 = 86_400e6;

/// Something that happened to a prospect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Fact {
    recorded: Recorded,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum What {
    Touched(Touched),
    Qualified(Qualification),
    Converted(Box<Converted>),
    Closed(CloseReason),
    /// It was taken up again and goes on where it was: no stage is reached anew.
    Reopened,
    /// It came to this state, and there is no more to say of it: anonymous is created.
    Became(State),
}

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
    pub(crate) touches: Vec<(Time, Touched)>,
    /// When it first was created, identified, qualified.
    pub(crate) created_at: Option<Time>,
    pub(crate) identified_at: Option<Time>,
    pub(crate) qualified_at: Option<Time>,
    /// What it was last qualified for.
    pub(crate) qualification: Option<Qualification>,
    pub(crate) converted: Option<(Time, Converted)>,
    /// When and why it was first closed.
    pub(crate) first_closed: Option<(Time, CloseReason)>,
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
        self.clone().into_point(dimension)
    }

    /// The same, without a copy.
    pub(crate) fn into_point(self, dimension: Dimension) -> Option<Point> {
        match dimension {
            Dimension::Campaign => self.campaign.map(Point::Campaign),
            Dimension::Presentation => self.presentation().map(Point::Presentation),
            Dimension::Channel => Some(Point::Channel(self.channel)),
        }
    }

    fn presentation(self) -> Option<PresentationName> {
        Some(PresentationName {
            proposition_id: self.campaign?.proposition_id,
            presentation_id: self.presentation_id?,
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
            identified_at: None,
            qualified_at: None,
            qualification: None,
            converted: None,
            first_closed: None,
            stands: Standing::Open,
        }
    }

    /// The touches of the last `window` before `end`, both ends included, as far as `point` finds in them what
    /// they are credited to.
    pub(crate) fn into_path<C>(
        self,
        end: Time,
        window: Days,
        mut point: impl FnMut(Touched) -> Option<C>,
    ) -> Vec<Touch<C>> {
        let opens = end.minus_days(window);
        let within = self.touches.into_iter();
        within
            .filter(|(at, _)| (opens..=end).contains(at))
            .filter_map(|(at, touched)| {
                Some(Touch {
                    channel: point(touched)?,
                    days_before_end: days(at, end),
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
    let mut gathering: Option<Gathering> = None;
    FACTS.visit(rows, &(), |(prospect, at, version, _), fact| {
        let at = Time::from_micros(at);
        if moment.includes(at, &fact.recorded) {
            if let Some(done) = gathering.take_if(|known| known.journey.prospect != prospect) {
                each(done.journey);
            }
            gathering
                .get_or_insert_with(|| Gathering::of(prospect))
                .add(at, version, fact.what);
        }
        ControlFlow::Continue(())
    })?;
    if let Some(last) = gathering {
        each(last.journey);
    }
    Ok(())
}

/// One prospect, if it is known at that moment.
pub(crate) fn get(
    rows: &dyn Rows,
    prospect: Uuid,
    moment: &Moment,
) -> Result<Option<Journey>, Error> {
    let mut gathering = None;
    FACTS.visit(rows, &(prospect,), |(_, at, version, _), fact| {
        let at = Time::from_micros(at);
        if moment.includes(at, &fact.recorded) {
            gathering
                .get_or_insert_with(|| Gathering::of(prospect))
                .add(at, version, fact.what);
        }
        ControlFlow::Continue(())
    })?;
    Ok(gathering.map(|known| known.journey))
}

/// All touches of a prospect that happened by then, whatever is known of them when.
pub(crate) fn touches_until(
    rows: &dyn Rows,
    prospect: Uuid,
    end: Time,
) -> Result<Vec<Touched>, Error> {
    let mut touches = Vec::new();
    FACTS.visit(rows, &(prospect,), |(_, at, _, _), fact| {
        if Time::from_micros(at) > end {
            return ControlFlow::Break(());
        }
        if let What::Touched(touched) = fact.what {
            touches.push(touched);
        }
        ControlFlow::Continue(())
    })?;
    Ok(touches)
}

/// A journey while its facts come in.
struct Gathering {
    journey: Journey,
    /// The version of the fact that says where it stands.
    stands_by: u64,
}

impl Gathering {
    const fn of(prospect: Uuid) -> Self {
        Self {
            journey: Journey::of(prospect),
            stands_by: 0,
        }
    }

    fn add(&mut self, at: Time, version: u64, what: What) {
        let journey = &mut self.journey;
        let stands = match what {
            What::Touched(touched) => {
                journey.touches.push((at, touched));
                return;
            }
            What::Qualified(qualification) => {
                journey.qualified_at.get_or_insert(at);
                journey.qualification = Some(qualification);
                Standing::Open
            }
            What::Converted(converted) => {
                journey.converted = Some((at, *converted));
                Standing::Converted
            }
            What::Closed(reason) => {
                journey.first_closed.get_or_insert((at, reason));
                Standing::Closed { at }
            }
            What::Reopened => Standing::Open,
            What::Became(state) => became(journey, at, state),
        };
        if version > self.stands_by {
            self.stands_by = version;
            journey.stands = stands;
        }
    }
}

const fn became(journey: &mut Journey, at: Time, state: State) -> Standing {
    match state {
        State::Anonymous => {
            if journey.created_at.is_none() {
                journey.created_at = Some(at);
            }
            Standing::Open
        }
        State::Identified => {
            if journey.identified_at.is_none() {
                journey.identified_at = Some(at);
            }
            Standing::Open
        }
        State::Merged { .. } => Standing::Merged,
        State::Converted => Standing::Converted,
        State::Closed => Standing::Closed { at },
        State::Absent | State::Qualified => Standing::Open,
    }
}

/// Adds an event of a prospect; `version` is the one of its stream with the event. What is absorbed after the
/// conversion (`converted`) is none of the journey that led to it.
pub(crate) fn apply(
    rows: &mut dyn RowsMut,
    (prospect, converted): (Uuid, bool),
    version: u64,
    recorded: Recorded,
    event: &Event,
) -> Result<(), Error> {
    if converted && matches!(event, Event::Absorbed { .. }) {
        return Ok(());
    }
    for (place, (at, what)) in (0..).zip(facts(event)) {
        let key = (prospect, at.micros(), version, place);
        FACTS.put(rows, &key, &Fact { recorded, what })?;
    }
    Ok(())
}

/// What an event adds to the journey of its prospect, and when that happened. Whatever else comes to belong to
/// a journey, such as the touches of a prospect that turns out to be the same, is told by an event of this one.
fn facts(event: &Event) -> Vec<(Time, What)> {
    match event {
        Event::Created { origin } => vec![(origin.created_at, What::Became(State::Anonymous))],
        Event::TouchpointRecorded { touchpoint, .. } => {
            vec![(touchpoint.occurred_at, What::Touched(touchpoint.into()))]
        }
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
        Event::Absorbed { touches, .. } => touches
            .iter()
            .map(|absorbed| {
                let touchpoint = &absorbed.touchpoint;
                (touchpoint.occurred_at, What::Touched(touchpoint.into()))
            })
            .collect(),
        Event::ConsentChanged { .. } | Event::Erased { .. } | Event::KeysDestroyed { .. } => {
            Vec::new()
        }
    }
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
