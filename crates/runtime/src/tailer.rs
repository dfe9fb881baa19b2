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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use eventsourcing::Time;
    use journal::simulator::{Disk, Faults, Simulator};
    use journal::{ErrorKind, Kind, Record, TopicSpec, Topics as _};
    use tokio::sync::mpsc;
    use tokio::time::sleep;
    use tokio_util::sync::CancellationToken;

    use super::tail;

    #[tokio::test(start_paused = true)]
    async fn records_cut_off_during_a_fault_are_missed_although_the_log_grew_again() {
        let simulator = Simulator::new(1, Disk::Lazy(0.0), Time::EPOCH);
        let client = simulator.client("a", Faults::none());
        let spec = TopicSpec {
            name: "journal".to_owned(),
            partitions: 1,
            kind: Kind::Journal,
        };
        let log = client.open(&spec).await.unwrap();
        let plant = |count: usize| {
            for _ in 0..count {
                simulator.plant("journal", 0, Record::value("x"));
            }
        };
        plant(20);
        let (feed, mut fed) = mpsc::channel(9);
        let reading = tail(Arc::clone(&log), 0, 0, feed, CancellationToken::new());
        let steering = async {
            let read = fed.recv().await.unwrap();
            assert_eq!(read.records.len(), 20);
            client.set_faults(Faults {
                tail_fails: 1.0,
                ..Faults::none()
            });
            plant(1);
            sleep(Duration::from_millis(10)).await;
            simulator.crash();
            assert!(simulator.records("journal", 0).len() < 20);
            plant(40);
            client.set_faults(Faults::none());
            sleep(Duration::from_secs(60)).await;
        };
        let error = tokio::select! {
            biased;
            ended = reading => ended.unwrap_err(),
            () = steering => panic!("nobody noticed"),
        };
        assert_eq!(error.kind(), ErrorKind::Truncated);
    }
}
