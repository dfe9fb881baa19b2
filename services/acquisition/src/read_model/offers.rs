//! What was offered when: published benefits, presentations, campaigns and what they cost, as facts that keep
//! where the journal took them, so that reports can ask as of any moment.

use acquisition_domain::campaign::{self, Spend, SpendKind};
use acquisition_domain::id::{BenefitId, CampaignId, CampaignName, PresentationId, PropositionId};
use acquisition_domain::presentation;
use acquisition_domain::proposition::{Event, Proposition};
use eventsourcing::Time;
use money::{Currency, Money};
use read_model::{Error, Rows, RowsMut, Table};
use runtime::Recorded;
use serde::{Deserialize, Serialize};
use server::{Known, Moment};

use super::point::PresentationName;

const PUBLISHED: Table<String, Published> = Table::new("offer");
const PRESENTATIONS: Table<(String, String), Shown> = Table::new("offer-shown");
const CAMPAIGNS: Table<(String, String), Run> = Table::new("offer-run");
const COSTS: Table<(String, String, String), Cost> = Table::new("cost");

/// A proposition once it is published: from then on its benefits stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Published {
    recorded: Recorded,
    benefits: Vec<BenefitId>,
}

/// A presentation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shown {
    recorded: Recorded,
    pub(crate) channel: String,
    /// The benefits that it claims.
    pub(crate) benefits: Vec<BenefitId>,
    /// When it was flagged and when that was cleared, in the order told.
    flags: Vec<Flagging>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Flagging {
    recorded: Recorded,
    at: Time,
    flagged: bool,
}

/// A campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Run {
    recorded: Recorded,
    pub(crate) currency: Currency,
    pub(crate) presentation_ids: Vec<PresentationId>,
    started: Option<(Time, Recorded)>,
}

/// A spend, or what came back of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cost {
    recorded: Recorded,
    pub(crate) incurred_at: Time,
    /// Negative if it came back.
    pub(crate) amount: Money,
    /// Whether it was for media alone.
    pub(crate) is_media: bool,
    /// For which presentation of the campaign's proposition, if for one.
    pub(crate) presentation_id: Option<PresentationId>,
}

impl Shown {
    /// Whether it was flagged at that moment.
    pub(crate) fn is_flagged(&self, moment: &Moment) -> bool {
        let known = |flagging: &&Flagging| moment.includes(flagging.at, &flagging.recorded);
        let last = self.flags.iter().rfind(known);
        last.is_some_and(|last| last.flagged)
    }
}

impl Run {
    /// When it started, if that is known at that moment.
    pub(crate) fn started_at(&self, moment: &Moment) -> Option<Time> {
        let (at, recorded) = self.started?;
        moment.includes(at, &recorded).then_some(at)
    }
}

/// Whether a published proposition has this benefit.
pub(crate) fn has_benefit(
    rows: &dyn Rows,
    proposition: &PropositionId,
    benefit: &BenefitId,
    known: &Known,
) -> Result<bool, Error> {
    let published = PUBLISHED.get(rows, &proposition.to_string())?;
    Ok(published.is_some_and(|published| {
        known.includes(&published.recorded) && published.benefits.contains(benefit)
    }))
}

/// A presentation, if it was known.
pub(crate) fn shown(
    rows: &dyn Rows,
    name: &PresentationName,
    known: &Known,
) -> Result<Option<Shown>, Error> {
    let key = (
        name.proposition_id.to_string(),
        name.presentation_id.to_string(),
    );
    let shown = PRESENTATIONS.get(rows, &key)?;
    Ok(shown.filter(|shown| known.includes(&shown.recorded)))
}

/// The presentations of a proposition that were known.
pub(crate) fn all_shown(
    rows: &dyn Rows,
    proposition: &PropositionId,
    known: &Known,
) -> Result<Vec<(PresentationId, Shown)>, Error> {
    let found = PRESENTATIONS.scan(rows, &(proposition.to_string(),), None, usize::MAX)?;
    let found = found.into_iter();
    let known = found.filter(|(_, shown)| known.includes(&shown.recorded));
    Ok(known
        .filter_map(|((_, id), shown)| Some((id.parse().ok()?, shown)))
        .collect())
}

/// A campaign, if it was known.
pub(crate) fn run(
    rows: &dyn Rows,
    name: &CampaignName,
    known: &Known,
) -> Result<Option<Run>, Error> {
    let run = CAMPAIGNS.get(rows, &campaign_row(&name.proposition_id, &name.campaign_id))?;
    Ok(run.filter(|run| known.includes(&run.recorded)))
}

/// The campaigns of a proposition that were known.
pub(crate) fn all_runs(
    rows: &dyn Rows,
    proposition: &PropositionId,
    known: &Known,
) -> Result<Vec<(CampaignId, Run)>, Error> {
    let found = CAMPAIGNS.scan(rows, &(proposition.to_string(),), None, usize::MAX)?;
    let known = found
        .into_iter()
        .filter(|(_, run)| known.includes(&run.recorded));
    Ok(known
        .filter_map(|((_, id), run)| Some((id.parse().ok()?, run)))
        .collect())
}

/// When a campaign that shows a presentation first started, as far as known at that moment.
pub(crate) fn first_start(
    rows: &dyn Rows,
    name: &PresentationName,
    moment: &Moment,
) -> Result<Option<Time>, Error> {
    let campaigns = CAMPAIGNS.scan(rows, &(name.proposition_id.to_string(),), None, usize::MAX)?;
    let shows = campaigns
        .iter()
        .filter(|(_, run)| run.presentation_ids.contains(&name.presentation_id));
    Ok(shows.filter_map(|(_, run)| run.started_at(moment)).min())
}

