//! A prospect: somebody who may become a customer, from the first touchpoint to the conversion.

mod command;
mod consent;
mod conversion;
mod erasure;
mod event;
mod identity;
mod merging;
mod refusal;
#[cfg(test)]
mod tests;
mod touchpoint;

use std::collections::BTreeMap;

use eventsourcing::{Aggregate, Parts, Sealed, Time};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::id::{ProblemId, PropositionId, TouchpointId};
use crate::input::{Invalid, MAX_LABEL, When, optional, required};

pub use command::Command;
pub use consent::{Consent, ConsentStatus, MAX_CONSENTS};
pub use conversion::{Conversion, Convert, FirstPurchase, MAX_PATH, Step};
pub use event::Event;
pub use identity::{Claimed, Identify, Identity, IdentityKind, MAX_IDENTITIES, Named, Verdict};
pub use merging::{Absorb, Absorbed, AbsorbedKey, AbsorbedTouch, Merge, TOUCHES_A_PART};
pub use refusal::{Refusal, Thing};
pub use touchpoint::{MAX_TOUCHPOINTS, Touch, TouchKind, Touchpoint, Utm};

/// Where in its life a prospect is. Earlier states may be skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum State {
    /// It does not exist.
    #[default]
    Absent,
    /// Nobody knows who it is.
    Anonymous,
    /// It has an identity.
    Identified,
    /// It has a problem that a proposition solves.
    Qualified,
    /// It has become a customer.
    Converted,
    /// It will not become a customer, for now.
    Closed,
    /// It is the same as another prospect.
    Merged {
        /// That other prospect.
        into: Uuid,
    },
}

/// Whether a prospect is one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// One person.
    Person,
    /// A company or another body.
    Organisation,
}

/// Where a prospect comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Whether it is one person.
    pub kind: Kind,
    /// Where it was first heard of, such as a list, a form or a fair.
    pub source: String,
    /// When it was created.
    pub created_at: Time,
}

/// The problem for which a prospect wants a proposition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Qualification {
    /// Which proposition.
    pub proposition_id: PropositionId,
    /// Which of its problems.
    pub problem_id: ProblemId,
}

/// Why a prospect will not become a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CloseReason {
    /// It does not have the problem.
    NoNeed,
    /// It cannot pay.
    NoBudget,
    /// It never decided.
    NoDecision,
    /// It chose a competitor.
    LostToCompetitor,
    /// It does not answer.
    Unreachable,
    /// It is recorded twice.
    Duplicate,
    /// Something else, told in a note.
    Other,
}

/// That, and why, a prospect will not become a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// Why.
    pub reason: CloseReason,
    /// The competitor that was chosen, if one was.
    pub competitor: Option<String>,
}

/// A prospect.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Prospect {
    /// Where in its life it is.
    pub state: State,
    /// Where it comes from; present in every state but absent.
    pub origin: Option<Origin>,
    /// What it was last qualified for.
    pub qualification: Option<Qualification>,
    /// How it became a customer.
    pub conversion: Option<Conversion>,
    /// Why it will not become a customer.
    pub closing: Option<Closing>,
    /// How many touchpoints it has, with those that were absorbed.
    pub touch_count: u32,
    /// When the earliest of them happened.
    pub first_touch_at: Option<Time>,
    /// What it is known by, sealed, in the order in which it became known.
    pub identities: Vec<Identity>,
    /// What people call it, sealed.
    pub display_name: Option<Sealed>,
    /// What somebody noted when it was closed, sealed.
    pub note: Option<Sealed>,
    /// When who it is was forgotten.
    pub erased_at: Option<Time>,
    /// Whether the keys of its personal data are known to be destroyed.
    pub keys_destroyed: bool,
    /// What it agreed to or refused, by purpose.
    pub consents: BTreeMap<String, Consent>,
    /// Its touchpoints; only those in question are loaded.
    #[serde(skip)]
    pub touchpoints: Parts<TouchpointId, Touchpoint>,
    /// The touchpoints of all absorbed into it; only those in question are loaded.
    #[serde(skip)]
    pub absorbed: Parts<AbsorbedKey, Absorbed>,
}

