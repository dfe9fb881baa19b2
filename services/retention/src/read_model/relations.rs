//! Everything that follows from an event for who looks after customers: margins, holdings, lists, work.

use read_model::{Error, RowsMut};
use retention_domain::Event;
use runtime::Recorded;
use uuid::Uuid;

use super::{customers, holdings, listing, margins, work};

/// Lets an event happen, after it has happened to the customer's state.
pub(crate) fn apply(
    rows: &mut dyn RowsMut,
    id: Uuid,
    event: &Event,
    recorded: Recorded,
) -> Result<(), Error> {
    // First of all, so that what was left just now is not counted twice.
    work::bring_up(rows, recorded)?;
    if let Some(margin) = margins::apply(rows, id, event, recorded)? {
        // Money changes what is at stake and nothing else of these, and there is much of it.
        work::left(rows, id, &margin, recorded)?;
        return work::moved(rows, id, recorded);
    }
    holdings::apply(rows, id, event, recorded)?;
    let Some(state) = customers::get(rows, id)? else {
        return Ok(());
    };
    listing::changed(rows, id, &state)?;
    work::changed(rows, id, &state, recorded)?;
    work::moved(rows, id, recorded)
}
