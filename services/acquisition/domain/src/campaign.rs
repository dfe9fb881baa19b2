//! A campaign: a time and a budget for showing some of a proposition's presentations. Planned, running, ended.

mod spend;
#[cfg(test)]
mod tests;

use eventsourcing::Time;
use money::{Currency, Money};
use serde::{Deserialize, Serialize};

use crate::id::{CampaignId, PresentationId, SpendId};
use crate::input::{Invalid, When, amount_in, distinct, not_negative};
use crate::proposition::{self, Proposition, Refusal, Thing};

pub use spend::{BookedSpend, Spend, SpendKey, SpendKind};

/// How many campaigns a proposition may have.
pub const MAX_CAMPAIGNS: usize = 500;
/// How many presentations a campaign may show.
pub const MAX_SHOWN: usize = 20;

/// Where in its life a campaign is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// It has not started; nothing is spent on it.
    Planned,
    /// It runs.
    Running,
    /// It is over; invoices may still come.
    Ended,
}

impl State {
    /// The state's name as the contract writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "PLANNED",
            Self::Running => "RUNNING",
            Self::Ended => "ENDED",
        }
    }
}

/// What a campaign is meant to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Which of the proposition's presentations it shows.
    pub presentation_ids: Vec<PresentationId>,
    /// When it is meant to start.
    pub starts_at: Time,
    /// When it is meant to end, after its start.
    pub ends_at: Time,
    /// The one currency of its budget and of everything spent on it.
    pub currency: Currency,
    /// What it may cost, if that is limited.
    pub budget: Option<Money>,
}

/// A campaign of a proposition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Campaign {
    /// What it is meant to be.
    pub plan: Plan,
    /// When it was planned.
    pub planned_at: Time,
    /// Where in its life it is.
    pub state: State,
    /// When it started.
    pub started_at: Option<Time>,
    /// When it ended.
    pub ended_at: Option<Time>,
}

/// What somebody wants of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Plan a campaign.
    Create {
        /// The id that the client chose.
        campaign_id: CampaignId,
        /// What it is meant to be.
        plan: Plan,
        /// When it was planned.
        when: When,
    },
    /// Start a planned campaign.
    Start {
        /// Which campaign.
        campaign_id: CampaignId,
        /// When it started.
        when: When,
    },
    /// End a running campaign.
    End {
        /// Which campaign.
        campaign_id: CampaignId,
        /// When it ended.
        when: When,
    },
    /// Record what was spent on a campaign, or that some of it came back.
    RecordSpend {
        /// Which campaign.
        campaign_id: CampaignId,
        /// The id that the client chose.
        spend_id: SpendId,
        /// On what.
        kind: SpendKind,
        /// How much, above 0, in the campaign's currency.
        amount: Money,
        /// For which of the campaign's presentations, if for one.
        presentation_id: Option<PresentationId>,
        /// Which earlier spend of the campaign this takes back, in part or whole.
        reverses: Option<SpendId>,
        /// When it was incurred.
        when: When,
    },
}

/// What has happened to a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It was planned.
    Planned {
        /// Which campaign.
        campaign_id: CampaignId,
        /// What it is meant to be.
        plan: Plan,
        /// When.
        occurred_at: Time,
    },
    /// It started.
    Started {
        /// Which campaign.
        campaign_id: CampaignId,
        /// When.
        occurred_at: Time,
    },
    /// It ended.
    Ended {
        /// Which campaign.
        campaign_id: CampaignId,
        /// When.
        occurred_at: Time,
    },
    /// Something was spent on it, or came back.
    SpendRecorded {
        /// Which campaign.
        campaign_id: CampaignId,
        /// Which spend.
        spend_id: SpendId,
        /// What was spent.
        spend: Spend,
    },
}

impl Command {
    /// The spends that deciding about it looks at.
    pub(crate) fn parts(&self) -> Vec<SpendKey> {
        match self {
            Self::Create { .. } | Self::Start { .. } | Self::End { .. } => vec![],
            Self::RecordSpend {
                campaign_id,
                spend_id,
                reverses,
                ..
            } => std::iter::once(spend_id)
                .chain(reverses)
                .map(|spend_id| SpendKey::new(campaign_id, spend_id))
                .collect(),
        }
    }
}

impl Event {
    /// The spends that evolving by it changes.
    pub(crate) fn parts(&self) -> Vec<SpendKey> {
        match self {
            Self::Planned { .. } | Self::Started { .. } | Self::Ended { .. } => vec![],
            Self::SpendRecorded {
                campaign_id, spend, ..
            } => {
                let reversed = spend.reverses.iter();
                reversed.map(|id| SpendKey::new(campaign_id, id)).collect()
            }
        }
    }
}

pub(crate) fn decide(proposition: &Proposition, command: Command) -> Result<Vec<Event>, Refusal> {
    proposition.must_exist()?;
    match command {
        Command::Create {
            campaign_id,
            plan,
            when,
        } => create(proposition, campaign_id, plan, when),
        Command::Start { campaign_id, when } => start(proposition, campaign_id, when),
        Command::End { campaign_id, when } => end(proposition, campaign_id, when),
        Command::RecordSpend {
            campaign_id,
            spend_id,
            kind,
            amount,
            presentation_id,
            reverses,
            when,
        } => {
            let asked = Spend {
                kind,
                amount,
                incurred_at: when.occurred_at.unwrap_or(when.now),
                presentation_id,
                reverses,
            };
            spend::record(proposition, campaign_id, spend_id, asked, when)
        }
    }
}