impl Aggregate for Prospect {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, command: Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Create { kind, source, when } => self.create(kind, source, when),
            Command::RecordTouchpoint {
                touchpoint_id,
                touch,
                when,
            } => self.record_touchpoint(touchpoint_id, touch, when),
            Command::Qualify {
                qualification,
                when,
            } => self.qualify(qualification, when),
            Command::Convert(command) => self.convert(command),
            Command::Close {
                closing,
                note,
                when,
            } => self.close(closing, note, when),
            Command::Identify(command) => self.identify(command),
            Command::Reopen { when } => self.reopen(when),
            Command::Merge(command) => self.merge(&command),
            Command::Absorb(command) => self.absorb(command),
            Command::SetConsent { consent, now } => self.set_consent(consent, now),
            Command::HearConsent { consent } => self.hear_consent(consent),
            Command::Erase { when } => self.erase(when),
            Command::HearErased { erased_at } => Ok(self.hear_erased(erased_at)),
            Command::NoteDestroyed { now } => Ok(self.note_destroyed(now)),
        }
    }

    fn evolve(&mut self, event: &Event) {
        match event {
            Event::Created { origin } => {
                self.state = State::Anonymous;
                self.origin = Some(origin.clone());
            }
            Event::TouchpointRecorded {
                touchpoint_id,
                touchpoint,
            } => self.add_touchpoint(touchpoint_id, touchpoint),
            Event::Qualified { qualification, .. } => {
                self.state = State::Qualified;
                self.qualification = Some(qualification.clone());
            }
            Event::Converted { conversion, .. } => {
                self.state = State::Converted;
                self.conversion = Some((**conversion).clone());
                self.consents = consent::merged(&self.consents, &conversion.consents);
            }
            Event::Closed { closing, note, .. } => {
                self.state = State::Closed;
                self.closing = Some(closing.clone());
                self.note.clone_from(note);
            }
            Event::Identified {
                identities,
                display_name,
                ..
            } => self.become_known(identities, display_name.as_ref()),
            Event::Reopened { .. } => {
                self.state = self.open_state();
                self.closing = None;
                self.note = None;
            }
            Event::Merged { into, .. } => self.state = State::Merged { into: *into },
            Event::Absorbed { touches, .. } => self.add_absorbed(touches),
            Event::ConsentChanged { consent } => {
                let purpose = consent.purpose.clone();
                self.consents.insert(purpose, consent.clone());
            }
            Event::Erased { erased_at } => self.forget(*erased_at),
            Event::KeysDestroyed { .. } => self.keys_destroyed = true,
        }
    }
}

impl Prospect {
    fn create(&self, kind: Kind, source: String, when: When) -> Result<Vec<Event>, Refusal> {
        if let Some(origin) = &self.origin {
            let same = origin.kind == kind && origin.source == source;
            return (same && when.may_mean(origin.created_at))
                .then(Vec::new)
                .ok_or(Refusal::AlreadyExists(Thing::Prospect));
        }
        let created_at = when.happened("occurred_at")?;
        required("source", &source, MAX_LABEL)?;
        Ok(vec![Event::Created {
            origin: Origin {
                kind,
                source,
                created_at,
            },
        }])
    }

    fn qualify(&self, qualification: Qualification, when: When) -> Result<Vec<Event>, Refusal> {
        self.must_be_open()?;
        let occurred_at = when.happened("occurred_at")?;
        let same = self.qualification.as_ref() == Some(&qualification);
        if same && self.state == State::Qualified {
            return Ok(vec![]);
        }
        Ok(vec![Event::Qualified {
            qualification,
            occurred_at,
        }])
    }

    fn close(
        &self,
        closing: Closing,
        note: Option<Sealed>,
        when: When,
    ) -> Result<Vec<Event>, Refusal> {
        self.must_be_open()?;
        if note.is_some() {
            self.must_be_known()?;
        }
        let occurred_at = when.happened("occurred_at")?;
        let competitor = closing.competitor.as_deref().unwrap_or_default();
        match closing.reason {
            CloseReason::LostToCompetitor => required("competitor", competitor, MAX_LABEL)?,
            CloseReason::Other if note.is_none() => {
                return Err(Invalid::Missing { field: "note" }.into());
            }
            CloseReason::NoNeed
            | CloseReason::NoBudget
            | CloseReason::NoDecision
            | CloseReason::Unreachable
            | CloseReason::Duplicate
            | CloseReason::Other => optional("competitor", competitor, MAX_LABEL)?,
        }
        Ok(vec![Event::Closed {
            closing,
            note,
            occurred_at,
        }])
    }

    fn reopen(&self, when: When) -> Result<Vec<Event>, Refusal> {
        self.must_exist_unmerged()?;
        if self.state != State::Closed {
            return Err(Refusal::NotClosed);
        }
        let occurred_at = when.happened("occurred_at")?;
        Ok(vec![Event::Reopened { occurred_at }])
    }

    /// How far it has come while it is open.
    fn open_state(&self) -> State {
        if self.qualification.is_some() {
            State::Qualified
        } else if self.identities.is_empty() && self.display_name.is_none() {
            State::Anonymous
        } else {
            State::Identified
        }
    }

    /// Refuses a prospect that does not exist, has become a customer, is closed or merged.
    fn must_be_open(&self) -> Result<(), Refusal> {
        match self.state {
            State::Absent => Err(Refusal::NotFound),
            State::Anonymous | State::Identified | State::Qualified => Ok(()),
            State::Converted => Err(Refusal::AlreadyConverted),
            State::Closed => Err(Refusal::Closed),
            State::Merged { into } => Err(Refusal::Merged { into }),
        }
    }
}
