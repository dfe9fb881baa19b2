//! Prospects: the state that decisions are taken on, and the touches beside it.

use std::collections::{BTreeMap, HashSet};

use acquisition_domain::id::TouchpointId;
use acquisition_domain::prospect::{
    Absorbed, AbsorbedKey, AbsorbedTouch, Command, Event, Prospect, State, Step, Touchpoint,
};
use eventsourcing::{Aggregate as _, Time};
use read_model::{Error, Rows, RowsMut, Table};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const STATES: Table<Uuid, Prospect> = Table::new("prospect");
const BY_STATE: Table<(u32, Uuid), ()> = Table::new("prospect-in");
const TOUCHES: Table<(Uuid, String), Placed<Touchpoint>> = Table::new("touch");
const LATE: Table<(Uuid, String), ()> = Table::new("touch-late");
const ABSORBED: Table<(Uuid, Uuid, String), Placed<Absorbed>> = Table::new("absorbed");

/// A touch and its place among all of the prospect in the order of the journal, from 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Placed<T> {
    place: u32,
    touch: T,
}

/// The state of a prospect, with the touches that are named.
pub(crate) fn load(rows: &dyn Rows, id: Uuid, touches: &[TouchpointId]) -> Result<Prospect, Error> {
    let mut state = STATES.get(rows, &id)?.unwrap_or_default();
    for touch in touches {
        if let Some(placed) = TOUCHES.get(rows, &(id, touch.to_string()))? {
            state.touchpoints.load(touch.clone(), placed.touch);
        }
    }
    Ok(state)
}

/// The state of a prospect, with all that deciding about a command looks at.
pub(crate) fn load_for(rows: &dyn Rows, id: Uuid, command: &Command) -> Result<Prospect, Error> {
    let mut state = load(rows, id, &command.parts())?;
    for key in command.absorbed_parts() {
        if let Some(placed) = ABSORBED.get(rows, &absorbed_row(id, &key))? {
            state.absorbed.load(key, placed.touch);
        }
    }
    Ok(state)
}

/// A prospect, if it exists.
pub(crate) fn get(rows: &dyn Rows, id: Uuid) -> Result<Option<Prospect>, Error> {
    STATES.get(rows, &id)
}

/// Prospects by id, after the one given; of one state or of all.
pub(crate) fn list(
    rows: &dyn Rows,
    only: Option<StateNumber>,
    after: Option<Uuid>,
    limit: usize,
) -> Result<Vec<(Uuid, Prospect)>, Error> {
    let Some(StateNumber(number)) = only else {
        return STATES.scan(rows, &(), after.as_ref(), limit);
    };
    let after = after.map(|id| (number, id));
    let ids = BY_STATE.scan(rows, &(number,), after.as_ref(), limit)?;
    let mut found = Vec::with_capacity(ids.len());
    for ((_, id), ()) in ids {
        found.extend(STATES.get(rows, &id)?.map(|state| (id, state)));
    }
    Ok(found)
}

/// A state without what belongs to it, as a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StateNumber(u32);

impl From<State> for StateNumber {
    fn from(state: State) -> Self {
        Self(match state {
            State::Absent => 0,
            State::Anonymous => 1,
            State::Identified => 2,
            State::Qualified => 3,
            State::Converted => 4,
            State::Closed => 5,
            State::Merged { .. } => 6,
        })
    }
}

/// One touch.
pub(crate) fn touch(
    rows: &dyn Rows,
    id: Uuid,
    touchpoint: &TouchpointId,
) -> Result<Option<Touchpoint>, Error> {
    let found = TOUCHES.get(rows, &(id, touchpoint.to_string()))?;
    Ok(found.map(|placed| placed.touch))
}

/// A step of a journey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) touchpoint_id: String,
    pub(crate) touchpoint: Touchpoint,
    /// The prospect for which it was recorded, if that was absorbed.
    pub(crate) from: Option<Uuid>,
    /// Recorded after the conversion, about a time before it.
    pub(crate) late: bool,
    /// Absorbed after the conversion: it never earns credit.
    pub(crate) after_conversion: bool,
    /// Its place among all of the prospect in the order of the journal.
    pub(crate) place: u32,
}

