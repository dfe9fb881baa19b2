//! What a prospect is known by. It is sealed: the edge opens and compares, the rules rest on its verdict.

use eventsourcing::Sealed;
use serde::{Deserialize, Serialize};

use super::{Event, Prospect, Refusal, State};
use crate::input::{Invalid, When};

/// How many identities a prospect may have.
pub const MAX_IDENTITIES: usize = 100;

/// What an identity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum IdentityKind {
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// The id in another system.
    ExternalId,
    /// A mark of a device.
    Cookie,
}

impl IdentityKind {
    /// The kind as the contract writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "EMAIL",
            Self::Phone => "PHONE",
            Self::ExternalId => "EXTERNAL_ID",
            Self::Cookie => "COOKIE",
        }
    }

    /// Whether a prospect has at most one of this kind.
    pub const fn is_unique(self) -> bool {
        match self {
            Self::Email | Self::ExternalId => true,
            Self::Phone | Self::Cookie => false,
        }
    }
}

/// One thing that a prospect is known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// What it is.
    pub kind: IdentityKind,
    /// The address, number or id.
    pub value: Sealed,
}

/// What the edge found when it compared a value with those that the prospect has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is one of them, or stands earlier in the same command.
    Same,
    /// It is none of them, or there are none.
    Other,
}

/// An identity that somebody claims for a prospect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// What it is and says.
    pub identity: Identity,
    /// How it compares with the values of its kind.
    pub verdict: Verdict,
}

/// A name that somebody gives a prospect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub display_name: Sealed,
    /// How it compares with the name that the prospect has.
    pub verdict: Verdict,
}

/// Record who a prospect is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identify {
    /// What it is known by.
    pub identities: Vec<Claimed>,
    /// What people call it, if that was said.
    pub name: Option<Named>,
    /// When that became known.
    pub when: When,
}

impl Prospect {
    pub(super) fn identify(&self, command: Identify) -> Result<Vec<Event>, Refusal> {
        self.must_exist_unmerged()?;
        self.must_be_known()?;
        if command.identities.is_empty() && command.name.is_none() {
            let field = "identities";
            return Err(Invalid::Missing { field }.into());
        }
        let occurred_at = command.when.happened("occurred_at")?;
        let other = |verdict| verdict == Verdict::Other;
        let mut identities: Vec<Identity> = Vec::new();
        for claimed in command.identities {
            if other(claimed.verdict) {
                let kind = claimed.identity.kind;
                let mut known = self.identities.iter().chain(&identities);
                if kind.is_unique() && known.any(|identity| identity.kind == kind) {
                    return Err(Refusal::IdentityConflict { kind });
                }
                identities.push(claimed.identity);
            }
        }
        if self.identities.len() + identities.len() > MAX_IDENTITIES {
            return Err(Refusal::Limit {
                what: "identities",
                limit: MAX_IDENTITIES,
            });
        }
        let name = command.name.filter(|name| other(name.verdict));
        let display_name = name.map(|name| name.display_name);
        if identities.is_empty() && display_name.is_none() {
            return Ok(vec![]);
        }
        Ok(vec![Event::Identified {
            identities,
            display_name,
            occurred_at,
        }])
    }

    pub(super) fn become_known(&mut self, identities: &[Identity], display_name: Option<&Sealed>) {
        self.identities.extend_from_slice(identities);
        if let Some(display_name) = display_name {
            self.display_name = Some(display_name.clone());
        }
        if self.state == State::Anonymous {
            self.state = State::Identified;
        }
    }
}
