//! Who looks after a customer, and in which territory.

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use eventsourcing::Time;
use serde::{Deserialize, Serialize};

use crate::customer::{Customer, Event};
use crate::input::When;
use crate::refusal::Refusal;
use crate::text::Label;

/// How many characters the path of a territory may have.
pub const MAX_TERRITORY: usize = 200;

/// A territory: the path to it from the largest one that holds it, such as `EMEA/ES`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Territory(String);

/// A text that is no path of a territory. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a territory is a path such as EMEA/ES: parts of A-Z, 0-9, '_' and '-' joined by '/', \
     {MAX_TERRITORY} characters at most"
)]
pub struct IllFormedTerritory;

/// Who looks after a customer, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Who it is, as that person is called in the business.
    pub owner: Label,
    /// The territory, if the customer is in one.
    pub territory: Option<Territory>,
    /// Since when.
    pub effective_at: Time,
}

/// Says who looks after a customer from now on, or did since some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignOwner {
    /// Who it is.
    pub owner: Label,
    /// The territory, if the customer is in one.
    pub territory: Option<Territory>,
    /// Since when.
    pub when: When,
}

impl Territory {
    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is `whole` or a part of it: `EMEA/ES` lies in `EMEA`, `EMEAX` does not.
    pub fn lies_in(&self, whole: &Self) -> bool {
        let rest = self.0.strip_prefix(&whole.0);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl FromStr for Territory {
    type Err = IllFormedTerritory;

    fn from_str(text: &str) -> Result<Self, IllFormedTerritory> {
        let fits = |byte: u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-');
        let well_formed = |part: &str| !part.is_empty() && part.bytes().all(fits);
        (text.len() <= MAX_TERRITORY && text.split('/').all(well_formed))
            .then(|| Self(text.to_owned()))
            .ok_or(IllFormedTerritory)
    }
}

impl fmt::Display for Territory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Customer {
    pub(crate) fn assign_owner(&self, command: AssignOwner) -> Result<Vec<Event>, Refusal> {
        let AssignOwner {
            owner,
            territory,
            when,
        } = command;
        let relationship = self.opened()?;
        relationship.must_go_on()?;
        let present = relationship.assignment.as_ref();
        // What comes without a time follows the present assignment, whatever clock that came from.
        let earliest = present
            .filter(|_| when.occurred_at.is_none())
            .map_or(relationship.acquired_at, |present| present.effective_at);
        let given = when.occurred_at.is_some();
        let effective_at = when.happened_since("effective_at", earliest)?;
        // Somebody named again for a later day is news: what is told late of the days before does not undo it.
        let known = present.is_some_and(|present| {
            (&present.owner, &present.territory) == (&owner, &territory)
                && (!given || present.effective_at == effective_at)
        });
        if known {
            return Ok(vec![]);
        }
        Ok(vec![Event::OwnerAssigned(Assignment {
            owner,
            territory,
            effective_at,
        })])
    }

    /// The present assignment is the one that took effect last; of two at one moment, the one told last.
    pub(crate) fn owner_assigned(&mut self, assignment: &Assignment) {
        if let Some(relationship) = &mut self.relationship {
            let present = relationship.assignment.as_ref();
            if present.is_none_or(|present| present.effective_at <= assignment.effective_at) {
                relationship.assignment = Some(assignment.clone());
            }
        }
    }
}