impl Passed {
    /// In the order in which it happened. What happened at the same moment stays in the order of the journal, as
    /// where credit is divided.
    pub(crate) const fn order(&self) -> (Time, u32) {
        (self.touchpoint.occurred_at, self.place)
    }
}

/// The touches of a prospect and of all that it absorbed, in the order in which they happened.
pub(crate) fn journey(rows: &dyn Rows, id: Uuid) -> Result<Vec<Passed>, Error> {
    let late = LATE.scan(rows, &(id,), None, usize::MAX)?.into_iter();
    let late: HashSet<String> = late.map(|((_, touchpoint_id), ())| touchpoint_id).collect();
    let own = TOUCHES.scan(rows, &(id,), None, usize::MAX)?.into_iter();
    let mut journey: Vec<Passed> = own
        .map(|((_, touchpoint_id), placed)| Passed {
            late: late.contains(&touchpoint_id),
            touchpoint_id,
            touchpoint: placed.touch,
            from: None,
            after_conversion: false,
            place: placed.place,
        })
        .collect();
    let absorbed = ABSORBED.scan(rows, &(id,), None, usize::MAX)?.into_iter();
    journey.extend(absorbed.map(|((_, from, touchpoint_id), placed)| Passed {
        touchpoint_id,
        touchpoint: placed.touch.touchpoint,
        from: Some(from),
        late: false,
        after_conversion: placed.touch.after_conversion,
        place: placed.place,
    }));
    journey.sort_by_key(Passed::order);
    Ok(journey)
}

/// All touches that somebody who absorbs this prospect takes over, by key.
pub(crate) fn takeover(rows: &dyn Rows, id: Uuid) -> Result<Vec<AbsorbedTouch>, Error> {
    let journey = journey(rows, id)?.into_iter();
    let mut all: Vec<AbsorbedTouch> = journey
        .filter_map(|passed| {
            let key = AbsorbedKey {
                from: passed.from.unwrap_or(id),
                touchpoint_id: passed.touchpoint_id.parse().ok()?,
            };
            Some(AbsorbedTouch {
                key,
                touchpoint: passed.touchpoint,
            })
        })
        .collect();
    all.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(all)
}

/// All touches on a prospect's way, as a conversion wants them: of the same moment in the order of the journal.
pub(crate) fn steps(rows: &dyn Rows, id: Uuid) -> Result<Vec<Step>, Error> {
    let touches = journey(rows, id)?.into_iter();
    Ok(touches
        .filter_map(|passed| {
            Some(Step {
                occurred_at: passed.touchpoint.occurred_at,
                touchpoint_id: passed.touchpoint_id.parse().ok()?,
            })
        })
        .collect())
}

/// Lets an event happen; the state after it.
pub(crate) fn apply(rows: &mut dyn RowsMut, id: Uuid, event: &Event) -> Result<Prospect, Error> {
    let mut state = load(rows, id, &event.parts())?;
    let (before, converted) = (state.state, state.conversion.is_some());
    let place = state.touch_count;
    state.evolve(event);
    for (touch, touchpoint) in state.touchpoints.take_changes() {
        let key = (id, touch.to_string());
        let touch = touchpoint.clone();
        TOUCHES.put(rows, &key, &Placed { place, touch })?;
        if converted {
            LATE.put(rows, &key, &())?;
        }
    }
    let mut places: BTreeMap<&AbsorbedKey, u32> = BTreeMap::new();
    if let Event::Absorbed { touches, .. } = event {
        places.extend(touches.iter().map(|touch| &touch.key).zip(place..));
    }
    for (key, absorbed) in state.absorbed.take_changes() {
        let placed = Placed {
            place: places.get(&key).copied().unwrap_or(place),
            touch: absorbed.clone(),
        };
        ABSORBED.put(rows, &absorbed_row(id, &key), &placed)?;
    }
    let (StateNumber(before), StateNumber(now)) = (before.into(), state.state.into());
    if before != now {
        BY_STATE.delete(rows, &(before, id));
        BY_STATE.put(rows, &(now, id), &())?;
    }
    STATES.put(rows, &id, &state)?;
    Ok(state)
}

fn absorbed_row(id: Uuid, key: &AbsorbedKey) -> (Uuid, Uuid, String) {
    (id, key.from, key.touchpoint_id.to_string())
}
