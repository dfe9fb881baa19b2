//! Why something is not possible with a proposition, its presentations or its campaigns.

use std::fmt;

use eventsourcing::{Class, Explain, Time};
use money::Money;

use super::State;
use crate::campaign;
use crate::id::{BenefitId, CampaignId, PresentationId, ProblemId, SpendId};
use crate::input::Invalid;

/// Something that has an id of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thing {
    /// The proposition itself.
    Proposition,
    /// One of its presentations.
    Presentation(PresentationId),
    /// One of its campaigns.
    Campaign(CampaignId),
    /// A spend of one of its campaigns.
    Spend(SpendId),
}

impl Thing {
    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Proposition => vec![],
            Self::Presentation(id) => vec![("presentation_id", id.to_string())],
            Self::Campaign(id) => vec![("campaign_id", id.to_string())],
            Self::Spend(id) => vec![("spend_id", id.to_string())],
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proposition => f.write_str("proposition"),
            Self::Presentation(id) => write!(f, "presentation {id}"),
            Self::Campaign(id) => write!(f, "campaign {id}"),
            Self::Spend(id) => write!(f, "spend {id}"),
        }
    }
}

/// Why something is not possible with a proposition.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// A field is missing or wrong by itself.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// What the command is about does not exist.
    #[error("there is no such {0}: create it first, or correct the id")]
    NotFound(Thing),
    /// The id that the client chose is taken, by other content.
    #[error("there is another {0} already: choose another id")]
    AlreadyExists(Thing),
    /// There are too many of something.
    #[error("there are more than {limit} {what}: leave some out")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// A field names a proposition that does not exist.
    #[error("there is no such proposition: name one that exists")]
    UnknownProposition,
    /// The proposition to copy does not exist.
    #[error("copy_from names a proposition that does not exist: name one that does")]
    UnknownOriginal,
    /// A field names a problem that the proposition does not.
    #[error(
        "{field} names {problem_id}, but the proposition has no such problem: name one of its own"
    )]
    UnknownProblem {
        /// The field's path.
        field: &'static str,
        /// The problem.
        problem_id: ProblemId,
    },
    /// A field names a benefit that the proposition does not.
    #[error(
        "{field} names {benefit_id}, but the proposition has no such benefit: name one of its own"
    )]
    UnknownBenefit {
        /// The field's path.
        field: &'static str,
        /// The benefit.
        benefit_id: BenefitId,
    },
    /// A field names a presentation that the proposition (or its campaign) does not have.
    #[error("{field} names {presentation_id}, which does not exist there: add it, or name another")]
    UnknownPresentation {
        /// The field's path.
        field: &'static str,
        /// The presentation.
        presentation_id: PresentationId,
    },
    /// A field names a campaign that the proposition does not have.
    #[error(
        "campaign names {campaign_id}, which the proposition does not have: name one of its own"
    )]
    UnknownCampaign {
        /// The campaign.
        campaign_id: CampaignId,
    },
    /// Only a draft may be edited or published; promises may refer to a published proposition.
    #[error("the proposition is {} and no longer a draft: create another with copy_from", state.name())]
    NotDraft {
        /// What it is.
        state: State,
    },
    /// A proposition without a problem or a benefit is not published.
    #[error("the proposition has no {missing} yet: add one, then publish it")]
    Incomplete {
        /// What it lacks.
        missing: &'static str,
    },
    /// Nothing new starts with a retired proposition.
    #[error("the proposition is retired: use another")]
    Retired,
    /// A benefit that a presentation claims may not be left out of a draft.
    #[error("presentation {presentation_id} claims the benefit {benefit_id}: keep it in the draft")]
    BenefitInUse {
        /// The benefit.
        benefit_id: BenefitId,
        /// The presentation that claims it.
        presentation_id: PresentationId,
    },
    /// A proposition is not retired while one of its campaigns runs.
    #[error("campaign {campaign_id} is running: end it first")]
    CampaignRunning {
        /// The campaign.
        campaign_id: CampaignId,
    },
    /// A presentation claims something, or it is none.
    #[error("the presentation claims nothing: add a claim")]
    NoClaim,
    /// The importances of a presentation's claims share out one whole.
    #[error("the importances of the claims add up to {sum}: make it 100")]
    ImportanceNotWhole {
        /// What they add up to.
        sum: u32,
    },
    /// Campaigns and conversions need a published proposition.
    #[error("the proposition is {}, not published: publish it first, or use another", state.name())]
    NotPublished {
        /// What it is.
        state: State,
    },
    /// A presentation whose promises keep breaking is not shown by a new campaign.
    #[error(
        "presentation {presentation_id} is flagged, because its promises keep breaking: \
         clear the flag with a note on what has changed, or use another"
    )]
    PresentationFlagged {
        /// The presentation.
        presentation_id: PresentationId,
    },
    /// A campaign ends after it starts.
    #[error("ends_at {ends_at} is not after starts_at {starts_at}: set a later end")]
    EndsBeforeStart {
        /// Its start.
        starts_at: Time,
        /// Its end.
        ends_at: Time,
    },
    /// Only a planned campaign starts.
    #[error("campaign {campaign_id} is {} already: create another", state.name())]
    NotPlanned {
        /// The campaign.
        campaign_id: CampaignId,
        /// What it is.
        state: campaign::State,
    },
    /// Only a running campaign ends.
    #[error("campaign {campaign_id} is {}, not running: only a running campaign ends", state.name())]
    NotRunning {
        /// The campaign.
        campaign_id: CampaignId,
        /// What it is.
        state: campaign::State,
    },
    /// Nothing is spent on a campaign that has not started.
    #[error("campaign {campaign_id} has not started: start it, then record what it costs")]
    NotStarted {
        /// The campaign.
        campaign_id: CampaignId,
    },
    /// A reversal takes back part of a spend; it is not taken back itself.
    #[error("spend {spend_id} is a reversal itself: record the amount as a new spend")]
    ReversesReversal {
        /// The spend named in `reverses`.
        spend_id: SpendId,
    },
    /// A reversal is of the kind, and for the presentation, of what it takes back.
    #[error("the kind or the presentation differ from those of spend {spend_id}: give the same")]
    ReversalDiffers {
        /// The spend named in `reverses`.
        spend_id: SpendId,
    },
    /// Reversals never take back more than was spent.
    #[error("only {remaining} of spend {spend_id} are left to reverse: reverse that much or less")]
    OverReversed {
        /// The spend named in `reverses`.
        spend_id: SpendId,
        /// What is left of it.
        remaining: Money,
    },
}

