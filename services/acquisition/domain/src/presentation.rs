//! A presentation: in which words, over which channel, a proposition's benefits are claimed.
//!
//! How a thing is presented is part of the thing, so it is never edited: another one is added. One whose
//! promises keep breaking is flagged, and no new campaign may use it until somebody clears the flag.

#[cfg(test)]
mod tests;

use eventsourcing::Time;
use serde::{Deserialize, Serialize};

use crate::id::PresentationId;
use crate::input::{MAX_LABEL, MAX_MESSAGE, When, optional, required};
use crate::promise::{Claim, MAX_PROMISES, WHOLE_IMPORTANCE};
use crate::proposition::{Proposition, Refusal, Thing};

/// How many presentations a proposition may have.
pub const MAX_PRESENTATIONS: usize = 200;

/// How many promises must have been assessed before a presentation is flagged.
pub const FLAG_AFTER_ASSESSED: u32 = 4;
/// A presentation is flagged when its kept rate is surely below this.
pub const FLAG_BELOW_KEPT_RATE: f64 = 0.80;

/// Whether a presentation is to be flagged: at least [`FLAG_AFTER_ASSESSED`] of its promises were
/// assessed, and even the upper bound of Wilson's 95 % interval of their kept rate (in 0..1) is below
/// [`FLAG_BELOW_KEPT_RATE`]. One kept of four has an upper bound of 0.699: it is.
pub fn flag_due(assessed: u32, kept_rate_upper: f64) -> bool {
    assessed >= FLAG_AFTER_ASSESSED && kept_rate_upper < FLAG_BELOW_KEPT_RATE
}

/// What is said, where, and what it leads people to expect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pitch {
    /// Over which channel it reaches people.
    pub channel: String,
    /// What it says.
    pub message: String,
    /// What it leads them to expect.
    pub claims: Vec<Claim>,
}

/// A presentation of a proposition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Presentation {
    /// What it says.
    pub pitch: Pitch,
    /// When it was added.
    pub added_at: Time,
    /// Its flag, if it is flagged.
    pub flag: Option<Flag>,
    /// How often a flag was cleared.
    pub clears: u32,
    /// When a flag was last cleared: only promises assessed later count towards a new one.
    pub cleared_at: Option<Time>,
}

/// The warning that a presentation's promises keep breaking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flag {
    /// Why it was flagged.
    pub cause: Cause,
    /// When it was flagged.
    pub flagged_at: Time,
}

/// Why a presentation is flagged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Cause {
    /// The promises made with it keep breaking.
    BrokenPromises {
        /// How many were kept.
        kept: u32,
        /// How many were broken, repaired ones included.
        broken: u32,
        /// The upper bound of Wilson's 95 % interval of the kept rate, in 0..1.
        kept_rate_upper: f64,
    },
    /// Somebody decided so.
    ByHand {
        /// Their words, if any.
        note: String,
    },
}

/// What somebody wants of a presentation.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Present the proposition in another way.
    Add {
        /// The id that the client chose.
        presentation_id: PresentationId,
        /// What it says.
        pitch: Pitch,
        /// When it was added.
        when: When,
    },
    /// Keep new campaigns from using it.
    Flag {
        /// Which presentation.
        presentation_id: PresentationId,
        /// Why.
        cause: Cause,
        /// When it was flagged.
        when: When,
    },
    /// Let new campaigns use it again.
    ClearFlag {
        /// Which presentation.
        presentation_id: PresentationId,
        /// What has changed.
        note: String,
        /// When the flag was cleared.
        when: When,
    },
}

/// What has happened to a presentation.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// It was added.
    Added {
        /// Which presentation.
        presentation_id: PresentationId,
        /// What it says.
        pitch: Pitch,
        /// When.
        occurred_at: Time,
    },
    /// It was flagged.
    Flagged {
        /// Which presentation.
        presentation_id: PresentationId,
        /// Why.
        cause: Cause,
        /// When.
        occurred_at: Time,
    },
    /// Its flag was cleared.
    FlagCleared {
        /// Which presentation.
        presentation_id: PresentationId,
        /// What has changed.
        note: String,
        /// When.
        occurred_at: Time,
    },
}

