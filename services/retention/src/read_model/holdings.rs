//! Who held which customer when, and how it stood with the customer then: added to, never changed.

use std::collections::BTreeSet;

use eventsourcing::Time;
use money::Currency;
use read_model::{Error, Rows, RowsMut, Table};
use retention_domain::Event;
use retention_domain::owner::Territory;
use retention_domain::relationship::State;
use runtime::Recorded;
use serde::{Deserialize, Serialize};
use server::Moment;
use uuid::Uuid;

/// Everybody whom an owner ever held.
const HELD: Table<(String, Uuid), ()> = Table::new("held");
/// Everybody who was ever in a territory.
const PLACED: Table<(String, Uuid), ()> = Table::new("placed");
const COURSES: Table<Uuid, Course> = Table::new("course");

/// The course of a relationship, in the order of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Course {
    currency: Currency,
    turns: Vec<Turn>,
}

/// Something that happened to a relationship.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Turn {
    at: Time,
    recorded: Recorded,
    to: To,
}

/// What it came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum To {
    State(State),
    Owner {
        owner: String,
        territory: Option<Territory>,
    },
}

/// How it stood with a customer at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) currency: Currency,
    pub(crate) state: State,
    pub(crate) owner: String,
    pub(crate) territory: Option<Territory>,
}

/// Everybody whom an owner ever held.
pub(crate) fn held(rows: &dyn Rows, owner: &str) -> Result<BTreeSet<Uuid>, Error> {
    let found = HELD.scan(rows, &(owner.to_owned(),), None, usize::MAX)?;
    Ok(found.into_iter().map(|((_, id), ())| id).collect())
}

/// Everybody who was ever in a territory or a part of it.
pub(crate) fn placed(rows: &dyn Rows, whole: &Territory) -> Result<BTreeSet<Uuid>, Error> {
    let itself = PLACED.scan(rows, &(whole.to_string(),), None, usize::MAX)?;
    // The paths below it begin with it and a slash; '0' is the character behind the slash.
    let below = |end: char| (format!("{whole}{end}"), Uuid::nil());
    let parts = PLACED.range(rows, &below('/'), &below('0'), usize::MAX)?;
    let found = itself.into_iter().chain(parts);
    Ok(found.map(|((_, id), ())| id).collect())
}

/// How it stood with a customer at a moment; nothing if it was none yet.
pub(crate) fn standing(
    rows: &dyn Rows,
    id: Uuid,
    moment: &Moment,
) -> Result<Option<Standing>, Error> {
    let Some(course) = COURSES.get(rows, &id)? else {
        return Ok(None);
    };
    let counts = |turn: &&Turn| moment.includes(turn.at, &turn.recorded);
    let mut state = None;
    let mut held: Option<(Time, String, Option<Territory>)> = None;
    for turn in course.turns.iter().filter(counts) {
        match &turn.to {
            To::State(to) => state = Some(*to),
            To::Owner { owner, territory } => {
                // An assignment that was told late does not undo one that took effect later.
                if held.as_ref().is_none_or(|(since, ..)| *since <= turn.at) {
                    held = Some((turn.at, owner.clone(), territory.clone()));
                }
            }
        }
    }
    let (owner, territory) = held
        .map(|(_, owner, territory)| (owner, territory))
        .unwrap_or_default();
    Ok(state.map(|state| Standing {
        currency: course.currency,
        state,
        owner,
        territory,
    }))
}

/// Lets an event happen, if it changes how it stands with the customer.
pub(crate) fn apply(
    rows: &mut dyn RowsMut,
    id: Uuid,
    event: &Event,
    recorded: Recorded,
) -> Result<(), Error> {
    let (at, to) = match event {
        Event::RelationshipOpened(opening) => {
            let opened = Turn {
                at: opening.acquired_at,
                recorded,
                to: To::State(State::Active),
            };
            let course = Course {
                currency: opening.currency,
                turns: vec![opened],
            };
            return COURSES.put(rows, &id, &course);
        }
        Event::NoticeGiven(notice) => (notice.notice_at, To::State(State::Leaving)),
        Event::NoticeWithdrawn { withdrawn_at } => (*withdrawn_at, To::State(State::Active)),
        Event::RelationshipLost(loss) => (loss.ended_at, To::State(State::Lost)),
        Event::RelationshipWonBack { won_back_at } => (*won_back_at, To::State(State::Active)),
        Event::OwnerAssigned(assignment) => {
            let (owner, territory) = (assignment.owner.to_string(), assignment.territory.clone());
            HELD.put(rows, &(owner.clone(), id), &())?;
            if let Some(territory) = &territory {
                PLACED.put(rows, &(territory.to_string(), id), &())?;
            }
            (assignment.effective_at, To::Owner { owner, territory })
        }
        _ => return Ok(()),
    };
    let Some(mut course) = COURSES.get(rows, &id)? else {
        return Ok(());
    };
    course.turns.push(Turn { at, recorded, to });
    COURSES.put(rows, &id, &course)
}
