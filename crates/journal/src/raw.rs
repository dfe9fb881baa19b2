//! How fast a log is by itself: append and read back, with nothing in between.
//!
//! The ceiling that a service is compared with, in the same run, with records of the same size and as many
//! clients.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::{Append, Error, Log, Record};

/// What a measurement found.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Records appended and read back per second.
    pub per_second: f64,
    /// Half of them took at most so long.
    pub p50: Duration,
    /// 99 of 100 took at most so long.
    pub p99: Duration,
}

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<()>>>>;

/// Lets `clients` append records of `bytes` bytes one after the other, each waiting until its record was
/// read back, for `duration`.
///
/// # Errors
/// If the log fails.
#[expect(
    clippy::cast_precision_loss,
    reason = "nobody counts to 2^52 in a measurement"
)]
pub async fn measure(
    log: Arc<dyn Log>,
    clients: u64,
    bytes: usize,
    duration: Duration,
) -> Result<Figures, Error> {
    let waiting: Waiting = Arc::default();
    let mut readers = JoinSet::new();
    for partition in 0..log.partitions() {
        let from = log.end(partition).await?;
        let mut tail = log.tail(partition, from);
        let waiting = Arc::clone(&waiting);
        readers.spawn(async move {
            while let Ok(records) = tail.next().await {
                for stored in records {
                    let Some(head) = stored.record.value.first_chunk::<8>() else {
                        continue;
                    };
                    let id = u64::from_le_bytes(*head);
                    let waiter = waiting
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .remove(&id);
                    waiter.map(|waiter| waiter.send(()));
                }
            }
        });
    }
    let started = Instant::now();
    let mut writers = JoinSet::new();
    for client in 0..clients {
        let (log, waiting) = (Arc::clone(&log), Arc::clone(&waiting));
        writers.spawn(write(log, waiting, client, bytes, started + duration));
    }
    let mut times: Vec<Duration> = writers.join_all().await.into_iter().flatten().collect();
    let took = started.elapsed();
    readers.abort_all();
    times.sort_unstable();
    Ok(Figures {
        per_second: times.len() as f64 / took.as_secs_f64(),
        p50: quantile(&times, 50),
        p99: quantile(&times, 99),
    })
}

/// The smallest time that `percent` of the sorted times do not exceed; zero if there are none.
pub fn quantile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).copied().unwrap_or_default()
}

async fn write(
    log: Arc<dyn Log>,
    waiting: Waiting,
    client: u64,
    bytes: usize,
    until: Instant,
) -> Vec<Duration> {
    let mut times = Vec::new();
    let mut nth = 0;
    while Instant::now() < until {
        let id = (client << 40) | nth;
        nth += 1;
        let partition = u32::try_from((client + nth) % u64::from(log.partitions())).unwrap_or(0);
        let (waiter, read_back) = oneshot::channel();
        waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, waiter);
        let start = Instant::now();
        if log
            .append(partition, Record::value(payload(id, bytes)))
            .await
            != Append::Written
        {
            break;
        }
        if read_back.await.is_err() {
            break;
        }
        times.push(start.elapsed());
    }
    times
}

fn payload(id: u64, bytes: usize) -> Bytes {
    let mut payload = BytesMut::with_capacity(bytes.max(8));
    payload.put_u64_le(id);
    payload.resize(bytes.max(8), 0);
    payload.freeze()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::quantile;

    #[test]
    fn a_quantile_is_one_of_the_times() {
        let times: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(quantile(&times, 50), Duration::from_millis(50));
        assert_eq!(quantile(&times, 99), Duration::from_millis(99));
        assert_eq!(quantile(&times[..1], 99), Duration::from_millis(1));
        assert_eq!(quantile(&[], 50), Duration::ZERO);
    }
}
