//! Customers who are erased and whose keys are not known to be destroyed.

use read_model::{Error, Rows, RowsMut, Table};
use retention_domain::Event;
use uuid::Uuid;

const DUE: Table<Uuid, ()> = Table::new("erasure-due");

/// Customers whose keys are still to be destroyed.
pub(crate) fn due(rows: &dyn Rows, limit: usize) -> Result<Vec<Uuid>, Error> {
    let due = DUE.scan(rows, &(), None, limit)?;
    Ok(due.into_iter().map(|(id, ())| id).collect())
}

/// Lets an event happen to a customer.
pub(crate) fn apply(rows: &mut dyn RowsMut, id: Uuid, event: &Event) -> Result<(), Error> {
    if let Event::Erased { .. } = event {
        DUE.put(rows, &id, &())?;
    }
    if let Event::KeysDestroyed { .. } = event {
        DUE.delete(rows, &id);
    }
    Ok(())
}
