//! How fast a log is by itself: append and read back, the ceiling for whatever is built on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::{Append, Error, ErrorKind, Log, Partition, Record, Tail};

/// The bytes of a record that say whose it is and which.
const STAMP_BYTES: usize = 16;

/// What [`measure`] found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Records that were written and read back, in the time measured.
    pub records: u64,
    /// The same for a second.
    pub per_second: f64,
    /// Half of them took at most this long.
    pub p50: Duration,
    /// 99 of 100 took at most this long.
    pub p99: Duration,
}

/// Who waits for his record to be read back.
#[derive(Debug, Default)]
struct Client {
    read_back: AtomicU64,
    woken: Notify,
}

/// Lets `clients` writers append records of `record_bytes` bytes (at least 16) for `duration`, spread
/// over the partitions; each waits for the acknowledgement *and* until a tail has read the record
/// back before it begins the next, as the engine does.
///
/// The log may be in use by others and keeps the records. Errors: those of the log, and
/// [`ErrorKind::Unavailable`] when an append is not acknowledged.
pub async fn measure(
    log: Arc<dyn Log>,
    clients: u32,
    record_bytes: usize,
    duration: Duration,
) -> Result<Figures, Error> {
    let waiting: Arc<[Client]> = (0..clients).map(|_| Client::default()).collect();
    let mut readers = JoinSet::new();
    for partition in 0..log.partitions() {
        let end = log.end(partition).await?;
        let tail = log.tail(partition, end);
        readers.spawn(read_back(tail, Arc::clone(&waiting)));
    }
    let began = Instant::now();
    let mut writers = JoinSet::new();
    for client in 0..clients {
        let log = Arc::clone(&log);
        let waiting = Arc::clone(&waiting);
        writers.spawn(write(log, waiting, client, record_bytes, began + duration));
    }
    let mut times = Vec::new();
    loop {
        tokio::select! {
            written = writers.join_next() => match written {
                Some(written) => times.extend(written.map_err(internal)??),
                None => break,
            },
            Some(failed) = readers.join_next() => failed.map_err(internal)??,
        }
    }
    Ok(Figures::of(times, began.elapsed()))
}

impl Figures {
    fn of(mut times: Vec<Duration>, elapsed: Duration) -> Self {
        times.sort_unstable();
        let at = |percent: usize| {
            let index = times.len().saturating_mul(percent) / 100;
            times.get(index).or(times.last()).copied()
        };
        let records = u64::try_from(times.len()).unwrap_or(u64::MAX);
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let per_second = records as f64 / elapsed.as_secs_f64();
        Self {
            records,
            per_second,
            p50: at(50).unwrap_or_default(),
            p99: at(99).unwrap_or_default(),
        }
    }
}

async fn write(
    log: Arc<dyn Log>,
    waiting: Arc<[Client]>,
    client: u32,
    record_bytes: usize,
    until: Instant,
) -> Result<Vec<Duration>, Error> {
    let mut times = Vec::new();
    let partition: Partition = client % log.partitions().max(1);
    let Some(me) = waiting.get(client as usize) else {
        return Ok(times);
    };
    let mut number = 0;
    while Instant::now() < until {
        number += 1;
        let began = Instant::now();
        let record = stamped(client, number, record_bytes);
        match log.append(partition, record).await {
            Append::Written(_) => {}
            Append::NotWritten(why) | Append::Unknown(why) => {
                return Err(Error::new(ErrorKind::Unavailable, why));
            }
        }
        while me.read_back.load(Ordering::Acquire) < number {
            me.woken.notified().await;
        }
        times.push(began.elapsed());
    }
    Ok(times)
}

async fn read_back(mut tail: Box<dyn Tail>, waiting: Arc<[Client]>) -> Result<(), Error> {
    loop {
        for stored in tail.next().await? {
            let Some((client, number)) = stamp(&stored.record.value) else {
                continue;
            };
            if let Some(client) = waiting.get(client) {
                client.read_back.store(number, Ordering::Release);
                client.woken.notify_one();
            }
        }
    }
}

fn stamped(client: u32, number: u64, record_bytes: usize) -> Record {
    let mut value = Vec::with_capacity(record_bytes.max(STAMP_BYTES));
    value.extend_from_slice(&u64::from(client).to_le_bytes());
    value.extend_from_slice(&number.to_le_bytes());
    value.resize(record_bytes.max(STAMP_BYTES), 0x5a);
    Record::value(value)
}

fn stamp(value: &Bytes) -> Option<(usize, u64)> {
    let (client, rest) = value.split_first_chunk::<8>()?;
    let (number, _) = rest.split_first_chunk::<8>()?;
    let client = usize::try_from(u64::from_le_bytes(*client)).ok()?;
    Some((client, u64::from_le_bytes(*number)))
}

fn internal(error: tokio::task::JoinError) -> Error {
    Error::new(ErrorKind::Internal, "a part of the measurement broke off").with_source(error)
}
