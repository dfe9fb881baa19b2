//! How badly the log treats one client.

use std::time::Duration;

/// What may happen on one client's way to the log. Chances are between 0 and 1; times are upper bounds,
/// drawn anew each time.
#[derive(Debug, Clone, PartialEq)]
pub struct Faults {
    /// How long a record is under way to the log, and again its answer.
    pub append_delay: Duration,
    /// How long a record is under way to a reader.
    pub deliver_delay: Duration,
    /// How long the question for the end is under way, and again its answer.
    pub end_delay: Duration,
    /// How long the client waits for an answer that does not come.
    pub give_up: Duration,
    /// The chance that a record is refused or lost on its way, and the client knows.
    pub not_written: f64,
    /// The chance that a record is lost on its way, and the client cannot know.
    pub lost: f64,
    /// The chance that a record is written and the answer is lost.
    pub answer_lost: f64,
    /// The chance that a record is written long after the client gave up: behind later ones.
    pub late: f64,
    /// The chance that a record is written twice, the second time behind later ones.
    pub doubled: f64,
    /// The chance that the question for the end fails.
    pub end_fails: f64,
    /// The chance that a read fails, though it may be repeated.
    pub tail_fails: f64,
    /// The chance that a read stalls for up to [`stall`](Self::stall).
    pub stalls: f64,
    /// How long a stall lasts.
    pub stall: Duration,
    /// Whether a reader is handed fewer records than there are.
    pub ragged_batches: bool,
    /// How far the time on a record lies behind the log's clock: it may step back from one to the next.
    pub clock_jitter: Duration,
}

/// How the log's machine keeps what it acknowledged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Disk {
    /// Every record is on the disk before it is acknowledged or read.
    Safe,
    /// Records are acknowledged at once and synced, with all before them, at this chance for each: a
    /// [`crash`](super::Simulator::crash) may take the last ones away.
    Lazy(f64),
}

impl Faults {
    /// A client that nothing happens to.
    pub fn none() -> Self {
        Self {
            append_delay: Duration::ZERO,
            deliver_delay: Duration::ZERO,
            end_delay: Duration::ZERO,
            give_up: Duration::from_secs(10),
            not_written: 0.0,
            lost: 0.0,
            answer_lost: 0.0,
            late: 0.0,
            doubled: 0.0,
            end_fails: 0.0,
            tail_fails: 0.0,
            stalls: 0.0,
            stall: Duration::ZERO,
            ragged_batches: false,
            clock_jitter: Duration::ZERO,
        }
    }

    /// A client that only waits: everything takes its time, in an order of its own.
    pub fn slow() -> Self {
        Self {
            append_delay: Duration::from_millis(20),
            deliver_delay: Duration::from_millis(20),
            end_delay: Duration::from_millis(20),
            ragged_batches: true,
            ..Self::none()
        }
    }

    /// A client that everything happens to, often.
    pub fn harsh() -> Self {
        Self {
            append_delay: Duration::from_millis(50),
            deliver_delay: Duration::from_millis(50),
            end_delay: Duration::from_millis(50),
            give_up: Duration::from_millis(500),
            not_written: 0.04,
            lost: 0.04,
            answer_lost: 0.06,
            late: 0.04,
            doubled: 0.06,
            end_fails: 0.05,
            tail_fails: 0.03,
            stalls: 0.02,
            stall: Duration::from_secs(2),
            ragged_batches: true,
            clock_jitter: Duration::from_secs(5),
        }
    }
}
