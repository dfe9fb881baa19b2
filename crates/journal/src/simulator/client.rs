//! One instance's way to the log, and everything that happens on it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use eventsourcing::{Clock as _, Time};
use futures::FutureExt;
use rand::Rng as _;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use super::world::Place;
use super::{Faults, Shared, pass};
use crate::{
    Append, BoxFuture, Error, ErrorKind, Log, MAX_RECORD_BYTES, Offset, Partition, Record, Stored,
    Tail, TopicSpec, Topics,
};

/// The topics as one instance reaches them. Clones are the same instance.
#[derive(Debug, Clone)]
pub struct Client(Arc<Way>);

#[derive(Debug)]
struct Way {
    log: Arc<Shared>,
    name: String,
    faults: Mutex<Faults>,
    link: Mutex<Link>,
    link_changed: Notify,
}

#[derive(Debug, Clone, Copy, Default)]
struct Link {
    cut_off: bool,
    stalled: bool,
}

impl Link {
    fn is_readable(self) -> bool {
        !self.cut_off && !self.stalled
    }
}

#[derive(Debug)]
struct ClientLog {
    way: Arc<Way>,
    topic: String,
    partitions: u32,
}

struct ClientTail {
    way: Arc<Way>,
    topic: String,
    partition: Partition,
    place: Place,
}

/// What happens to one append.
struct Fate {
    there: Duration,
    back: Duration,
    give_up: Duration,
    clock_behind: Duration,
    outcome: Outcome,
}

enum Outcome {
    NotWritten,
    Lost,
    Late,
    Written { doubled: bool, answer_lost: bool },
}

impl Client {
    pub(super) fn new(log: Arc<Shared>, name: String, faults: Faults) -> Self {
        Self(Arc::new(Way {
            log,
            name,
            faults: Mutex::new(faults),
            link: Mutex::default(),
            link_changed: Notify::new(),
        }))
    }

    /// From now on other things happen.
    pub fn set_faults(&self, faults: Faults) {
        *self.0.faults.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    /// Cuts the client off from the log, or connects it again. While it is cut off nothing that it
    /// sends arrives, no answer reaches it, and its tails wait.
    pub fn cut_off(&self, cut_off: bool) {
        self.0.change_link(|link| link.cut_off = cut_off);
    }

    /// Lets the tails stand still, or go on, while everything else works.
    pub fn stall_tails(&self, stalled: bool) {
        self.0.change_link(|link| link.stalled = stalled);
    }
}

impl Topics for Client {
    fn open(&self, topic: &TopicSpec) -> BoxFuture<'_, Result<Arc<dyn Log>, Error>> {
        let topic = topic.clone();
        async move {
            let way = &self.0;
            pass(way.some_of(|faults| faults.end_delay)).await;
            if way.is_cut_off() {
                pass(way.faults().give_up).await;
                return Err(way.unavailable());
            }
            let partitions = way.log.world().open(&topic)?;
            let log = ClientLog {
                way: Arc::clone(way),
                topic: topic.name,
                partitions,
            };
            Ok(Arc::new(log) as Arc<dyn Log>)
        }
        .boxed()
    }
}

impl Log for ClientLog {
    fn topic(&self) -> &str {
        &self.topic
    }

    fn partitions(&self) -> u32 {
        self.partitions
    }

    fn append(&self, partition: Partition, record: Record) -> BoxFuture<'static, Append> {
        let way = Arc::clone(&self.way);
        let topic = self.topic.clone();
        if partition >= self.partitions {
            let why = Error::no_partition(&topic, partition).to_string();
            return async { Append::NotWritten(why) }.boxed();
        }
        if record.size() > MAX_RECORD_BYTES {
            let why = Error::too_large(record.size()).to_string();
            return async { Append::NotWritten(why) }.boxed();
        }
        async move { way.append(&topic, partition, record).await }.boxed()
    }

    fn end(&self, partition: Partition) -> BoxFuture<'static, Result<Offset, Error>> {
        let way = Arc::clone(&self.way);
        let topic = self.topic.clone();
        async move { way.end(&topic, partition).await }.boxed()
    }

    fn tail(&self, partition: Partition, from: Offset) -> Box<dyn Tail> {
        Box::new(ClientTail {
            way: Arc::clone(&self.way),
            topic: self.topic.clone(),
            partition,
            place: self.way.log.world().place(&self.topic, partition, from),
        })
    }
}

impl Tail for ClientTail {
    fn next(&mut self) -> BoxFuture<'_, Result<Vec<Stored>, Error>> {
        async move {
            loop {
                self.way.until_readable().await;
                let (found, changed) = self.read()?;
                if found.is_empty() {
                    changed.await;
                    continue;
                }
                pass(self.way.delivery()).await;
                if !self.way.link().is_readable() {
                    continue;
                }
                if self.way.happens(|faults| faults.tail_fails) {
                    return Err(self.way.unavailable());
                }
                let (mut found, _) = self.read()?;
                found.truncate(self.way.batch_of(found.len()));
                if let Some(last) = found.last() {
                    self.place.from = last.offset + 1;
                    return Ok(found);
                }
            }
        }
        .boxed()
    }
}

