//! What stands in the log, and what is still under way to it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use eventsourcing::Time;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use super::Disk;
use crate::{Batch, Error, Offset, Partition, Record, Stored, TopicSpec};

/// The most appends that a late record waits for.
const LATE_BY: u32 = 12;

pub(super) struct World {
    pub(super) rng: SmallRng,
    disk: Disk,
    topics: BTreeMap<String, Topic>,
}

struct Topic {
    spec: TopicSpec,
    partitions: Vec<Kept>,
}

/// One partition.
#[derive(Default)]
struct Kept {
    records: Vec<Stored>,
    /// How many records a crash cannot take.
    synced: usize,
    under_way: Vec<UnderWay>,
    /// Where each crash so far has cut the records off.
    cuts: Vec<Offset>,
    changed: Arc<Notify>,
}

/// A record that comes to stand in the log once some more have.
struct UnderWay {
    appends_before: u32,
    record: Record,
}

/// Where a reader stands, and which crashes he knows to have survived.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) from: Offset,
    pub(super) cuts_survived: usize,
}

impl World {
    pub(super) fn new(seed: u64, disk: Disk) -> Self {
        Self {
            rng: SmallRng::seed_from_u64(seed),
            disk,
            topics: BTreeMap::new(),
        }
    }

    /// Whether something of that chance happens now.
    pub(super) fn happens(&mut self, chance: f64) -> bool {
        chance > 0.0 && self.rng.random::<f64>() < chance
    }

    /// Some time up to `most`.
    pub(super) fn some_of(&mut self, most: Duration) -> Duration {
        if most.is_zero() {
            return most;
        }
        most.mul_f64(self.rng.random())
    }

    pub(super) fn open(&mut self, topic: &TopicSpec) -> Result<u32, Error> {
        let found = self
            .topics
            .entry(topic.name.clone())
            .or_insert_with(|| Topic {
                spec: topic.clone(),
                partitions: (0..topic.partitions).map(|_| Kept::default()).collect(),
            });
        topic.check_found(found.spec.partitions, found.spec.kind)?;
        Ok(found.spec.partitions)
    }

    pub(super) fn topics(&self) -> Vec<(String, u32)> {
        let topics = self.topics.values();
        topics
            .map(|topic| (topic.spec.name.clone(), topic.spec.partitions))
            .collect()
    }

    pub(super) fn records(&self, topic: &str, partition: Partition) -> &[Stored] {
        self.kept(topic, partition)
            .map_or(&[], |kept| kept.records.as_slice())
    }

    pub(super) fn end(&self, topic: &str, partition: Partition) -> Result<Offset, Error> {
        self.kept(topic, partition)
            .map(Kept::end)
            .ok_or_else(|| Error::no_partition(topic, partition))
    }

    /// Appends the record, and behind it those whose time has come. None if there is no such partition.
    pub(super) fn append(
        &mut self,
        topic: &str,
        partition: Partition,
        record: Record,
        time: Time,
    ) -> Option<Offset> {
        let synced = match self.disk {
            Disk::Safe => true,
            Disk::Lazy(chance) => self.happens(chance),
        };
        let kept = self.kept_mut(topic, partition)?;
        let offset = kept.push(record, time);
        for under_way in &mut kept.under_way {
            under_way.appends_before = under_way.appends_before.saturating_sub(1);
        }
        let landing: Vec<UnderWay> = kept
            .under_way
            .extract_if(.., |under_way| under_way.appends_before == 0)
            .collect();
        for landed in landing {
            kept.push(landed.record, time);
        }
        if synced {
            kept.synced = kept.records.len();
        }
        kept.changed.notify_waiters();
        Some(offset)
    }

    /// Lets the record stand in the log some appends later.
    pub(super) fn append_later(&mut self, topic: &str, partition: Partition, record: Record) {
        let appends_before = self.rng.random_range(1..=LATE_BY);
        if let Some(kept) = self.kept_mut(topic, partition) {
            kept.under_way.push(UnderWay {
                appends_before,
                record,
            });
        }
    }

    pub(super) fn crash(&mut self) {
        let rng = &mut self.rng;
        let partitions = self
            .topics
            .values_mut()
            .flat_map(|topic| &mut topic.partitions);
        for kept in partitions {
            let survivors = rng.random_range(kept.synced..=kept.records.len());
            kept.cut_back(survivors);
        }
    }

    pub(super) fn cut_back(&mut self, topic: &str, partition: Partition, end: Offset) {
        if let Some(kept) = self.kept_mut(topic, partition) {
            kept.cut_back(usize::try_from(end).unwrap_or(usize::MAX));
        }
    }

    /// A place to read from, by somebody who comes now.
    pub(super) fn place(&self, topic: &str, partition: Partition, from: Offset) -> Place {
        Place {
            from,
            cuts_survived: self
                .kept(topic, partition)
                .map_or(0, |kept| kept.cuts.len()),
        }
    }

    /// What a reader at `place` could be handed, and who tells when there is more.
    pub(super) fn read(
        &self,
        topic: &str,
        partition: Partition,
        place: &mut Place,
    ) -> Result<(Vec<Stored>, OwnedNotified), Error> {
        let kept = self
            .kept(topic, partition)
            .ok_or_else(|| Error::no_partition(topic, partition))?;
        let news = kept.cuts.iter().skip(place.cuts_survived);
        let lowest = news.copied().chain([kept.end()]).min().unwrap_or_default();
        if place.from > lowest {
            return Err(Error::beyond_end(topic, partition, place.from, lowest));
        }
        place.cuts_survived = kept.cuts.len();
        let from = usize::try_from(place.from).unwrap_or(usize::MAX);
        let found = Batch::first_of(kept.records.iter().skip(from).cloned());
        Ok((found, Arc::clone(&kept.changed).notified_owned()))
    }

    fn kept(&self, topic: &str, partition: Partition) -> Option<&Kept> {
        self.topics.get(topic)?.partitions.get(partition as usize)
    }

    fn kept_mut(&mut self, topic: &str, partition: Partition) -> Option<&mut Kept> {
        let topic = self.topics.get_mut(topic)?;
        topic.partitions.get_mut(partition as usize)
    }
}

impl Kept {
    fn cut_back(&mut self, survivors: usize) {
        self.records.truncate(survivors);
        self.synced = self.records.len();
        self.cuts.push(self.end());
        self.changed.notify_waiters();
    }

    fn end(&self) -> Offset {
        u64::try_from(self.records.len()).unwrap_or(u64::MAX)
    }

    fn push(&mut self, record: Record, time: Time) -> Offset {
        let offset = self.end();
        self.records.push(Stored {
            offset,
            time,
            record,
        });
        offset
    }
}
