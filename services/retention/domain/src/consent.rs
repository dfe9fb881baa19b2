//! What a customer allows, purpose by purpose.

use std::collections::BTreeMap;

use eventsourcing::Time;
use serde::{Deserialize, Serialize};

use crate::text::Label;

/// The purpose that lets the policies get in touch with a customer.
pub const CONTACT: &str = "contact";

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// What was said.
    pub status: Status,
    /// When it was said.
    pub at: Time,
}

/// The consent in force for each purpose about which something was said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Consents(BTreeMap<Label, Consent>);

impl Consents {
    /// Takes note of a consent. The later one is in force; of two at the same moment, the stricter.
    pub fn note(&mut self, purpose: Label, consent: Consent) {
        let in_force = self.0.entry(purpose).or_insert(consent);
        let stricter = consent.at == in_force.at && consent.status != Status::Granted;
        if consent.at > in_force.at || (stricter && in_force.status == Status::Granted) {
            *in_force = consent;
        }
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

impl FromIterator<(Label, Consent)> for Consents {
    fn from_iter<I: IntoIterator<Item = (Label, Consent)>>(given: I) -> Self {
        let mut consents = Self::default();
        for (purpose, consent) in given {
            consents.note(purpose, consent);
        }
        consents
    }
}

#[cfg(test)]
mod tests {
    use eventsourcing::Time;

    use super::{CONTACT, Consent, Consents, Status};

    /// The consents to contact that remain of these, said on days in this order.
    fn said(statements: &[(i64, Status)]) -> Consents {
        let consent = |&(day, status)| Consent {
            status,
            at: Time::from_days(day),
        };
        statements
            .iter()
            .map(|said| (CONTACT.parse().unwrap(), consent(said)))
            .collect()
    }

    #[test]
    fn what_nobody_spoke_of_is_not_allowed() {
        assert!(!said(&[]).allows(CONTACT));
        assert!(!said(&[(1, Status::Granted)]).allows("newsletter"));
    }

    #[test]
    fn the_consent_given_last_is_in_force_in_whatever_order_they_arrive() {
        assert!(said(&[(1, Status::Denied), (2, Status::Granted)]).allows(CONTACT));
        assert!(said(&[(2, Status::Granted), (1, Status::Withdrawn)]).allows(CONTACT));
        assert!(!said(&[(1, Status::Granted), (2, Status::Withdrawn)]).allows(CONTACT));
    }

    #[test]
    fn of_two_consents_at_the_same_moment_the_stricter_is_in_force() {
        assert!(!said(&[(1, Status::Granted), (1, Status::Withdrawn)]).allows(CONTACT));
        assert!(!said(&[(1, Status::Denied), (1, Status::Granted)]).allows(CONTACT));
    }
}
