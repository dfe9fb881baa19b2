//! What became of promises, counted by their state at a moment.

use customer_value::Interval;
use read_model::{Error, Rows};
use server::Moment;

use super::credit;
use super::customers::{self, Fate, Promise};
use super::figures::ratio;
use super::point::Point;

/// What became of promises, by their state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Promises {
    pub(crate) made: u32,
    pub(crate) kept: u32,
    /// Repaired ones among them.
    pub(crate) broken: u32,
    pub(crate) repaired: u32,
    pub(crate) waived: u32,
    /// Overdue ones among them.
    pub(crate) open: u32,
    pub(crate) overdue: u32,
}

impl Promises {
    /// Counts in one that had been made by that moment.
    pub(crate) fn count(&mut self, promise: &Promise, moment: &Moment) {
        self.made += 1;
        match promise.fate(moment) {
            Some(Fate::Kept) => self.kept += 1,
            Some(Fate::Broken) => self.broken += 1,
            Some(Fate::Repaired) => {
                self.broken += 1;
                self.repaired += 1;
            }
            Some(Fate::Waived) => self.waived += 1,
            None => {
                self.open += 1;
                self.overdue += u32::from(promise.is_overdue(moment));
            }
        }
    }

    /// Kept of those kept or broken.
    pub(crate) fn kept_rate(self) -> Option<f64> {
        ratio(f64::from(self.kept), f64::from(self.kept + self.broken))
    }

    /// The Wilson 95 % interval of the kept rate.
    pub(crate) fn interval(self) -> Option<Interval> {
        Interval::wilson95(u64::from(self.kept), u64::from(self.kept + self.broken))
    }
}

/// The promises of the conversions that name a touch point.
pub(crate) fn named(rows: &dyn Rows, point: &Point, moment: &Moment) -> Result<Promises, Error> {
    let mut tally = Promises::default();
    for customer in credit::named(rows, point)? {
        for promise in customers::promises(rows, customer, moment)? {
            tally.count(&promise, moment);
        }
    }
    Ok(tally)
}
