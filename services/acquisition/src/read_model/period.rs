//! A period of a report: half open, and without a beginning if none is said.

use eventsourcing::Time;

/// From its start, included, to its end, excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) start: Option<Time>,
    pub(crate) end: Time,
}

impl Period {
    /// Whether a moment lies in it.
    pub(crate) fn holds(self, at: Time) -> bool {
        self.start.is_none_or(|start| start <= at) && at < self.end
    }
}