impl Refusal {
    /// Refuses more than `limit` of something.
    pub(crate) fn limit(what: &'static str, count: usize, limit: usize) -> Result<(), Self> {
        if count > limit {
            return Err(Self::Limit { what, limit });
        }
        Ok(())
    }
}

impl Explain for Refusal {
    fn class(&self) -> Class {
        let invalid = |field| Class::Invalid { field };
        match self {
            Self::Invalid(cause) => cause.class(),
            Self::NotFound(_) => Class::NotFound,
            Self::AlreadyExists(_) => Class::AlreadyExists,
            Self::Limit { .. } => Class::Exhausted,
            Self::UnknownProposition => invalid("proposition"),
            Self::UnknownOriginal => invalid("copy_from"),
            Self::UnknownProblem { field, .. }
            | Self::UnknownBenefit { field, .. }
            | Self::UnknownPresentation { field, .. } => invalid(field),
            Self::UnknownCampaign { .. } => invalid("campaign"),
            Self::NoClaim => invalid("claims"),
            Self::ImportanceNotWhole { .. } => invalid("claims.importance"),
            Self::EndsBeforeStart { .. } => invalid("ends_at"),
            Self::ReversesReversal { .. } | Self::ReversalDiffers { .. } => invalid("reverses"),
            Self::NotDraft { .. }
            | Self::Incomplete { .. }
            | Self::Retired
            | Self::BenefitInUse { .. }
            | Self::CampaignRunning { .. }
            | Self::NotPublished { .. }
            | Self::PresentationFlagged { .. }
            | Self::NotPlanned { .. }
            | Self::NotRunning { .. }
            | Self::NotStarted { .. }
            | Self::OverReversed { .. } => Class::FailedPrecondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(cause) => cause.reason(),
            Self::NotFound(_) => "NOT_FOUND",
            Self::AlreadyExists(_) => "ALREADY_EXISTS",
            Self::Limit { .. } => "LIMIT_EXCEEDED",
            Self::UnknownProposition | Self::UnknownOriginal => "UNKNOWN_PROPOSITION",
            Self::UnknownProblem { .. } => "UNKNOWN_PROBLEM",
            Self::UnknownBenefit { .. } => "UNKNOWN_BENEFIT",
            Self::UnknownPresentation { .. } => "UNKNOWN_PRESENTATION",
            Self::UnknownCampaign { .. } => "UNKNOWN_CAMPAIGN",
            Self::NotDraft { .. } => "NOT_DRAFT",
            Self::Incomplete { .. } => "INCOMPLETE",
            Self::Retired => "RETIRED",
            Self::BenefitInUse { .. } => "BENEFIT_IN_USE",
            Self::CampaignRunning { .. } => "CAMPAIGN_RUNNING",
            Self::NoClaim => "NO_CLAIM",
            Self::ImportanceNotWhole { .. } => "IMPORTANCE_NOT_WHOLE",
            Self::NotPublished { .. } => "NOT_PUBLISHED",
            Self::PresentationFlagged { .. } => "PRESENTATION_FLAGGED",
            Self::EndsBeforeStart { .. } => "ENDS_BEFORE_START",
            Self::NotPlanned { .. } => "NOT_PLANNED",
            Self::NotRunning { .. } => "NOT_RUNNING",
            Self::NotStarted { .. } => "NOT_STARTED",
            Self::ReversesReversal { .. } => "REVERSES_REVERSAL",
            Self::ReversalDiffers { .. } => "REVERSAL_DIFFERS",
            Self::OverReversed { .. } => "OVER_REVERSED",
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        let one = |name, value: &dyn fmt::Display| vec![(name, value.to_string())];
        match self {
            Self::Invalid(cause) => cause.metadata(),
            Self::NotFound(thing) | Self::AlreadyExists(thing) => thing.metadata(),
            Self::Limit { what, limit } => {
                vec![("what", (*what).to_owned()), ("limit", limit.to_string())]
            }
            Self::UnknownProposition | Self::UnknownOriginal | Self::Retired | Self::NoClaim => {
                vec![]
            }
            Self::UnknownProblem { problem_id, .. } => one("problem_id", problem_id),
            Self::UnknownBenefit { benefit_id, .. } => one("benefit_id", benefit_id),
            Self::UnknownPresentation {
                presentation_id, ..
            }
            | Self::PresentationFlagged { presentation_id } => {
                one("presentation_id", presentation_id)
            }
            Self::UnknownCampaign { campaign_id }
            | Self::CampaignRunning { campaign_id }
            | Self::NotStarted { campaign_id } => one("campaign_id", campaign_id),
            Self::NotDraft { state } | Self::NotPublished { state } => one("state", &state.name()),
            Self::Incomplete { missing } => one("missing", missing),
            Self::BenefitInUse {
                benefit_id,
                presentation_id,
            } => vec![
                ("benefit_id", benefit_id.to_string()),
                ("presentation_id", presentation_id.to_string()),
            ],
            Self::ImportanceNotWhole { sum } => one("sum", sum),
            Self::EndsBeforeStart { starts_at, ends_at } => vec![
                ("starts_at", starts_at.to_string()),
                ("ends_at", ends_at.to_string()),
            ],
            Self::NotPlanned { campaign_id, state } | Self::NotRunning { campaign_id, state } => {
                vec![
                    ("campaign_id", campaign_id.to_string()),
                    ("state", state.name().to_owned()),
                ]
            }
            Self::ReversesReversal { spend_id } | Self::ReversalDiffers { spend_id } => {
                one("spend_id", spend_id)
            }
            Self::OverReversed {
                spend_id,
                remaining,
            } => vec![
                ("spend_id", spend_id.to_string()),
                ("remaining", remaining.to_string()),
            ],
        }
    }
}
