//! Two prospects that are the same: one goes on, with the touches of both. Nothing is moved or deleted.
//!
//! A merge is the source's decision alone, and what it looks at of the other prospect never changes in a way
//! that could make it wrong: a prospect that is older stays older, and one that is converted stays so and is
//! never merged itself. So every step of a chain of merges leads to an older prospect or to a converted
//! one, at which it ends: there are no cycles, whatever happens at the same time.

use eventsourcing::Time;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Consent, Event, MAX_TOUCHPOINTS, Prospect, Refusal, State, Touchpoint};
use crate::id::TouchpointId;
use crate::input::When;

/// How many touches one event absorbs at most, so that the largest ones fit into a commit.
pub const TOUCHES_A_PART: usize = 150;

/// Record that a prospect is the same as another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// The prospect itself.
    pub id: Uuid,
    /// The other one, which goes on.
    pub into: Uuid,
    /// Where in its life the other one is.
    pub state: State,
    /// Whether the other one was erased.
    pub erased: bool,
    /// When the other one was created, if it was.
    pub created_at: Option<Time>,
    /// How many touches both have, with all that were merged into them.
    pub touches: u32,
    /// When they were found to be the same.
    pub when: When,
}

/// Take over the touches and the refusals of a prospect that was merged into this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absorb {
    /// That prospect.
    pub from: Uuid,
    /// Which part of it this is, from 1.
    pub part: u32,
    /// Of how many.
    pub parts: u32,
    /// Its touches, and those that it had absorbed itself.
    pub touches: Vec<AbsorbedTouch>,
    /// What it agreed to or refused.
    pub consents: Vec<Consent>,
    /// When they are taken over.
    pub when: When,
}

/// A touch of a prospect that was absorbed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsorbedTouch {
    /// Which one.
    pub key: AbsorbedKey,
    /// How and when it was.
    pub touchpoint: Touchpoint,
}

/// Touchpoints are unique within the prospect for which they were recorded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AbsorbedKey {
    /// The prospect for which it was recorded.
    pub from: Uuid,
    /// The touchpoint there.
    pub touchpoint_id: TouchpointId,
}

/// A touch that was absorbed, as it counts here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absorbed {
    /// How and when it was.
    pub touchpoint: Touchpoint,
    /// Whether it came after the conversion: then it never earns credit for it.
    pub after_conversion: bool,
}

impl Prospect {
    pub(super) fn merge(&self, command: &Merge) -> Result<Vec<Event>, Refusal> {
        if command.id == command.into {
            return Err(Refusal::MergeIntoItself);
        }
        self.must_exist_unmerged()?;
        if self.state == State::Converted {
            return Err(Refusal::AlreadyConverted);
        }
        let into = command.into;
        if command.erased {
            return Err(Refusal::TargetErased);
        }
        match command.state {
            State::Absent => return Err(Refusal::TargetNotFound),
            State::Merged { into: further } => {
                return Err(Refusal::TargetMerged { into: further });
            }
            State::Converted => {}
            State::Anonymous | State::Identified | State::Qualified | State::Closed => {
                let ours = self.origin.as_ref().map(|origin| origin.created_at);
                if (command.created_at, into) > (ours, command.id) {
                    return Err(Refusal::MergeIntoOlder);
                }
            }
        }
        let occurred_at = command.when.happened("occurred_at")?;
        if command.touches > MAX_TOUCHPOINTS {
            return Err(Refusal::Limit {
                what: "touchpoints",
                limit: MAX_TOUCHPOINTS as usize,
            });
        }
        Ok(vec![Event::Merged { into, occurred_at }])
    }

    pub(super) fn absorb(&self, command: Absorb) -> Result<Vec<Event>, Refusal> {
        self.must_exist_unmerged()?;
        let occurred_at = command.when.happened("occurred_at")?;
        let stricter = self.stricter(&command.consents);
        // A part may come twice: with its own prospect, and with another one that it went through.
        let new = |touch: &AbsorbedTouch| self.absorbed.get(&touch.key).is_none();
        let mut events = vec![Event::Absorbed {
            from: command.from,
            part: command.part,
            parts: command.parts,
            touches: command.touches.into_iter().filter(new).collect(),
            consents: command.consents,
            occurred_at,
        }];
        events.extend(stricter);
        Ok(events)
    }

    pub(super) fn add_absorbed(&mut self, touches: &[AbsorbedTouch]) {
        for touch in touches {
            let touchpoint = touch.touchpoint.clone();
            self.count_touch(touchpoint.occurred_at);
            let absorbed = Absorbed {
                touchpoint,
                after_conversion: self.conversion.is_some(),
            };
            self.absorbed.insert(touch.key.clone(), absorbed);
        }
    }
}
