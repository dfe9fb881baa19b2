//! What clients asked, when, and what they heard: all that the judge knows of a run beside the logs.

use std::cell::RefCell;
use std::time::Duration;

use journal::Position;
use uuid::Uuid;

use crate::instance::Service;

/// One command under one request id, however often it was sent. Times are those since the run began.
#[derive(Debug, Clone)]
pub struct Op {
    /// Whom it was sent to.
    pub service: Service,
    /// Which method.
    pub what: &'static str,
    /// The stream that it addresses, if the client knew it before the answer.
    pub root: Option<String>,
    /// What it is recognised by.
    pub request_id: Uuid,
    /// When it was sent first.
    pub asked: Duration,
    /// How often it was sent.
    pub sent: u32,
    /// How long the client slept between its attempts.
    pub slept: Duration,
    /// When the client heard something final for the first time.
    pub heard: Option<Duration>,
    /// Everything that it heard which is not "try again".
    pub answers: Vec<Answer>,
    /// What it was told last when it had to try again.
    pub trouble: String,
}

/// What a client heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Done {
        /// The version that the answer shows of the stream, where it shows one.
        version: Option<u64>,
        /// Where the instance stood when it answered.
        position: Position,
    },
    /// The stream has moved on.
    Stale {
        /// The version that the client sent,
        sent: u64,
        /// and the one that it was told.
        current: u64,
    },
    /// No, for this reason.
    Refused(String),
}

/// What was read of a stream after something was known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The stream.
    pub root: String,
    /// The version that the client knew of before it asked with its `min_position`,
    pub least: u64,
    /// and the one that it was shown.
    pub found: u64,
}

/// Everything that clients did.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Commands.
    pub ops: Vec<Op>,
    /// Queries.
    pub reads: Vec<Read>,
}

/// A history in the making, shared by clients on one thread.
#[derive(Debug, Default)]
pub(crate) struct Book(RefCell<History>);

impl Book {
    /// Takes up a command before it is sent for the first time; the number under which it is kept.
    pub(crate) fn open(&self, op: Op) -> usize {
        let mut history = self.0.borrow_mut();
        history.ops.push(op);
        history.ops.len() - 1
    }

    /// Notes something about a command.
    pub(crate) fn note(&self, number: usize, note: impl FnOnce(&mut Op)) {
        if let Some(op) = self.0.borrow_mut().ops.get_mut(number) {
            note(op);
        }
    }

    /// Notes a query.
    pub(crate) fn read(&self, read: Read) {
        self.0.borrow_mut().reads.push(read);
    }

    /// What was noted.
    pub(crate) fn close(self) -> History {
        self.0.into_inner()
    }
}

impl Op {
    /// Whether its client was told that it is done.
    pub fn is_done(&self) -> bool {
        let done = |answer: &Answer| matches!(answer, Answer::Done { .. });
        self.answers.iter().any(done)
    }

    /// How long its client waited for something final, its own back-off left out.
    pub fn waited(&self) -> Option<Duration> {
        let took = self.heard?.saturating_sub(self.asked);
        Some(took.saturating_sub(self.slept))
    }
}
