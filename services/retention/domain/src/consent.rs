//! What a customer allows, purpose by purpose.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use eventsourcing::Time;
use serde::{Deserialize, Serialize};

use crate::customer::{Customer, Event};
use crate::input::When;
use crate::refusal::Refusal;
use crate::text::Label;

/// The purpose that lets the policies get in touch with a customer.
pub const CONTACT: &str = "contact";

/// For how many purposes a customer may be asked by this service. What acquisition has recorded has its own
/// limit there, and comes on top.
pub const MAX_PURPOSES: usize = 20;

/// What was said about a purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// It is allowed.
    Granted,
    /// It was never allowed.
    Denied,
    /// It is no longer allowed.
    Withdrawn,
}

/// What was said about a purpose, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// What was said.
    pub status: Status,
    /// When it was said.
    pub at: Time,
    /// Where that is written down, such as the number of a form.
    pub evidence: Option<Label>,
}

/// Takes note of what a customer said about a purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetConsent {
    /// The purpose.
    pub purpose: Label,
    /// What was said.
    pub status: Status,
    /// Where that is written down.
    pub evidence: Option<Label>,
    /// When it was said.
    pub when: When,
}

/// That something else is in force about a purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The purpose.
    pub purpose: Label,
    /// What is in force.
    pub consent: Consent,
}

/// The consent in force for each purpose about which something was said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Consents(BTreeMap<Label, Consent>);

impl Consents {
    /// Takes note of a consent. The later one is in force; of two at the same moment, the stricter.
    pub fn note(&mut self, purpose: Label, consent: Consent) {
        if self.changes_with(&purpose, &consent) {
            self.0.insert(purpose, consent);
        }
    }

    /// Whether this consent would be in force.
    pub fn changes_with(&self, purpose: &Label, consent: &Consent) -> bool {
        self.0.get(purpose).is_none_or(|in_force| {
            let stricter = consent.status != Status::Granted && in_force.status == Status::Granted;
            consent.at > in_force.at || (consent.at == in_force.at && stricter)
        })
    }

    /// Whether `purpose` is allowed. What nobody spoke of is not.
    pub fn allows(&self, purpose: &str) -> bool {
        self.iter()
            .any(|(known, consent)| known.as_str() == purpose && consent.status == Status::Granted)
    }

    /// The consents in force, by purpose.
    pub fn iter(&self) -> impl Iterator<Item = (&Label, &Consent)> {
        self.0.iter()
    }
}

impl Customer {
    pub(crate) fn set_consent(&self, command: SetConsent) -> Result<Vec<Event>, Refusal> {
        let SetConsent {
            purpose,
            status,
            evidence,
            when,
        } = command;
        let consents = &self.opened()?.consents;
        // What comes without a time is the last word so far, whatever clock that came from.
        let said = consents.0.get(&purpose).map(|consent| consent.at);
        let earliest = said.filter(|_| when.occurred_at.is_none());
        let earliest = earliest.unwrap_or(Time::from_micros(i64::MIN));
        let consent = Consent {
            status,
            at: when.happened_since("at", earliest)?,
            evidence,
        };
        if !consents.changes_with(&purpose, &consent) {
            return Ok(vec![]);
        }
        // Of a purpose that is known nothing is ever refused: who takes a consent back is heard.
        if said.is_none() && consents.0.len() >= MAX_PURPOSES {
            return Err(Refusal::Limit {
                what: "purposes of consent",
                limit: 20,
            });
        }
        Ok(vec![Event::ConsentChanged(Changed { purpose, consent })])
    }

    /// Takes over what acquisition has recorded and checked.
    pub(crate) fn hear_consent(&self, changed: Changed) -> Vec<Event> {
        let known = self.relationship.as_ref().map(|known| &known.consents);
        let changes =
            known.is_some_and(|known| known.changes_with(&changed.purpose, &changed.consent));
        Vec::from_iter(changes.then_some(Event::ConsentChanged(changed)))
    }

    pub(crate) fn consent_changed(&mut self, changed: &Changed) {
        if let Some(relationship) = &mut self.relationship {
            let Changed { purpose, consent } = changed.clone();
            relationship.consents.note(purpose, consent);
        }
    }
}

impl FromIterator<(Label, Consent)> for Consents {
    fn from_iter<I: IntoIterator<Item = (Label, Consent)>>(given: I) -> Self {
        let mut consents = Self::default();
        for (purpose, consent) in given {
            consents.note(purpose, consent);
        }
        consents
    }
}