impl ClientTail {
    fn read(&mut self) -> Result<(Vec<Stored>, OwnedNotified), Error> {
        let world = self.way.log.world();
        world.read(&self.topic, self.partition, &mut self.place)
    }
}

impl Way {
    async fn append(&self, topic: &str, partition: Partition, record: Record) -> Append {
        let fate = self.fate();
        pass(fate.there).await;
        let outcome = if self.is_cut_off() {
            Outcome::Lost
        } else {
            fate.outcome
        };
        match outcome {
            Outcome::NotWritten => {
                pass(fate.back).await;
                return Append::NotWritten(format!("{}: refused on its way", self.name));
            }
            Outcome::Lost => {}
            Outcome::Late => self.log.world().append_later(topic, partition, record),
            Outcome::Written {
                doubled,
                answer_lost,
            } => {
                let offset = self.write(topic, partition, record, fate.clock_behind, doubled);
                pass(fate.back).await;
                if !answer_lost && !self.is_cut_off() {
                    return Append::Written(offset);
                }
            }
        }
        pass(fate.give_up).await;
        Append::Unknown(format!("{}: no answer from the log", self.name))
    }

    fn write(
        &self,
        topic: &str,
        partition: Partition,
        record: Record,
        clock_behind: Duration,
        doubled: bool,
    ) -> Option<Offset> {
        let behind = i64::try_from(clock_behind.as_micros()).unwrap_or_default();
        let time = Time::from_micros(self.log.clock.now().micros().saturating_sub(behind));
        let mut world = self.log.world();
        let offset = world.append(topic, partition, record.clone(), time);
        if doubled {
            world.append_later(topic, partition, record);
        }
        offset
    }

    async fn end(&self, topic: &str, partition: Partition) -> Result<Offset, Error> {
        pass(self.some_of(|faults| faults.end_delay)).await;
        if self.is_cut_off() {
            pass(self.faults().give_up).await;
            return Err(self.unavailable());
        }
        let end = self.log.world().end(topic, partition)?;
        let fails = self.happens(|faults| faults.end_fails);
        pass(self.some_of(|faults| faults.end_delay)).await;
        if fails || self.is_cut_off() {
            return Err(self.unavailable());
        }
        Ok(end)
    }

    /// Everything that chance decides about one append, drawn at once.
    fn fate(&self) -> Fate {
        let faults = self.faults();
        let mut world = self.log.world();
        let mut left: f64 = world.rng.random();
        let mut falls_to = |chance: f64| {
            let falls = (0.0..chance).contains(&left);
            left -= chance;
            falls
        };
        let outcome = if falls_to(faults.not_written) {
            Outcome::NotWritten
        } else if falls_to(faults.lost) {
            Outcome::Lost
        } else if falls_to(faults.late) {
            Outcome::Late
        } else {
            Outcome::Written {
                doubled: world.happens(faults.doubled),
                answer_lost: world.happens(faults.answer_lost),
            }
        };
        Fate {
            there: world.some_of(faults.append_delay),
            back: world.some_of(faults.append_delay),
            give_up: faults.give_up,
            clock_behind: world.some_of(faults.clock_jitter),
            outcome,
        }
    }

    /// How long the records a reader is about to be handed are under way.
    fn delivery(&self) -> Duration {
        let faults = self.faults();
        let mut world = self.log.world();
        let stall = if world.happens(faults.stalls) {
            world.some_of(faults.stall)
        } else {
            Duration::ZERO
        };
        stall + world.some_of(faults.deliver_delay)
    }

    /// How many of `found` records a reader is handed.
    fn batch_of(&self, found: usize) -> usize {
        if found > 1 && self.faults().ragged_batches {
            return self.log.world().rng.random_range(1..=found);
        }
        found
    }

    fn faults(&self) -> Faults {
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn some_of(&self, most: impl Fn(&Faults) -> Duration) -> Duration {
        self.log.world().some_of(most(&self.faults()))
    }

    fn happens(&self, chance: impl Fn(&Faults) -> f64) -> bool {
        self.log.world().happens(chance(&self.faults()))
    }

    fn is_cut_off(&self) -> bool {
        self.link().cut_off
    }

    fn link(&self) -> Link {
        *self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change_link(&self, change: impl FnOnce(&mut Link)) {
        change(&mut self.link.lock().unwrap_or_else(PoisonError::into_inner));
        self.link_changed.notify_waiters();
    }

    async fn until_readable(&self) {
        loop {
            // Asked for before the look, so that a change right after it is not missed.
            let changed = self.link_changed.notified();
            if self.link().is_readable() {
                return;
            }
            changed.await;
        }
    }

    fn unavailable(&self) -> Error {
        let message = format!("{}: the log does not answer", self.name);
        Error::new(ErrorKind::Unavailable, message)
    }
}
