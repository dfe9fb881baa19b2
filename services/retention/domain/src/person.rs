//! Who a customer is, sealed; and that it is forgotten: who it was goes, what it did stays.
//!
//! No rule looks into a box. That nobody can read what history holds is the work of the keys, which are
//! destroyed when the erasure stands; so a crash in between leaves something to do, and nothing undone.

#[cfg(test)]
mod tests;

use eventsourcing::{Sealed, Time};
use serde::{Deserialize, Serialize};

use crate::action::Kind;
use crate::customer::{Customer, Event};
use crate::input::When;
use crate::refusal::Refusal;

/// How many identities a customer may have.
pub const MAX_IDENTITIES: usize = 100;

/// What an identity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

/// One thing that a customer is known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// What it is.
    pub kind: IdentityKind,
    /// The address, number or id.
    pub value: Sealed,
}

/// Who a customer is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Who {
    /// What it is known by.
    pub identities: Vec<Identity>,
    /// What people call it.
    pub display_name: Option<Sealed>,
}

/// That a customer is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Erasure {
    /// When that was asked for, if it was.
    pub erased_at: Option<Time>,
    /// Whether the keys of its personal data are known to be destroyed.
    pub keys_destroyed: bool,
}

impl Who {
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        if self.identities.len() > MAX_IDENTITIES {
            return Err(Refusal::Limit {
                what: "identities",
                limit: 100,
            });
        }
        Ok(())
    }
}

impl Customer {
    pub(crate) fn erase(&self, when: When) -> Result<Vec<Event>, Refusal> {
        let relationship = self.opened()?;
        if self.is_erased() {
            return Ok(vec![]);
        }
        let erased_at = when.happened_since("occurred_at", relationship.acquired_at)?;
        Ok(self.erased(erased_at, when.now))
    }

    /// Acquisition has no say in whether it is possible.
    pub(crate) fn hear_erased(&self, erased_at: Time, now: Time) -> Vec<Event> {
        if self.relationship.is_none() || self.is_erased() {
            return vec![];
        }
        self.erased(erased_at, now)
    }

    /// Nobody asks somebody back who wants to be forgotten.
    fn erased(&self, erased_at: Time, now: Time) -> Vec<Event> {
        std::iter::once(Event::Erased { erased_at })
            .chain(self.cancel_open(now, |kind| kind == Kind::WinBack))
            .collect()
    }

    pub(crate) fn note_destroyed(&self, now: Time) -> Vec<Event> {
        if !self.is_erased() || self.erasure.keys_destroyed {
            return vec![];
        }
        vec![Event::KeysDestroyed { destroyed_at: now }]
    }

    /// Whether it is forgotten who it was.
    pub fn is_erased(&self) -> bool {
        self.erasure.erased_at.is_some()
    }

    /// Refuses what would make somebody known, or ask somebody back, who was erased.
    pub(crate) fn must_be_known(&self) -> Result<(), Refusal> {
        if self.is_erased() {
            return Err(Refusal::Erased);
        }
        Ok(())
    }

    /// Refuses words about somebody who was erased.
    pub(crate) fn may_be_noted(&self, words: Option<&Sealed>) -> Result<(), Refusal> {
        words.map_or(Ok(()), |_| self.must_be_known())
    }

    pub(crate) fn forget(&mut self, erased_at: Time) {
        self.erasure.erased_at = Some(erased_at);
        if let Some(relationship) = &mut self.relationship {
            relationship.who = Who::default();
        }
    }
}
