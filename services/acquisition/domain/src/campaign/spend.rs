//! What a campaign costs: each spend once, and never more taken back than was spent.

use eventsourcing::Time;
use money::Money;
use serde::{Deserialize, Serialize};

use super::{Event, State, find};
use crate::id::{CampaignId, PresentationId, SpendId};
use crate::input::{Invalid, When, amount_in, positive};
use crate::proposition::{Proposition, Refusal, Thing};

/// Which spend of which campaign.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SpendKey {
    /// The campaign.
    pub campaign_id: CampaignId,
    /// The spend within it.
    pub spend_id: SpendId,
}

impl SpendKey {
    /// This spend of this campaign.
    pub fn new(campaign_id: &CampaignId, spend_id: &SpendId) -> Self {
        Self {
            campaign_id: campaign_id.clone(),
            spend_id: spend_id.clone(),
        }
    }
}

/// On what money is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SpendKind {
    /// Space and time in media.
    Media,
    /// Making what is shown.
    Content,
    /// Software and services.
    Tools,
    /// People who sell.
    Sales,
    /// Anything else.
    Other,
}

/// Money spent on a campaign, or taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spend {
    /// On what.
    pub kind: SpendKind,
    /// How much, above 0; of a reversal, how much is taken back.
    pub amount: Money,
    /// When it was incurred, or taken back.
    pub incurred_at: Time,
    /// For which presentation, if for one.
    pub presentation_id: Option<PresentationId>,
    /// The spend that it takes back, in part or whole.
    pub reverses: Option<SpendId>,
}

/// A spend and what has become of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookedSpend {
    /// The spend as it was recorded.
    pub spend: Spend,
    /// How much of it was taken back since, in minor units.
    pub reversed_minor_units: i64,
}

impl BookedSpend {
    /// What is left of it.
    pub fn remaining(&self) -> Money {
        let Money {
            currency,
            minor_units,
        } = self.spend.amount;
        Money::new(
            currency,
            minor_units.saturating_sub(self.reversed_minor_units),
        )
    }
}

pub(super) fn record(
    proposition: &Proposition,
    campaign_id: CampaignId,
    spend_id: SpendId,
    spend: Spend,
    when: When,
) -> Result<Vec<Event>, Refusal> {
    let campaign = find(proposition, &campaign_id)?;
    let key = SpendKey::new(&campaign_id, &spend_id);
    if let Some(booked) = proposition.spends.get(&key) {
        let same = when.may_mean(booked.spend.incurred_at)
            && booked.spend
                == Spend {
                    incurred_at: booked.spend.incurred_at,
                    ..spend
                };
        return same
            .then(Vec::new)
            .ok_or(Refusal::AlreadyExists(Thing::Spend(spend_id)));
    }
    if campaign.state == State::Planned {
        return Err(Refusal::NotStarted { campaign_id });
    }
    when.happened("incurred_at")?;
    amount_in("amount", spend.amount, campaign.plan.currency)?;
    positive("amount", spend.amount)?;
    if let Some(presentation_id) = &spend.presentation_id
        && !campaign.plan.presentation_ids.contains(presentation_id)
    {
        return Err(Refusal::UnknownPresentation {
            field: "presentation_id",
            presentation_id: presentation_id.clone(),
        });
    }
    if let Some(original_id) = &spend.reverses {
        check_reversal(proposition, &campaign_id, original_id, &spend)?;
    }
    Ok(vec![Event::SpendRecorded {
        campaign_id,
        spend_id,
        spend,
    }])
}

fn check_reversal(
    proposition: &Proposition,
    campaign_id: &CampaignId,
    original_id: &SpendId,
    reversal: &Spend,
) -> Result<(), Refusal> {
    let spend_id = original_id.clone();
    let Some(booked) = proposition
        .spends
        .get(&SpendKey::new(campaign_id, original_id))
    else {
        return Err(Refusal::NotFound(Thing::Spend(spend_id)));
    };
    let original = &booked.spend;
    if original.reverses.is_some() {
        return Err(Refusal::ReversesReversal { spend_id });
    }
    if (original.kind, &original.presentation_id) != (reversal.kind, &reversal.presentation_id) {
        return Err(Refusal::ReversalDiffers { spend_id });
    }
    if reversal.incurred_at < original.incurred_at {
        return Err(Invalid::TooEarly {
            field: "incurred_at",
            at: reversal.incurred_at,
            earliest: original.incurred_at,
        }
        .into());
    }
    let remaining = booked.remaining();
    if reversal.amount.minor_units > remaining.minor_units {
        return Err(Refusal::OverReversed {
            spend_id,
            remaining,
        });
    }
    Ok(())
}

pub(super) fn book(
    proposition: &mut Proposition,
    campaign_id: &CampaignId,
    spend_id: &SpendId,
    spend: &Spend,
) {
    let spends = &mut proposition.spends;
    if let Some(original_id) = &spend.reverses
        && let Some(original) = spends.get_mut(&SpendKey::new(campaign_id, original_id))
    {
        let reversed = original.reversed_minor_units;
        original.reversed_minor_units = reversed.saturating_add(spend.amount.minor_units);
    }
    let booked = BookedSpend {
        spend: spend.clone(),
        reversed_minor_units: 0,
    };
    spends.insert(SpendKey::new(campaign_id, spend_id), booked);
}
