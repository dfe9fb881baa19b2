//! Reads the topic of keys from its beginning, for as long as the vault lives, and sweeps up what is void.

use std::sync::Arc;
use std::time::Duration;

use journal::{Error, Partition, Stored};
use tokio::time::sleep;

use crate::entry::Entry;
use crate::vault::{Inner, PARTITIONS};

/// Between two attempts to read a log that is away.
const PAUSE: Duration = Duration::from_millis(200);
/// How long void keys may lie about. Whoever erases somebody takes them away at once; this is for the rest.
const SWEEP_EVERY: Duration = Duration::from_secs(2);
/// How many are taken away in one go.
const SWEEP: usize = 256;

/// Starts to read, and to sweep.
pub(crate) fn start(inner: &Arc<Inner>) {
    for partition in 0..PARTITIONS {
        let inner = Arc::clone(inner);
        let tracker = inner.tracker.clone();
        tracker.spawn(async move {
            let stop = inner.stop.clone();
            let failed = tokio::select! {
                () = stop.cancelled() => return,
                failed = read(&inner, partition) => failed,
            };
            inner.fail(&failed);
        });
    }
    let sweeping = Arc::clone(inner);
    inner.tracker.spawn(async move {
        let stop = sweeping.stop.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            () = sweep(&sweeping) => {}
        }
    });
}

/// Reads a partition for ever; the error that ends it.
async fn read(inner: &Inner, partition: Partition) -> Error {
    let mut tail = inner.log.tail(partition, 0);
    loop {
        match tail.next().await {
            Ok(batch) => {
                if let Err(error) = take(inner, partition, &batch) {
                    return error;
                }
            }
            Err(error) if error.is_retryable() => {
                tracing::warn!(%error, partition, "the topic of keys cannot be read now");
                sleep(PAUSE).await;
            }
            Err(error) => return error,
        }
    }
}

fn take(inner: &Inner, partition: Partition, batch: &[Stored]) -> Result<(), Error> {
    let read = batch.iter().map(|stored| Entry::read(&stored.record));
    let entries = read.collect::<Result<Vec<_>, _>>().map_err(|error| {
        Error::new(journal::ErrorKind::Unreadable, error.to_string()).with_page("master-key")
    })?;
    inner.take_in(entries.into_iter().flatten());
    if let Some(last) = batch.last() {
        inner.has_read(partition, last.offset + 1);
    }
    Ok(())
}

/// Destroys the keys of the erased that somebody has written since.
async fn sweep(inner: &Inner) {
    loop {
        sleep(SWEEP_EVERY).await;
        let void = inner.with_ring(|ring| ring.to_sweep(SWEEP));
        for entry in void {
            if let Err(error) = inner.append(&entry).await {
                tracing::warn!(%error, "a void key is not taken away yet, trying again");
                break;
            }
        }
    }
}
