//! A prospect becomes a customer, led by promises. No promise, no conversion.

use eventsourcing::Time;
use money::{Currency, Money};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::consent::{self, Consent};
use super::{Event, Prospect, Refusal};
use crate::id::{CampaignId, PresentationId, ProblemId, PropositionId, TouchpointId};
use crate::input::{Invalid, When, amount_in, not_negative};
use crate::offer::Offer;
use crate::promise::{MAX_PROMISES, Promise, Proposed, number};

/// How many touchpoints the event of a conversion names, the newest.
pub const MAX_PATH: usize = 1_000;

/// The moment of a conversion, as commands name it.
const FIELD: &str = "converted_at";

/// A touchpoint on the way to the conversion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When it happened.
    pub occurred_at: Time,
    /// Which touchpoint.
    pub touchpoint_id: TouchpointId,
}

/// What a customer bought at the conversion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstPurchase {
    /// What was paid, 0 or more.
    pub amount: Money,
    /// What remains of it after the costs of serving it; left out, a default share of the amount.
    pub contribution_margin: Option<Money>,
}

/// Record that a prospect has become a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Convert {
    /// The request, from which the ids of the promises follow.
    pub request_id: Uuid,
    /// What was offered, from [`Proposition::offer`](crate::proposition::Proposition::offer).
    pub offer: Offer,
    /// What was bought at once, if anything was.
    pub first_purchase: Option<FirstPurchase>,
    /// The one currency of the customer.
    pub currency: Currency,
    /// What the customer agreed to or refused, for each purpose once.
    pub consents: Vec<Consent>,
    /// All touchpoints of the prospect; those of the same moment in the order in which they were recorded.
    pub steps: Vec<Step>,
    /// When the prospect became a customer.
    pub when: When,
}

/// How a prospect became a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversion {
    /// When.
    pub converted_at: Time,
    /// Which proposition it took.
    pub proposition_id: PropositionId,
    /// Which revision of it.
    pub revision: u32,
    /// Which of its problems it has.
    pub problem_id: ProblemId,
    /// Which campaign led to it, if one did.
    pub campaign_id: Option<CampaignId>,
    /// Which presentation convinced, if known.
    pub presentation_id: Option<PresentationId>,
    /// What it was promised: at least one thing.
    pub promises: Vec<Promise>,
    /// What it bought at once, at the moment of the conversion, if anything.
    pub first_purchase: Option<FirstPurchase>,
    /// The one currency of the customer.
    pub currency: Currency,
    /// What it had agreed to or refused by then, for each purpose once.
    pub consents: Vec<Consent>,
}

impl Prospect {
    pub(super) fn convert(&self, command: Convert) -> Result<Vec<Event>, Refusal> {
        if let Some(done) = &self.conversion {
            return done
                .is_asked_by(&command)
                .then(Vec::new)
                .ok_or(Refusal::AlreadyConverted);
        }
        self.must_be_open()?;
        self.must_be_known()?;
        let converted_at = command.when.happened(FIELD)?;
        if let Some(first_touch_at) = self.first_touch_at
            && converted_at < first_touch_at
        {
            return Err(Invalid::TooEarly {
                field: FIELD,
                at: converted_at,
                earliest: first_touch_at,
            }
            .into());
        }
        let proposed = command.offer.promised_at(converted_at);
        check_promises(&proposed, converted_at)?;
        let promises = number(command.request_id, proposed)?;
        if let Some(purchase) = &command.first_purchase {
            purchase.check(command.currency)?;
        }
        consent::check(&command.consents, command.when.now)?;
        let consents = self.room_for(&command.consents)?;
        let path = path(command.steps, converted_at);
        let offer = command.offer;
        let conversion = Box::new(Conversion {
            converted_at,
            proposition_id: offer.proposition_id,
            revision: offer.revision,
            problem_id: offer.problem_id,
            campaign_id: offer.campaign_id,
            presentation_id: offer.presentation_id,
            promises,
            first_purchase: command.first_purchase,
            currency: command.currency,
            consents: consents.into_values().collect(),
        });
        Ok(vec![Event::Converted {
            conversion,
            path,
            identities: self.identities.clone(),
            display_name: self.display_name.clone(),
        }])
    }
}

impl Conversion {
    /// Whether the command asks for this conversion once more. What follows from the conversion itself
    /// does not count: the ids of the promises, the revision, the path.
    fn is_asked_by(&self, command: &Convert) -> bool {
        let offer = &command.offer;
        let asked = offer.promised_at(self.converted_at);
        let mut pairs = asked.iter().zip(&self.promises);
        command.when.may_mean(self.converted_at)
            && self.proposition_id == offer.proposition_id
            && self.problem_id == offer.problem_id
            && self.campaign_id == offer.campaign_id
            && self.presentation_id == offer.presentation_id
            && asked.len() == self.promises.len()
            && pairs.all(|(asked, promised)| asked.may_mean(promised))
            && self.first_purchase == command.first_purchase
            && self.currency == command.currency
            && self.has_heard(&command.consents)
    }

    /// Whether none of these would have changed what the conversion carries.
    fn has_heard(&self, said: &[Consent]) -> bool {
        said.iter().all(|said| {
            let mut known = self.consents.iter();
            let known = known.find(|known| known.purpose == said.purpose);
            known.is_some_and(|known| known == said || known.wins_over(said))
        })
    }
}

impl FirstPurchase {
    fn check(&self, currency: Currency) -> Result<(), Invalid> {
        amount_in("first_purchase.amount", self.amount, currency)?;
        not_negative("first_purchase.amount", self.amount)?;
        match self.contribution_margin {
            Some(margin) => amount_in("first_purchase.contribution_margin", margin, currency),
            None => Ok(()),
        }
    }
}

fn check_promises(proposed: &[Proposed], converted_at: Time) -> Result<(), Refusal> {
    if proposed.is_empty() {
        return Err(Refusal::NoPromise);
    }
    if proposed.len() > MAX_PROMISES {
        return Err(Refusal::Limit {
            what: "promises",
            limit: MAX_PROMISES,
        });
    }
    for promise in proposed {
        promise.terms.check(converted_at)?;
    }
    Ok(())
}

/// The touchpoints up to the conversion in the order in which they happened, those of the same moment as they
/// come; of many, the newest.
fn path(mut steps: Vec<Step>, converted_at: Time) -> Vec<TouchpointId> {
    steps.retain(|step| step.occurred_at <= converted_at);
    steps.sort_by_key(|step| step.occurred_at);
    let surplus = steps.len().saturating_sub(MAX_PATH);
    let newest = steps.into_iter().skip(surplus);
    newest.map(|step| step.touchpoint_id).collect()
}
