//! A proposition: which problems it solves, by which benefits, and how it differs. Draft, published, retired.
//!
//! It is the root of its presentations and campaigns, so that one decision can look at all of them.

mod content;
mod refusal;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use eventsourcing::{Aggregate, Parts, Time};
use serde::{Deserialize, Serialize};

use crate::campaign::{self, BookedSpend, Campaign, SpendKey};
use crate::id::{CampaignId, PresentationId};
use crate::input::When;
use crate::presentation::{self, Presentation};

pub use content::{
    Benefit, Content, Differentiator, Dimension, Level, MAX_BENEFITS, MAX_DIFFERENTIATORS,
    MAX_PROBLEMS, Nature, Problem,
};
pub use refusal::{Refusal, Thing};

/// Where in its life a proposition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum State {
    /// It does not exist.
    #[default]
    Absent,
    /// It may still be edited.
    Draft,
    /// Promises may refer to it, so it is no longer edited.
    Published,
    /// Nothing new starts with it.
    Retired,
}

impl State {
    /// The state's name as the contract writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Absent => "ABSENT",
            Self::Draft => "DRAFT",
            Self::Published => "PUBLISHED",
            Self::Retired => "RETIRED",
        }
    }
}

/// A proposition with its presentations and campaigns.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Proposition {
    /// Where in its life it is.
    pub state: State,
    /// When it was drafted.
    pub drafted_at: Option<Time>,
    /// How often its content was written: 1 for the first draft.
    pub revision: u32,
    /// What it says.
    pub content: Content,
    /// How it is presented.
    pub presentations: BTreeMap<PresentationId, Presentation>,
    /// Which campaigns show the presentations.
    pub campaigns: BTreeMap<CampaignId, Campaign>,
    /// What was spent on the campaigns; only the spends in question are loaded.
    #[serde(skip)]
    pub spends: Parts<SpendKey, BookedSpend>,
}

/// What somebody wants of a proposition.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Draft a proposition.
    Create {
        /// What it says.
        content: Content,
        /// When it was drafted.
        when: When,
    },
    /// Write a draft's content anew.
    Update {
        /// What it says from now on, all of it.
        content: Content,
        /// When it was revised.
        when: When,
    },
    /// Make it public: from then on promises may refer to it.
    Publish {
        /// When it was published.
        when: When,
    },
    /// Start nothing new with it.
    Retire {
        /// When it was retired.
        when: When,
    },
    /// Something about one of its presentations.
    Presentation(presentation::Command),
    /// Something about one of its campaigns.
    Campaign(campaign::Command),
}

/// What has happened to a proposition.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// It was drafted.
    Drafted {
        /// What it says.
        content: Content,
        /// When.
        occurred_at: Time,
    },
    /// Its content was written anew.
    Revised {
        /// What it says now, all of it.
        content: Content,
        /// How often its content was written, this time included.
        revision: u32,
        /// When.
        occurred_at: Time,
    },
    /// It was published.
    Published {
        /// Which revision of its content.
        revision: u32,
        /// When.
        occurred_at: Time,
    },
    /// It was retired.
    Retired {
        /// When.
        occurred_at: Time,
    },
    /// Something happened to one of its presentations.
    Presentation(presentation::Event),
    /// Something happened to one of its campaigns.
    Campaign(campaign::Event),
}

impl Command {
    /// The spends that deciding about it looks at: load those of them that exist.
    pub fn parts(&self) -> Vec<SpendKey> {
        match self {
            Self::Create { .. }
            | Self::Update { .. }
            | Self::Publish { .. }
            | Self::Retire { .. }
            | Self::Presentation(_) => vec![],
            Self::Campaign(command) => command.parts(),
        }
    }
}

impl Event {
    /// The spends that evolving by it changes: load those of them that exist.
    pub fn parts(&self) -> Vec<SpendKey> {
        match self {
            Self::Drafted { .. }
            | Self::Revised { .. }
            | Self::Published { .. }
            | Self::Retired { .. }
            | Self::Presentation(_) => vec![],
            Self::Campaign(event) => event.parts(),
        }
    }
}

