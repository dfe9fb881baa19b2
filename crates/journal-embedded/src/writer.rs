//! The one thread that writes: it takes all appends that wait and commits them together.
//!
//! While a commit is being synced the next appends queue up, so the slower the disk, the larger the
//! groups: one fsync is shared by whoever came during the last one.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use eventsourcing::Clock;
use journal::{Append, Error, ErrorKind, MAX_RECORD_BYTES, Offset, Record, Stored};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::codec;
use crate::partition::PartitionState;
use crate::store::{Failed, Placed, Store};

/// The most that one commit holds.
const MAX_GROUP_RECORDS: usize = 8_192;
const MAX_GROUP_BYTES: usize = 8 * 1024 * 1024;

/// The queue is bounded in units of so many bytes, at least one for each record.
const UNIT_BYTES: usize = 256;

/// The way to the writer.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    room: Arc<Semaphore>,
    units: u32,
    orders: mpsc::UnboundedSender<Order>,
}

#[derive(Debug)]
enum Order {
    Append(Waiting),
    Stop,
}

/// An append that waits to be written.
#[derive(Debug)]
struct Waiting {
    partition: Arc<PartitionState>,
    record: Record,
    answer: oneshot::Sender<Append>,
    /// Its room in the queue, given back with the answer.
    _room: OwnedSemaphorePermit,
}

/// An append in its place.
struct Staged {
    waiting: Waiting,
    stored: Stored,
    bytes: Vec<u8>,
}

struct Writer {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    orders: mpsc::UnboundedReceiver<Order>,
    /// What went wrong for good: redb takes no more after a failed write.
    failed: Option<Error>,
    /// The last commit: how many records, and how long it took.
    last: (usize, Duration),
}

/// Starts the thread. The queue holds about `queue_bytes` bytes of records.
pub(crate) fn start(
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    queue_bytes: usize,
) -> Result<(Queue, JoinHandle<()>), Error> {
    let units = u32::try_from(queue_bytes / UNIT_BYTES).unwrap_or(u32::MAX);
    let units = units.max(units_of(MAX_RECORD_BYTES));
    let (sender, orders) = mpsc::unbounded_channel();
    let writer = Writer {
        store,
        clock,
        orders,
        failed: None,
        last: (0, Duration::ZERO),
    };
    let thread = std::thread::Builder::new()
        .name("journal-writer".to_owned())
        .spawn(move || writer.run())
        .map_err(|error| {
            Error::new(
                ErrorKind::Internal,
                "the thread that writes cannot be started",
            )
            .with_source(error)
        })?;
    let queue = Queue {
        room: Arc::new(Semaphore::new(units as usize)),
        units,
        orders: sender,
    };
    Ok((queue, thread))
}

impl Queue {
    /// Waits for room, then for the commit.
    pub(crate) async fn append(&self, partition: Arc<PartitionState>, record: Record) -> Append {
        let units = units_of(record.size()).min(self.units);
        let room = Arc::clone(&self.room).acquire_many_owned(units).await;
        let Ok(room) = room else {
            return Append::NotWritten(CLOSED.to_owned());
        };
        let (answer, answered) = oneshot::channel();
        let order = Order::Append(Waiting {
            partition,
            record,
            answer,
            _room: room,
        });
        if self.orders.send(order).is_err() {
            return Append::NotWritten(CLOSED.to_owned());
        }
        answered
            .await
            .unwrap_or_else(|_| Append::Unknown("the thread that writes has ended".to_owned()))
    }

    /// No more from now on: what is in the queue is written, then the thread ends.
    pub(crate) fn close(&self) {
        self.room.close();
        let _already_gone = self.orders.send(Order::Stop);
    }
}

const CLOSED: &str = "the journal is closed";

impl Writer {
    fn run(mut self) {
        while let Some(order) = self.orders.blocking_recv() {
            self.let_them_come();
            let group = self.gather(order);
            let (began, records) = (Instant::now(), group.len());
            self.write(group);
            self.last = (records, began.elapsed());
        }
    }