pub(crate) fn decide(proposition: &Proposition, command: Command) -> Result<Vec<Event>, Refusal> {
    proposition.must_exist()?;
    match command {
        Command::Add {
            presentation_id,
            pitch,
            when,
        } => add(proposition, presentation_id, pitch, when),
        Command::Flag {
            presentation_id,
            cause,
            when,
        } => flag(proposition, presentation_id, cause, when),
        Command::ClearFlag {
            presentation_id,
            note,
            when,
        } => clear_flag(proposition, presentation_id, note, when),
    }
}

pub(crate) fn evolve(proposition: &mut Proposition, event: &Event) {
    match event {
        Event::Added {
            presentation_id,
            pitch,
            occurred_at,
        } => {
            let presentation = Presentation {
                pitch: pitch.clone(),
                added_at: *occurred_at,
                flag: None,
                clears: 0,
                cleared_at: None,
            };
            let presentations = &mut proposition.presentations;
            presentations.insert(presentation_id.clone(), presentation);
        }
        Event::Flagged {
            presentation_id,
            cause,
            occurred_at,
        } => {
            if let Some(presentation) = proposition.presentations.get_mut(presentation_id) {
                presentation.flag = Some(Flag {
                    cause: cause.clone(),
                    flagged_at: *occurred_at,
                });
            }
        }
        Event::FlagCleared {
            presentation_id,
            occurred_at,
            ..
        } => {
            if let Some(presentation) = proposition.presentations.get_mut(presentation_id) {
                presentation.flag = None;
                presentation.clears = presentation.clears.saturating_add(1);
                presentation.cleared_at = Some(*occurred_at);
            }
        }
    }
}

fn add(
    proposition: &Proposition,
    presentation_id: PresentationId,
    pitch: Pitch,
    when: When,
) -> Result<Vec<Event>, Refusal> {
    if let Some(present) = proposition.presentations.get(&presentation_id) {
        let same = present.pitch == pitch && when.may_mean(present.added_at);
        return same
            .then(Vec::new)
            .ok_or(Refusal::AlreadyExists(Thing::Presentation(presentation_id)));
    }
    proposition.must_not_be_retired()?;
    let occurred_at = when.happened("occurred_at")?;
    check(proposition, &pitch)?;
    let count = proposition.presentations.len() + 1;
    Refusal::limit("presentations", count, MAX_PRESENTATIONS)?;
    Ok(vec![Event::Added {
        presentation_id,
        pitch,
        occurred_at,
    }])
}

fn check(proposition: &Proposition, pitch: &Pitch) -> Result<(), Refusal> {
    required("channel", &pitch.channel, MAX_LABEL)?;
    required("message", &pitch.message, MAX_MESSAGE)?;
    if pitch.claims.is_empty() {
        return Err(Refusal::NoClaim);
    }
    Refusal::limit("claims", pitch.claims.len(), MAX_PROMISES)?;
    for claim in &pitch.claims {
        claim.check()?;
        proposition
            .content
            .must_have_benefit("claims.benefit_id", &claim.benefit_id)?;
    }
    let sum = pitch.claims.iter().map(|claim| claim.importance).sum();
    if sum != WHOLE_IMPORTANCE {
        return Err(Refusal::ImportanceNotWhole { sum });
    }
    Ok(())
}

fn flag(
    proposition: &Proposition,
    presentation_id: PresentationId,
    cause: Cause,
    when: When,
) -> Result<Vec<Event>, Refusal> {
    let presentation = find(proposition, &presentation_id)?;
    let occurred_at = when.happened("occurred_at")?;
    if let Cause::ByHand { note } = &cause {
        optional("note", note, MAX_MESSAGE)?;
    }
    if presentation.flag.is_some() {
        return Ok(vec![]);
    }
    Ok(vec![Event::Flagged {
        presentation_id,
        cause,
        occurred_at,
    }])
}

fn clear_flag(
    proposition: &Proposition,
    presentation_id: PresentationId,
    note: String,
    when: When,
) -> Result<Vec<Event>, Refusal> {
    let presentation = find(proposition, &presentation_id)?;
    let occurred_at = when.happened("occurred_at")?;
    required("note", &note, MAX_MESSAGE)?;
    if presentation.flag.is_none() {
        return Ok(vec![]);
    }
    Ok(vec![Event::FlagCleared {
        presentation_id,
        note,
        occurred_at,
    }])
}

fn find<'a>(
    proposition: &'a Proposition,
    id: &PresentationId,
) -> Result<&'a Presentation, Refusal> {
    let found = proposition.presentations.get(id);
    found.ok_or_else(|| Refusal::NotFound(Thing::Presentation(id.clone())))
}
