//! The thread that carries frozen commits into sled, one batch at a time.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::Error;
use crate::redo::Redo;
use crate::shared::{Batch, Shared};
use crate::summary::Identity;

/// Starts the thread; it ends when the store is being dropped, or with the first damage.
pub(crate) fn start(
    shared: Arc<Shared>,
    redo: Redo,
    identity: Identity,
) -> std::io::Result<JoinHandle<()>> {
    let thread = thread::Builder::new().name(format!("{}-flusher", identity.service));
    thread.spawn(move || {
        while let Some(batch) = shared.next_batch() {
            match write(&shared, &redo, &identity, &batch) {
                Ok(true) => shared.batch_written(&batch),
                Ok(false) => return,
                Err(error) => {
                    return shared.fail(format!("a batch could not be written: {error}"));
                }
            }
        }
    })
}

/// Whether the whole batch is in sled: the store may be dropped on the way, and then the redo file
/// stays for the next open.
fn write(shared: &Shared, redo: &Redo, identity: &Identity, batch: &Batch) -> Result<bool, Error> {
    let Some(disk) = shared.disk() else {
        return Ok(false);
    };
    let summary = batch.summary.encode(identity)?;
    redo.write(&summary, &batch.rows)?;
    for (key, value) in &batch.rows {
        if shared.is_stopping() {
            return Ok(false);
        }
        disk.write(key, value.as_deref())?;
    }
    disk.finish_batch(&summary)?;
    redo.clear()?;
    Ok(true)
}
