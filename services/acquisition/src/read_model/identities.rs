//! Whose identities changed, in the order of the journal: what the index of identities is built from.
//!
//! The rows name prospects and nothing of who they are; that is in the prospect's own row, sealed.

use acquisition_domain::prospect::Event;
use read_model::{Error, Rows, RowsMut, Table};
use runtime::Fact;
use uuid::Uuid;

/// A place in the journal: partition, offset, index in the commit.
pub(crate) type Place = (u32, u64, u32);

const IDENTIFIED: Table<Place, Uuid> = Table::new("identified");

/// Changes of a partition behind a place, at most `limit`.
pub(crate) fn changes(
    rows: &dyn Rows,
    partition: u32,
    after: Option<&Place>,
    limit: usize,
) -> Result<Vec<(Place, Uuid)>, Error> {
    IDENTIFIED.scan(rows, &(partition,), after, limit)
}

/// Lets an event of a prospect happen.
pub(crate) fn apply(
    rows: &mut dyn RowsMut,
    id: Uuid,
    fact: &Fact<'_>,
    event: &Event,
) -> Result<(), Error> {
    match event {
        Event::Identified { .. } | Event::Erased { .. } => {
            let place = (fact.partition, fact.offset, fact.index);
            IDENTIFIED.put(rows, &place, &id)
        }
        Event::Created { .. }
        | Event::TouchpointRecorded { .. }
        | Event::Qualified { .. }
        | Event::Converted { .. }
        | Event::Closed { .. }
        | Event::Reopened { .. }
        | Event::Merged { .. }
        | Event::Absorbed { .. }
        | Event::ConsentChanged { .. }
        | Event::KeysDestroyed { .. } => Ok(()),
    }
}
