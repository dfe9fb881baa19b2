//! The last accepted commits of each partition, at hand for whoever follows the journal closely.
//!
//! A relay and a watcher are a few records behind the applier. What that has just judged they take from here;
//! only who is further behind reads the log again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use journal::{Offset, Partition};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use crate::Accepted;

/// What is kept of a partition at most, but for one large commit.
const BYTES: usize = 1024 * 1024;

/// The windows of all partitions.
#[derive(Debug, Clone)]
pub(crate) struct Recent(Arc<[Window]>);

#[derive(Debug)]
struct Window {
    kept: Mutex<Kept>,
    grown: Arc<Notify>,
}

/// The accepted commits from one offset to another; what else stands there was ignored.
#[derive(Debug, Default)]
struct Kept {
    limit: usize,
    from: Offset,
    next: Offset,
    /// With the size of the record of each.
    commits: VecDeque<(usize, Arc<Accepted>)>,
    bytes: usize,
}

/// What the window says of a place.
#[derive(Debug)]
pub(crate) enum Seen {
    /// The first accepted commit at that place or behind it.
    Here(Arc<Accepted>),
    /// Nothing accepted from there on, as far as the applier is.
    Nothing,
    /// The window begins later, or ends before.
    Gone,
}

impl Recent {
    /// Empty windows that begin at these offsets, for so many commits each.
    pub(crate) fn at(offsets: impl IntoIterator<Item = Offset>, limit: usize) -> Self {
        let windows = offsets.into_iter().map(|from| Window {
            kept: Mutex::new(Kept {
                limit,
                from,
                next: from,
                ..Kept::default()
            }),
            grown: Arc::default(),
        });
        Self(windows.collect())
    }

    /// To be called after the rows show it: everything before `next` is applied, these commits among it.
    pub(crate) fn grow(
        &self,
        partition: Partition,
        next: Offset,
        accepted: impl IntoIterator<Item = (usize, Arc<Accepted>)>,
    ) {
        let Some(window) = self.0.get(partition as usize) else {
            return;
        };
        window.lock().grow(next, accepted);
        window.grown.notify_waiters();
    }

    /// What stands at a place.
    pub(crate) fn look(&self, partition: Partition, at: Offset) -> Seen {
        let window = self.0.get(partition as usize);
        window.map_or(Seen::Gone, |window| window.lock().look(at))
    }

    /// The next time the window grows after this call, whenever the answer is awaited.
    pub(crate) fn grown(&self, partition: Partition) -> Option<OwnedNotified> {
        let window = self.0.get(partition as usize)?;
        Some(Arc::clone(&window.grown).notified_owned())
    }
}

impl Window {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn grow(&mut self, next: Offset, accepted: impl IntoIterator<Item = (usize, Arc<Accepted>)>) {
        for (size, commit) in accepted {
            self.bytes += size;
            self.commits.push_back((size, commit));
        }
        self.next = next;
        while self.commits.len() > self.limit || (self.bytes > BYTES && self.commits.len() > 1) {
            let Some((size, oldest)) = self.commits.pop_front() else {
                break;
            };
            self.bytes -= size;
            self.from = oldest.offset + 1;
        }
    }

    fn look(&self, at: Offset) -> Seen {
        if at < self.from || at > self.next {
            return Seen::Gone;
        }
        let before = self.commits.partition_point(|(_, kept)| kept.offset < at);
        match self.commits.get(before) {
            Some((_, accepted)) => Seen::Here(Arc::clone(accepted)),
            None => Seen::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use eventsourcing::Time;
    use futures::FutureExt as _;
    use journal::Commit;
    use uuid::Uuid;

    use super::{BYTES, Recent, Seen};
    use crate::Accepted;

    const COMMITS: usize = 20;

    fn accepted(offset: u64) -> Arc<Accepted> {
        Arc::new(Accepted {
            partition: 0,
            offset,
            time: Time::EPOCH,
            recorded_at: Time::EPOCH,
            commit: Commit {
                commit_id: Uuid::from_u128(offset.into()),
                request_id: Uuid::nil(),
                fingerprint: [0; 16],
                actor: String::new(),
                time: Time::EPOCH,
                trace_context: String::new(),
                appends: Vec::new(),
            },
        })
    }

    /// The offset of a commit, 0 where there is none yet, nothing outside of the window.
    fn seen(recent: &Recent, at: u64) -> Option<u64> {
        match recent.look(0, at) {
            Seen::Here(accepted) => Some(accepted.offset),
            Seen::Nothing => Some(0),
            Seen::Gone => None,
        }
    }

    #[test]
    fn what_was_ignored_is_stepped_over_and_what_was_before_is_gone() {
        let recent = Recent::at([10], COMMITS);
        assert_eq!(seen(&recent, 9), None);
        assert_eq!(seen(&recent, 10), Some(0));
        assert_eq!(seen(&recent, 11), None);
        recent.grow(0, 15, [(1, accepted(11)), (1, accepted(13))]);
        let found: Vec<_> = (10..=16).map(|at| seen(&recent, at)).collect();
        let (first, second, end) = (Some(11), Some(13), Some(0));
        assert_eq!(found, [first, first, second, second, end, end, None]);
    }

    #[test]
    fn a_window_is_bounded_in_number_and_in_bytes() {
        let recent = Recent::at([0], COMMITS);
        let count = u64::try_from(COMMITS).unwrap();
        recent.grow(0, count + 2, (0..count + 2).map(|at| (1, accepted(at))));
        assert_eq!(seen(&recent, 1), None);
        assert_eq!(seen(&recent, 2), Some(2));
        recent.grow(0, count + 3, [(BYTES - 1, accepted(count + 2))]);
        assert_eq!(seen(&recent, count), None);
        assert_eq!(seen(&recent, count + 1), Some(count + 1));
        recent.grow(0, count + 4, [(2 * BYTES, accepted(count + 3))]);
        assert_eq!(seen(&recent, count + 2), None);
        assert_eq!(
            seen(&recent, count + 3),
            Some(count + 3),
            "the newest stays"
        );
    }

    #[test]
    fn growing_wakes_who_asked_before() {
        let recent = Recent::at([0, 0], COMMITS);
        let mut grown = Box::pin(recent.grown(0).unwrap());
        recent.grow(1, 1, []);
        assert!(grown.as_mut().now_or_never().is_none());
        recent.grow(0, 1, []);
        assert!(grown.now_or_never().is_some());
        assert!(recent.grown(2).is_none());
    }
}
