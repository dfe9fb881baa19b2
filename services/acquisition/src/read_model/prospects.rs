//! Prospects: the state that decisions are taken on, and the touches beside it.

use acquisition_domain::id::TouchpointId;
use acquisition_domain::prospect::{Event, Prospect, Step, Touchpoint};
use eventsourcing::Aggregate as _;
use read_model::{Error, Rows, RowsMut, Table};
use uuid::Uuid;

const STATES: Table<Uuid, Prospect> = Table::new("prospect");
const TOUCHES: Table<(Uuid, String), Touchpoint> = Table::new("touch");

/// The state of a prospect, with the touches that are named.
pub(crate) fn load(rows: &dyn Rows, id: Uuid, touches: &[TouchpointId]) -> Result<Prospect, Error> {
    let mut state = STATES.get(rows, &id)?.unwrap_or_default();
    for touch in touches {
        if let Some(touchpoint) = TOUCHES.get(rows, &(id, touch.to_string()))? {
            state.touchpoints.load(touch.clone(), touchpoint);
        }
    }
    Ok(state)
}

/// A prospect, if it exists.
pub(crate) fn get(rows: &dyn Rows, id: Uuid) -> Result<Option<Prospect>, Error> {
    STATES.get(rows, &id)
}

/// Prospects by id, after the one given.
pub(crate) fn list(
    rows: &dyn Rows,
    after: Option<Uuid>,
    limit: usize,
) -> Result<Vec<(Uuid, Prospect)>, Error> {
    STATES.scan(rows, &(), after.as_ref(), limit)
}

/// One touch.
pub(crate) fn touch(
    rows: &dyn Rows,
    id: Uuid,
    touchpoint: &TouchpointId,
) -> Result<Option<Touchpoint>, Error> {
    TOUCHES.get(rows, &(id, touchpoint.to_string()))
}

/// All touches of a prospect, by id.
pub(crate) fn touches(rows: &dyn Rows, id: Uuid) -> Result<Vec<(String, Touchpoint)>, Error> {
    let found = TOUCHES.scan(rows, &(id,), None, usize::MAX)?;
    Ok(found
        .into_iter()
        .map(|((_, touch), touchpoint)| (touch, touchpoint))
        .collect())
}

/// All touches of a prospect, as a conversion wants them.
pub(crate) fn steps(rows: &dyn Rows, id: Uuid) -> Result<Vec<Step>, Error> {
    let touches = touches(rows, id)?.into_iter();
    Ok(touches
        .filter_map(|(touch, touchpoint)| {
            let touchpoint_id = touch.parse().ok()?;
            Some(Step {
                occurred_at: touchpoint.occurred_at,
                touchpoint_id,
            })
        })
        .collect())
}

/// Lets an event happen; the state after it.
pub(crate) fn apply(rows: &mut dyn RowsMut, id: Uuid, event: &Event) -> Result<Prospect, Error> {
    let mut state = load(rows, id, &event.parts())?;
    state.evolve(event);
    for (touch, touchpoint) in state.touchpoints.take_changes() {
        TOUCHES.put(rows, &(id, touch.to_string()), touchpoint)?;
    }
    STATES.put(rows, &id, &state)?;
    Ok(state)
}
