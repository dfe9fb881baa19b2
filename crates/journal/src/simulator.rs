//! A log that misbehaves as badly as a log may, the same way for the same seed.
//!
//! One [`Simulator`] holds the topics; every [`Client`] is one instance's way to them, with faults of
//! its own. Time is tokio's: on a current-thread runtime with paused time a run of simulated hours
//! takes milliseconds.
//!
//! ```text
//!   instance A -- Client (slow, loses answers) --\
//!   instance B -- Client (cut off) --- x          +--> topics, one order for each partition
//!   checker    -- Simulator::records ------------/
//! ```
//!
//! A run repeats exactly if everything in it takes its chance from the seed: `select!` must be `biased`,
//! nothing may depend on the order of a hash map or on another thread, and whoever is told together by a
//! `watch` is woken in an order of tokio's own chance (`Notify` wakes in the order of the waits).

mod client;
mod faults;
mod world;

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eventsourcing::{Clock, Time};
use rand::Rng as _;
use tokio::time::Instant;

pub use client::Client;
pub use faults::{Disk, Faults};
use world::World;

use crate::{Offset, Partition, Record, Stored};

/// The log itself, seen by whoever is above all faults: a test.
#[derive(Debug, Clone)]
pub struct Simulator(Arc<Shared>);

/// What all clients share.
struct Shared {
    world: Mutex<World>,
    clock: Arc<SimulatedClock>,
}

/// Tokio's time, seen from a fixed date, with leaps.
#[derive(Debug)]
struct SimulatedClock {
    began: Instant,
    at: Time,
    /// Microseconds that it was put forward by hand.
    leapt: AtomicI64,
}

impl Simulator {
    /// A log without topics, whose faults follow from `seed`. Its clock shows `now` and goes with
    /// tokio's time, so call this where that is paused.
    pub fn new(seed: u64, disk: Disk, now: Time) -> Self {
        Self(Arc::new(Shared {
            world: Mutex::new(World::new(seed, disk)),
            clock: Arc::new(SimulatedClock {
                began: Instant::now(),
                at: now,
                leapt: AtomicI64::new(0),
            }),
        }))
    }

    /// Another instance's way to the log. `name` is for messages.
    pub fn client(&self, name: impl Into<String>, faults: Faults) -> Client {
        Client::new(Arc::clone(&self.0), name.into(), faults)
    }

    /// The clock the log stamps records with, give or take [`Faults::clock_jitter`].
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::<SimulatedClock>::clone(&self.0.clock)
    }

    /// All that stands in a partition; nothing if there is no such partition.
    pub fn records(&self, topic: &str, partition: Partition) -> Vec<Stored> {
        self.0.world().records(topic, partition).to_vec()
    }

    /// The names of all topics with the number of their partitions.
    pub fn topics(&self) -> Vec<(String, u32)> {
        self.0.world().topics()
    }

    /// The log's clock leaps forward, and with it all that go by it.
    pub fn leap(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.0.clock.leapt.fetch_add(micros, Ordering::SeqCst);
    }

    /// Puts a record at the end of a partition that exists, past all faults.
    pub fn plant(&self, topic: &str, partition: Partition, record: Record) {
        let now = self.0.clock.now();
        let _offset = self.0.world().append(topic, partition, record, now);
    }

    /// The machine of the log loses power and comes back. With [`Disk::Lazy`] each partition loses some
    /// of the records that were not synced, though they were acknowledged and perhaps read.
    pub fn crash(&self) {
        self.0.world().crash();
    }

    /// A partition ends at `end` again, whatever was acknowledged behind it.
    pub fn cut_back(&self, topic: &str, partition: Partition, end: Offset) {
        self.0.world().cut_back(topic, partition, end);
    }

    /// A number from the seed, below `bound` (0 if that is 0), for whoever steers the run.
    pub fn draw(&self, bound: u64) -> u64 {
        match bound {
            0 => 0,
            _ => self.0.world().rng.random_range(0..bound),
        }
    }
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Time {
        let elapsed = i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX);
        let leapt = self.leapt.load(Ordering::SeqCst);
        let passed = elapsed.saturating_add(leapt);
        Time::from_micros(self.at.micros().saturating_add(passed))
    }
}

/// Lets simulated time pass; none of it does not even let others run.
async fn pass(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}