/// What a campaign cost, as far as known at that moment.
pub(crate) fn costs(
    rows: &dyn Rows,
    name: &CampaignName,
    moment: &Moment,
) -> Result<Vec<Cost>, Error> {
    let prefix = campaign_row(&name.proposition_id, &name.campaign_id);
    let costs = COSTS.scan(rows, &prefix, None, usize::MAX)?.into_iter();
    let known = costs.filter(|(_, cost)| moment.includes(cost.incurred_at, &cost.recorded));
    Ok(known.map(|(_, cost)| cost).collect())
}

/// What was spent in the name of a presentation, as far as known at that moment.
pub(crate) fn costs_naming(
    rows: &dyn Rows,
    name: &PresentationName,
    moment: &Moment,
) -> Result<Vec<Cost>, Error> {
    let costs = COSTS.scan(rows, &(name.proposition_id.to_string(),), None, usize::MAX)?;
    let costs = costs.into_iter().map(|(_, cost)| cost);
    let known = costs.filter(|cost| moment.includes(cost.incurred_at, &cost.recorded));
    Ok(known
        .filter(|cost| cost.presentation_id.as_ref() == Some(&name.presentation_id))
        .collect())
}

/// What all campaigns cost, as far as known at that moment, by campaign.
pub(crate) fn all_costs(
    rows: &dyn Rows,
    moment: &Moment,
) -> Result<Vec<(CampaignName, Cost)>, Error> {
    let costs = COSTS.scan(rows, &(), None, usize::MAX)?.into_iter();
    let known = costs.filter(|(_, cost)| moment.includes(cost.incurred_at, &cost.recorded));
    Ok(known
        .filter_map(|((proposition, campaign, _), cost)| {
            let name = CampaignName {
                proposition_id: proposition.parse().ok()?,
                campaign_id: campaign.parse().ok()?,
            };
            Some((name, cost))
        })
        .collect())
}

/// Adds an event of a proposition, whose state is the one after it.
pub(crate) fn apply(
    rows: &mut dyn RowsMut,
    id: &PropositionId,
    recorded: Recorded,
    state: &Proposition,
    event: &Event,
) -> Result<(), Error> {
    match event {
        Event::Published { .. } => {
            let benefits = state.content.benefits.iter();
            let published = Published {
                recorded,
                benefits: benefits.map(|benefit| benefit.benefit_id.clone()).collect(),
            };
            PUBLISHED.put(rows, &id.to_string(), &published)
        }
        Event::Presentation(event) => presented(rows, id, recorded, event),
        Event::Campaign(event) => campaigned(rows, id, recorded, event),
        Event::Drafted { .. } | Event::Revised { .. } | Event::Retired { .. } => Ok(()),
    }
}

fn presented(
    rows: &mut dyn RowsMut,
    id: &PropositionId,
    recorded: Recorded,
    event: &presentation::Event,
) -> Result<(), Error> {
    let (presentation_id, at, flagged) = match event {
        presentation::Event::Added {
            presentation_id,
            pitch,
            ..
        } => {
            let shown = Shown {
                recorded,
                channel: pitch.channel.clone(),
                benefits: pitch
                    .claims
                    .iter()
                    .map(|claim| claim.benefit_id.clone())
                    .collect(),
                flags: Vec::new(),
            };
            let key = (id.to_string(), presentation_id.to_string());
            return PRESENTATIONS.put(rows, &key, &shown);
        }
        presentation::Event::Flagged {
            presentation_id,
            occurred_at,
            ..
        } => (presentation_id, *occurred_at, true),
        presentation::Event::FlagCleared {
            presentation_id,
            occurred_at,
            ..
        } => (presentation_id, *occurred_at, false),
    };
    let key = (id.to_string(), presentation_id.to_string());
    let Some(mut shown) = PRESENTATIONS.get(rows, &key)? else {
        return Ok(());
    };
    shown.flags.push(Flagging {
        recorded,
        at,
        flagged,
    });
    PRESENTATIONS.put(rows, &key, &shown)
}

fn campaigned(
    rows: &mut dyn RowsMut,
    id: &PropositionId,
    recorded: Recorded,
    event: &campaign::Event,
) -> Result<(), Error> {
    match event {
        campaign::Event::Planned {
            campaign_id, plan, ..
        } => {
            let run = Run {
                recorded,
                currency: plan.currency,
                presentation_ids: plan.presentation_ids.clone(),
                started: None,
            };
            CAMPAIGNS.put(rows, &campaign_row(id, campaign_id), &run)
        }
        campaign::Event::Started {
            campaign_id,
            occurred_at,
        } => {
            let key = campaign_row(id, campaign_id);
            let Some(mut run) = CAMPAIGNS.get(rows, &key)? else {
                return Ok(());
            };
            run.started = Some((*occurred_at, recorded));
            CAMPAIGNS.put(rows, &key, &run)
        }
        campaign::Event::Ended { .. } => Ok(()),
        campaign::Event::SpendRecorded {
            campaign_id,
            spend_id,
            spend,
        } => {
            let (proposition, campaign) = campaign_row(id, campaign_id);
            let key = (proposition, campaign, spend_id.to_string());
            COSTS.put(rows, &key, &cost(recorded, spend))
        }
    }
}

fn cost(recorded: Recorded, spend: &Spend) -> Cost {
    let sign = if spend.reverses.is_some() { -1 } else { 1 };
    Cost {
        recorded,
        incurred_at: spend.incurred_at,
        amount: Money::new(spend.amount.currency, sign * spend.amount.minor_units),
        is_media: spend.kind == SpendKind::Media,
        presentation_id: spend.presentation_id.clone(),
    }
}

fn campaign_row(proposition: &PropositionId, campaign: &CampaignId) -> (String, String) {
    (proposition.to_string(), campaign.to_string())
}
