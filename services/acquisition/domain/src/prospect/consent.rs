//! What somebody agreed to, purpose by purpose: the later word counts, and of two at once the stricter.

use std::collections::BTreeMap;

use eventsourcing::Time;
use serde::{Deserialize, Serialize};

use super::{Event, Prospect, Refusal, State};
use crate::input::{MAX_LABEL, When, distinct, optional, required};

/// For how many purposes somebody may consent or not.
pub const MAX_CONSENTS: usize = 20;

/// What was said about a purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConsentStatus {
    /// Yes.
    Granted,
    /// No.
    Denied,
    /// Not any more.
    Withdrawn,
}

impl ConsentStatus {
    /// Whether it forbids what the other one allows. No and not any more are equally strict.
    pub const fn is_stricter_than(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Denied | Self::Withdrawn, Self::Granted)
        )
    }
}

/// What somebody said about one purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The purpose in one word; the policies read `contact`.
    pub purpose: String,
    /// What was said.
    pub status: ConsentStatus,
    /// When it was said.
    pub at: Time,
    /// Where that is written down, such as a document number; not personal.
    pub evidence: String,
}

impl Consent {
    /// Whether this word counts where `other` counted so far.
    pub fn wins_over(&self, other: &Self) -> bool {
        let at_once = self.at == other.at;
        self.at > other.at || (at_once && self.status.is_stricter_than(other.status))
    }
}

impl Prospect {
    pub(super) fn set_consent(&self, consent: Consent, now: Time) -> Result<Vec<Event>, Refusal> {
        self.must_exist_unmerged()?;
        check(std::slice::from_ref(&consent), now)?;
        self.room_for(std::slice::from_ref(&consent))?;
        self.hear_consent(consent)
    }

    /// What counts with what is said now. Only new purposes are limited: whoever has more of them, through merges
    /// or from the other service, must still be able to take back a yes.
    pub(super) fn room_for(&self, said: &[Consent]) -> Result<BTreeMap<String, Consent>, Refusal> {
        let merged = merged(&self.consents, said);
        if merged.len() > self.consents.len() {
            within_limit(merged.len())?;
        }
        Ok(merged)
    }

    /// Takes over what the other service has recorded and checked.
    pub(super) fn hear_consent(&self, consent: Consent) -> Result<Vec<Event>, Refusal> {
        self.must_exist_unmerged()?;
        let known = self.consents.get(&consent.purpose);
        let wins = known.is_none_or(|known| consent.wins_over(known));
        Ok(Vec::from_iter(
            wins.then_some(Event::ConsentChanged { consent }),
        ))
    }

    /// What has to change here so that nothing is allowed that a prospect absorbed into this one forbade.
    /// Its no counts from the moment of the yes that it replaces on, if that was later.
    pub(super) fn stricter(&self, absorbed: &[Consent]) -> Vec<Event> {
        let stricter = absorbed.iter().filter_map(|theirs| {
            let allowed = ConsentStatus::Granted;
            let ours = self.consents.get(&theirs.purpose);
            let (status, at) = ours.map_or((allowed, theirs.at), |ours| (ours.status, ours.at));
            theirs.status.is_stricter_than(status).then(|| Consent {
                at: theirs.at.max(at),
                ..theirs.clone()
            })
        });
        stricter
            .map(|consent| Event::ConsentChanged { consent })
            .collect()
    }

    pub(super) fn must_exist_unmerged(&self) -> Result<(), Refusal> {
        match self.state {
            State::Absent => Err(Refusal::NotFound),
            State::Merged { into } => Err(Refusal::Merged { into }),
            State::Anonymous
            | State::Identified
            | State::Qualified
            | State::Converted
            | State::Closed => Ok(()),
        }
    }
}

/// What counts of both, by purpose.
pub(super) fn merged(
    known: &BTreeMap<String, Consent>,
    said: &[Consent],
) -> BTreeMap<String, Consent> {
    let mut all = known.clone();
    for consent in said {
        let known = all.get(&consent.purpose);
        if known.is_none_or(|known| consent.wins_over(known)) {
            all.insert(consent.purpose.clone(), consent.clone());
        }
    }
    all
}

/// Whether each field is what it must be, and each purpose is named once.
pub(super) fn check(consents: &[Consent], now: Time) -> Result<(), Refusal> {
    within_limit(consents.len())?;
    distinct(
        "consents.purpose",
        consents.iter().map(|consent| &consent.purpose),
    )?;
    for consent in consents {
        required("consents.purpose", &consent.purpose, MAX_LABEL)?;
        optional("consents.evidence", &consent.evidence, MAX_LABEL)?;
        let said = When {
            now,
            occurred_at: Some(consent.at),
        };
        said.happened("consents.at")?;
    }
    Ok(())
}

/// Refuses consents for too many purposes.
fn within_limit(purposes: usize) -> Result<(), Refusal> {
    if purposes > MAX_CONSENTS {
        return Err(Refusal::Limit {
            what: "consents",
            limit: MAX_CONSENTS,
        });
    }
    Ok(())
}
