//! What is known of a partition in memory: its end, and a window of its newest records.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use journal::{Batch, Offset, Partition, Stored};
use tokio::sync::watch;

/// One partition of one topic.
#[derive(Debug)]
pub(crate) struct PartitionState {
    pub(crate) place: Place,
    /// Whether a record is forgotten when its key is written again.
    pub(crate) forgets: bool,
    seen: watch::Sender<Seen>,
    window: Mutex<Window>,
}

/// Which partition: the first eight bytes of its records' keys in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) topic: u32,
    pub(crate) partition: Partition,
}

/// What tails watch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// Behind the last record that is on the disk.
    pub(crate) end: Offset,
    /// There will be no more.
    pub(crate) closed: bool,
}

/// The newest records, without a gap, up to the end.
#[derive(Debug)]
struct Window {
    records: VecDeque<Stored>,
    bytes: usize,
    bound: usize,
}

impl PartitionState {
    pub(crate) fn new(place: Place, forgets: bool, end: Offset, window_bytes: usize) -> Self {
        Self {
            place,
            forgets,
            seen: watch::Sender::new(Seen { end, closed: false }),
            window: Mutex::new(Window {
                records: VecDeque::new(),
                bytes: 0,
                bound: window_bytes,
            }),
        }
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Seen> {
        self.seen.subscribe()
    }

    pub(crate) fn end(&self) -> Offset {
        self.seen.borrow().end
    }

    /// `records` have come to stand at the end and are on the disk: wakes the tails.
    pub(crate) fn grown(&self, records: Vec<Stored>) {
        let Some(last) = records.last().map(|stored| stored.offset) else {
            return;
        };
        self.window
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(records);
        self.seen.send_modify(|seen| seen.end = last + 1);
    }

    /// Tells the tails that there will be no more.
    pub(crate) fn close(&self) {
        self.seen.send_modify(|seen| seen.closed = true);
    }

    /// The records from `from` on, if the window reaches back that far.
    pub(crate) fn newest_from(&self, from: Offset) -> Option<Vec<Stored>> {
        let window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = window.records.front()?.offset;
        let skip = usize::try_from(from.checked_sub(oldest)?).ok()?;
        Some(Batch::first_of(window.records.iter().skip(skip).cloned()))
    }
}

impl Window {
    fn push(&mut self, records: Vec<Stored>) {
        for stored in records {
            self.bytes += cost(&stored);
            self.records.push_back(stored);
        }
        while self.bytes > self.bound
            && let Some(oldest) = self.records.pop_front()
        {
            self.bytes -= cost(&oldest);
        }
    }
}

/// What a record in memory takes, about.
fn cost(stored: &Stored) -> usize {
    size_of::<Stored>() + stored.record.size()
}

#[cfg(test)]
mod tests {
    use eventsourcing::Time;
    use journal::{Record, Stored};

    use super::{PartitionState, Place, cost};

    fn stored(offset: u64) -> Stored {
        Stored {
            offset,
            time: Time::EPOCH,
            record: Record::value("record"),
        }
    }

    #[test]
    fn the_window_keeps_the_newest_within_its_bound() {
        let place = Place {
            topic: 0,
            partition: 0,
        };
        let partition = PartitionState::new(place, false, 5, 3 * cost(&stored(0)));
        assert_eq!(partition.newest_from(5), None);
        partition.grown((5..15).map(stored).collect());
        assert_eq!(partition.end(), 15);
        assert_eq!(partition.newest_from(11), None);
        let newest = partition.newest_from(12).unwrap();
        assert_eq!(newest, (12..15).map(stored).collect::<Vec<_>>());
        assert_eq!(partition.newest_from(14).unwrap(), [stored(14)]);
    }
}
