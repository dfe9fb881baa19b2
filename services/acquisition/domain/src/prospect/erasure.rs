//! A prospect is erased: who it is goes, what it did stays.
//!
//! The rule only forgets. That nobody can read what history holds is the work of the keys, which are destroyed
//! when this event stands; so a crash in between leaves something to do, and nothing undone.

use eventsourcing::Time;

use super::{Event, Prospect, Refusal, State};
use crate::input::When;

impl Prospect {
    pub(super) fn erase(&self, when: When) -> Result<Vec<Event>, Refusal> {
        if self.state == State::Absent {
            return Err(Refusal::NotFound);
        }
        if self.erased_at.is_some() {
            return Ok(vec![]);
        }
        let erased_at = when.happened("occurred_at")?;
        Ok(vec![Event::Erased { erased_at }])
    }

    /// The other service has no say in whether it is possible.
    pub(super) fn hear_erased(&self, erased_at: Time) -> Vec<Event> {
        if self.state == State::Absent || self.erased_at.is_some() {
            return vec![];
        }
        vec![Event::Erased { erased_at }]
    }

    pub(super) fn note_destroyed(&self, now: Time) -> Vec<Event> {
        if self.erased_at.is_none() || self.keys_destroyed {
            return vec![];
        }
        vec![Event::KeysDestroyed { destroyed_at: now }]
    }

    /// Refuses what would make somebody known again who was erased.
    pub(super) fn must_be_known(&self) -> Result<(), Refusal> {
        match self.erased_at {
            Some(_) => Err(Refusal::Erased),
            None => Ok(()),
        }
    }

    pub(super) fn forget(&mut self, erased_at: Time) {
        self.identities.clear();
        self.display_name = None;
        self.erased_at = Some(erased_at);
    }
}
