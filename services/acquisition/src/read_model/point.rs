//! Touch points: what a touch, a spend or a conversion may be credited to.

use std::fmt;

use acquisition_domain::id::{CampaignName, PresentationId, PropositionId};
use serde::{Deserialize, Serialize};

/// What touch points are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dimension {
    Campaign,
    Presentation,
    Channel,
}

/// A presentation of any proposition, by its full name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct PresentationName {
    pub(crate) proposition_id: PropositionId,
    pub(crate) presentation_id: PresentationId,
}

impl fmt::Display for PresentationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "propositions/{}/presentations/{}",
            self.proposition_id, self.presentation_id
        )
    }
}

/// A touch point. Its text is the name by which reports and rows know it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Point {
    Campaign(CampaignName),
    Presentation(PresentationName),
    Channel(String),
}

impl Point {
    pub(crate) const fn dimension(&self) -> Dimension {
        match self {
            Self::Campaign(_) => Dimension::Campaign,
            Self::Presentation(_) => Dimension::Presentation,
            Self::Channel(_) => Dimension::Channel,
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Campaign(name) => name.fmt(f),
            Self::Presentation(name) => name.fmt(f),
            Self::Channel(channel) => channel.fmt(f),
        }
    }
}
