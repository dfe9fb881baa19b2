//! A clock for a demo that lives years in seconds, and then goes on with the machine's.

use std::sync::atomic::{AtomicBool, Ordering};

use eventsourcing::{Clock, FixedClock, SystemClock, Time};

/// Shows what it is told until it is released.
#[derive(Debug)]
pub(super) struct Lived {
    told: FixedClock,
    released: AtomicBool,
}

impl Lived {
    /// Begins at a moment; without one it is released from the first.
    pub(super) fn new(begins: Option<Time>) -> Self {
        Self {
            told: FixedClock::at(begins.unwrap_or(Time::EPOCH)),
            released: AtomicBool::new(begins.is_none()),
        }
    }

    /// Makes it show a moment.
    pub(super) fn set(&self, time: Time) {
        self.told.set(time);
    }

    /// Lets it show the machine's time from now on.
    pub(super) fn release(&self) {
        self.released.store(true, Ordering::SeqCst);
    }
}

impl Clock for Lived {
    fn now(&self) -> Time {
        if self.released.load(Ordering::SeqCst) {
            SystemClock.now()
        } else {
            self.told.now()
        }
    }
}

#[cfg(test)]
mod tests {
    use eventsourcing::{Clock as _, Time};

    use super::Lived;

    #[test]
    fn it_shows_what_it_is_told_and_the_present_once_released() {
        let clock = Lived::new(Some(Time::from_days(3)));
        assert_eq!(clock.now(), Time::from_days(3));
        clock.set(Time::from_days(4));
        assert_eq!(clock.now(), Time::from_days(4));
        clock.release();
        assert!(clock.now() > Time::from_days(18_262));
    }
}
