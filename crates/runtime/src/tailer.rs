//! Reads one partition of the journal, for ever, and feeds the applier.

use std::sync::Arc;
use std::time::Duration;

use journal::{Error, Log, Offset, Partition, Stored};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Consecutive records of one partition.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) partition: Partition,
    pub(crate) records: Vec<Stored>,
}

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Reads from `next` on until it is stopped. A log that is away for a while is asked again, by the same
/// tail: a new one could not tell that records which were handed out have been cut off since. A gap, a
/// truncated or a foreign log ends it.
pub(crate) async fn tail(
    log: Arc<dyn Log>,
    partition: Partition,
    next: Offset,
    feed: mpsc::Sender<Feed>,
    stop: CancellationToken,
) -> Result<(), Error> {
    let mut tail = log.tail(partition, next);
    let mut pause = FIRST_PAUSE;
    loop {
        let records = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            records = tail.next() => records,
        };
        match records {
            Ok(records) => {
                pause = FIRST_PAUSE;
                if feed.send(Feed { partition, records }).await.is_err() {
                    return Ok(());
                }
            }
            Err(error) if error.is_retryable() => {
                tracing::warn!(%error, topic = log.topic(), partition, "the log is away, asking again");
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return Ok(()),
                    () = tokio::time::sleep(pause) => {}
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Err(error) => return Err(error),
        }
    }
}