pub(crate) fn evolve(proposition: &mut Proposition, event: &Event) {
    match event {
        Event::Planned {
            campaign_id,
            plan,
            occurred_at,
        } => {
            let campaign = Campaign {
                plan: plan.clone(),
                planned_at: *occurred_at,
                state: State::Planned,
                started_at: None,
                ended_at: None,
            };
            proposition.campaigns.insert(campaign_id.clone(), campaign);
        }
        Event::Started {
            campaign_id,
            occurred_at,
        } => {
            if let Some(campaign) = proposition.campaigns.get_mut(campaign_id) {
                campaign.state = State::Running;
                campaign.started_at = Some(*occurred_at);
            }
        }
        Event::Ended {
            campaign_id,
            occurred_at,
        } => {
            if let Some(campaign) = proposition.campaigns.get_mut(campaign_id) {
                campaign.state = State::Ended;
                campaign.ended_at = Some(*occurred_at);
            }
        }
        Event::SpendRecorded {
            campaign_id,
            spend_id,
            spend,
        } => spend::book(proposition, campaign_id, spend_id, spend),
    }
}

fn create(
    proposition: &Proposition,
    campaign_id: CampaignId,
    plan: Plan,
    when: When,
) -> Result<Vec<Event>, Refusal> {
    if let Some(present) = proposition.campaigns.get(&campaign_id) {
        let same = present.plan == plan && when.may_mean(present.planned_at);
        return same
            .then(Vec::new)
            .ok_or(Refusal::AlreadyExists(Thing::Campaign(campaign_id)));
    }
    proposition.must_not_be_retired()?;
    let occurred_at = when.happened("occurred_at")?;
    check(proposition, &plan)?;
    let count = proposition.campaigns.len() + 1;
    Refusal::limit("campaigns", count, MAX_CAMPAIGNS)?;
    Ok(vec![Event::Planned {
        campaign_id,
        plan,
        occurred_at,
    }])
}

fn check(proposition: &Proposition, plan: &Plan) -> Result<(), Refusal> {
    const FIELD: &str = "presentation_ids";
    if plan.presentation_ids.is_empty() {
        return Err(Invalid::Missing { field: FIELD }.into());
    }
    Refusal::limit(FIELD, plan.presentation_ids.len(), MAX_SHOWN)?;
    distinct(FIELD, &plan.presentation_ids)?;
    for presentation_id in &plan.presentation_ids {
        if !proposition.presentations.contains_key(presentation_id) {
            return Err(Refusal::UnknownPresentation {
                field: FIELD,
                presentation_id: presentation_id.clone(),
            });
        }
    }
    if plan.ends_at <= plan.starts_at {
        return Err(Refusal::EndsBeforeStart {
            starts_at: plan.starts_at,
            ends_at: plan.ends_at,
        });
    }
    if let Some(budget) = plan.budget {
        amount_in("budget", budget, plan.currency)?;
        not_negative("budget", budget)?;
    }
    Ok(())
}

fn start(
    proposition: &Proposition,
    campaign_id: CampaignId,
    when: When,
) -> Result<Vec<Event>, Refusal> {
    let campaign = find(proposition, &campaign_id)?;
    if campaign.state != State::Planned {
        return Err(Refusal::NotPlanned {
            campaign_id,
            state: campaign.state,
        });
    }
    if proposition.state != proposition::State::Published {
        return Err(Refusal::NotPublished {
            state: proposition.state,
        });
    }
    for presentation_id in &campaign.plan.presentation_ids {
        let presentation = proposition.presentations.get(presentation_id);
        if presentation.is_some_and(|presentation| presentation.flag.is_some()) {
            return Err(Refusal::PresentationFlagged {
                presentation_id: presentation_id.clone(),
            });
        }
    }
    let occurred_at = when.happened("started_at")?;
    Ok(vec![Event::Started {
        campaign_id,
        occurred_at,
    }])
}

fn end(
    proposition: &Proposition,
    campaign_id: CampaignId,
    when: When,
) -> Result<Vec<Event>, Refusal> {
    let campaign = find(proposition, &campaign_id)?;
    if campaign.state != State::Running {
        return Err(Refusal::NotRunning {
            campaign_id,
            state: campaign.state,
        });
    }
    let occurred_at = when.happened("ended_at")?;
    match campaign.started_at {
        Some(earliest) if occurred_at < earliest => Err(Invalid::TooEarly {
            field: "ended_at",
            at: occurred_at,
            earliest,
        }
        .into()),
        Some(_) | None => Ok(vec![Event::Ended {
            campaign_id,
            occurred_at,
        }]),
    }
}

fn find<'a>(proposition: &'a Proposition, id: &CampaignId) -> Result<&'a Campaign, Refusal> {
    let found = proposition.campaigns.get(id);
    found.ok_or_else(|| Refusal::NotFound(Thing::Campaign(id.clone())))
}
