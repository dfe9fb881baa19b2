//! What was offered to somebody who converts, checked against the proposition.
//!
//! The prospect and the proposition are two aggregates. So the proposition is looked at first, and what the
//! conversion needs to know of it travels inside the command. It may be a moment old by then, and that is
//! harmless: what a published proposition says never changes.

#[cfg(test)]
mod tests;

use eventsourcing::Time;

use crate::id::{CampaignId, CampaignName, PresentationId, ProblemId, PropositionId};
use crate::promise::{Claim, Proposed};
use crate::proposition::{Proposition, Refusal, State};

/// What a client says was offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Which proposition.
    pub proposition_id: PropositionId,
    /// Which of its problems the prospect has.
    pub problem_id: ProblemId,
    /// Which of its campaigns led to the conversion, if any did.
    pub campaign: Option<CampaignName>,
    /// Which of its presentations convinced, if known.
    pub presentation_id: Option<PresentationId>,
    /// What was promised; left out, it is what the presentation claims.
    pub promises: Vec<Proposed>,
}

/// What was offered, with what the proposition says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Which proposition.
    pub proposition_id: PropositionId,
    /// Which revision of it.
    pub revision: u32,
    /// Which of its problems the prospect has.
    pub problem_id: ProblemId,
    /// Which of its campaigns led to the conversion, if any did.
    pub campaign_id: Option<CampaignId>,
    /// Which of its presentations convinced, if known.
    pub presentation_id: Option<PresentationId>,
    /// What was promised explicitly.
    pub promises: Vec<Proposed>,
    /// What the presentation claims: promised where nothing is explicitly.
    pub claims: Vec<Claim>,
}

impl Offer {
    /// What is promised to somebody who converts at `converted_at`; it may be nothing.
    pub(crate) fn promised_at(&self, converted_at: Time) -> Vec<Proposed> {
        if self.promises.is_empty() {
            let claims = self.claims.iter();
            claims
                .map(|claim| Proposed::without_id(claim.promised_at(converted_at)))
                .collect()
        } else {
            self.promises.clone()
        }
    }
}

impl Proposition {
    /// Checks what a client says was offered, and adds what a conversion needs to know.
    ///
    /// A retired proposition is still an offer that somebody may take up; a draft is none. A flagged
    /// presentation is too: the flag keeps new campaigns from using it, not customers from believing it.
    ///
    /// # Errors
    /// A problem, campaign, presentation or benefit that the proposition does not have, a proposition that
    /// does not exist, or one that was never published.
    pub fn offer(&self, ask: Ask) -> Result<Offer, Refusal> {
        match self.state {
            State::Absent => return Err(Refusal::UnknownProposition),
            State::Draft => return Err(Refusal::NotPublished { state: self.state }),
            State::Published | State::Retired => {}
        }
        self.content
            .must_have_problem("problem_id", &ask.problem_id)?;
        for proposed in &ask.promises {
            self.content
                .must_have_benefit("promises.benefit_id", &proposed.terms.benefit_id)?;
        }
        let campaign_id = self.own_campaign(&ask)?;
        let claims = self.claims_of(ask.presentation_id.as_ref())?;
        Ok(Offer {
            proposition_id: ask.proposition_id,
            revision: self.revision,
            problem_id: ask.problem_id,
            campaign_id,
            presentation_id: ask.presentation_id,
            promises: ask.promises,
            claims,
        })
    }

    /// Checks that it exists and solves the problem that somebody is said to have.
    ///
    /// # Errors
    /// A problem that it does not name, or a proposition that does not exist.
    pub fn must_solve(&self, problem_id: &ProblemId) -> Result<(), Refusal> {
        if self.state == State::Absent {
            return Err(Refusal::UnknownProposition);
        }
        self.content.must_have_problem("problem_id", problem_id)
    }

    fn own_campaign(&self, ask: &Ask) -> Result<Option<CampaignId>, Refusal> {
        let Some(name) = &ask.campaign else {
            return Ok(None);
        };
        let own = name.proposition_id == ask.proposition_id
            && self.campaigns.contains_key(&name.campaign_id);
        own.then(|| Some(name.campaign_id.clone()))
            .ok_or_else(|| Refusal::UnknownCampaign {
                campaign_id: name.campaign_id.clone(),
            })
    }

    fn claims_of(&self, presentation_id: Option<&PresentationId>) -> Result<Vec<Claim>, Refusal> {
        let Some(presentation_id) = presentation_id else {
            return Ok(vec![]);
        };
        self.presentations
            .get(presentation_id)
            .map(|presentation| presentation.pitch.claims.clone())
            .ok_or_else(|| Refusal::UnknownPresentation {
                field: "presentation_id",
                presentation_id: presentation_id.clone(),
            })
    }
}