impl Aggregate for Proposition {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, command: Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Create { content, when } => self.create(content, when),
            Command::Update { content, when } => self.update(content, when),
            Command::Publish { when } => self.publish(when),
            Command::Retire { when } => self.retire(when),
            Command::Presentation(command) => {
                let events = presentation::decide(self, command)?;
                Ok(events.into_iter().map(Event::Presentation).collect())
            }
            Command::Campaign(command) => {
                let events = campaign::decide(self, command)?;
                Ok(events.into_iter().map(Event::Campaign).collect())
            }
        }
    }

    fn evolve(&mut self, event: &Event) {
        match event {
            Event::Drafted {
                content,
                occurred_at,
            } => {
                self.state = State::Draft;
                self.drafted_at = Some(*occurred_at);
                self.revision = 1;
                self.content = content.clone();
            }
            Event::Revised {
                content, revision, ..
            } => {
                self.revision = *revision;
                self.content = content.clone();
            }
            Event::Published { .. } => self.state = State::Published,
            Event::Retired { .. } => self.state = State::Retired,
            Event::Presentation(event) => presentation::evolve(self, event),
            Event::Campaign(event) => campaign::evolve(self, event),
        }
    }
}

impl Proposition {
    fn create(&self, content: Content, when: When) -> Result<Vec<Event>, Refusal> {
        let occurred_at = when.happened("occurred_at")?;
        if self.state != State::Absent {
            let meant = self.drafted_at.is_none_or(|at| when.may_mean(at));
            return (meant && self.content == content)
                .then(Vec::new)
                .ok_or(Refusal::AlreadyExists(Thing::Proposition));
        }
        content.check()?;
        Ok(vec![Event::Drafted {
            content,
            occurred_at,
        }])
    }

    fn update(&self, content: Content, when: When) -> Result<Vec<Event>, Refusal> {
        self.must_be_draft()?;
        let occurred_at = when.happened("occurred_at")?;
        if self.content == content {
            return Ok(vec![]);
        }
        content.check()?;
        self.must_keep_claimed_benefits(&content)?;
        Ok(vec![Event::Revised {
            content,
            revision: self.revision.saturating_add(1),
            occurred_at,
        }])
    }

    fn publish(&self, when: When) -> Result<Vec<Event>, Refusal> {
        self.must_be_draft()?;
        let occurred_at = when.happened("occurred_at")?;
        if self.content.problems.is_empty() {
            return Err(Refusal::Incomplete { missing: "problem" });
        }
        if self.content.benefits.is_empty() {
            return Err(Refusal::Incomplete { missing: "benefit" });
        }
        Ok(vec![Event::Published {
            revision: self.revision,
            occurred_at,
        }])
    }

    fn retire(&self, when: When) -> Result<Vec<Event>, Refusal> {
        self.must_not_be_retired()?;
        let occurred_at = when.happened("occurred_at")?;
        let mut campaigns = self.campaigns.iter();
        match campaigns.find(|(_, campaign)| campaign.state == campaign::State::Running) {
            Some((campaign_id, _)) => Err(Refusal::CampaignRunning {
                campaign_id: campaign_id.clone(),
            }),
            None => Ok(vec![Event::Retired { occurred_at }]),
        }
    }

    pub(crate) fn must_exist(&self) -> Result<(), Refusal> {
        match self.state {
            State::Absent => Err(Refusal::NotFound(Thing::Proposition)),
            State::Draft | State::Published | State::Retired => Ok(()),
        }
    }

    pub(crate) fn must_not_be_retired(&self) -> Result<(), Refusal> {
        self.must_exist()?;
        match self.state {
            State::Retired => Err(Refusal::Retired),
            State::Absent | State::Draft | State::Published => Ok(()),
        }
    }

    fn must_be_draft(&self) -> Result<(), Refusal> {
        self.must_exist()?;
        match self.state {
            State::Draft => Ok(()),
            State::Absent | State::Published | State::Retired => {
                Err(Refusal::NotDraft { state: self.state })
            }
        }
    }

    fn must_keep_claimed_benefits(&self, content: &Content) -> Result<(), Refusal> {
        for (presentation_id, presentation) in &self.presentations {
            for claim in &presentation.pitch.claims {
                if !content.has_benefit(&claim.benefit_id) {
                    return Err(Refusal::BenefitInUse {
                        benefit_id: claim.benefit_id.clone(),
                        presentation_id: presentation_id.clone(),
                    });
                }
            }
        }
        Ok(())
    }
}