    /// Whoever was answered by the last commit is about to come again: a commit that left without them
    /// would let them wait for all of it. So as many are awaited, but only for a small part of the time
    /// that a commit takes, and nobody is if there was only one.
    fn let_them_come(&self) {
        let (records, took) = self.last;
        let began = Instant::now();
        while self.orders.len() + 1 < records && began.elapsed() < took / 8 {
            std::thread::yield_now();
        }
    }

    /// `first` and all that wait behind it, within the bounds of a commit.
    fn gather(&mut self, first: Order) -> Vec<Waiting> {
        let mut group = Vec::new();
        let mut bytes = 0;
        let mut next = Some(first);
        while let Some(order) = next {
            match order {
                Order::Append(waiting) => {
                    bytes += waiting.record.size();
                    group.push(waiting);
                }
                Order::Stop => self.orders.close(),
            }
            if group.len() >= MAX_GROUP_RECORDS || bytes >= MAX_GROUP_BYTES {
                break;
            }
            next = self.orders.try_recv().ok();
        }
        group
    }

    fn write(&mut self, group: Vec<Waiting>) {
        let staged = self.stage(group);
        if staged.is_empty() {
            return;
        }
        if let Some(failed) = &self.failed {
            let why = Append::NotWritten(failed.to_string());
            return answer(staged, |_| why.clone());
        }
        let placed = staged.iter().map(|staged| Placed {
            place: staged.waiting.partition.place,
            offset: staged.stored.offset,
            bytes: &staged.bytes,
            supersedes: staged
                .stored
                .record
                .key
                .as_deref()
                .filter(|_| staged.waiting.partition.forgets),
        });
        match self.store.write(placed) {
            Ok(()) => {
                publish(&staged);
                answer(staged, |offset| Append::Written(Some(offset)));
            }
            Err(Failed::Before(error)) => {
                answer(staged, |_| Append::NotWritten(error.to_string()));
                self.fail(error);
            }
            Err(Failed::During(error)) => {
                answer(staged, |_| Append::Unknown(error.to_string()));
                self.fail(error);
            }
        }
    }

    fn fail(&mut self, error: Error) {
        tracing::error!(%error, "the journal takes no more appends until the next start");
        self.failed = Some(error);
    }

    /// Gives each its offset and time, partition by partition, in the order in which they came.
    fn stage(&self, mut group: Vec<Waiting>) -> Vec<Staged> {
        group.sort_by_key(|waiting| waiting.partition.place);
        let mut staged: Vec<Staged> = Vec::with_capacity(group.len());
        for waiting in group {
            let offset = next_offset(staged.last(), &waiting.partition);
            let time = self.clock.now();
            let Some(bytes) = codec::encode(&waiting.record, time) else {
                let why = "the record has a part of 4 GiB or more".to_owned();
                let _gone = waiting.answer.send(Append::NotWritten(why));
                continue;
            };
            let stored = Stored {
                offset,
                time,
                record: waiting.record.clone(),
            };
            staged.push(Staged {
                waiting,
                stored,
                bytes,
            });
        }
        staged
    }
}

fn next_offset(before: Option<&Staged>, partition: &PartitionState) -> Offset {
    match before {
        Some(before) if before.waiting.partition.place == partition.place => {
            before.stored.offset + 1
        }
        Some(_) | None => partition.end(),
    }
}

/// Hands the records to the tails.
fn publish(staged: &[Staged]) {
    let same =
        |one: &Staged, other: &Staged| one.waiting.partition.place == other.waiting.partition.place;
    for of_one in staged.chunk_by(same) {
        if let Some(first) = of_one.first() {
            let records = of_one.iter().map(|staged| staged.stored.clone()).collect();
            first.waiting.partition.grown(records);
        }
    }
}

fn answer(staged: Vec<Staged>, outcome: impl Fn(Offset) -> Append) {
    for staged in staged {
        // Whoever asked may have lost interest.
        let _gone = staged.waiting.answer.send(outcome(staged.stored.offset));
    }
}

fn units_of(bytes: usize) -> u32 {
    u32::try_from(bytes / UNIT_BYTES + 1).unwrap_or(u32::MAX)
}
