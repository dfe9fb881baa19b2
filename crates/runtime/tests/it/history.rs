//! What clients asked, when, and what they heard: all that the checker knows of a run beside the log.

use std::fmt;

use journal::{Partition, StreamId};
use uuid::Uuid;

use crate::tally::{Command, Pair, Refusal};

/// Lengths of the log's partition at two moments: everything in a run is ordered by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) asked: usize,
    pub(crate) heard: usize,
}

/// One request, however often it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Op {
    pub(crate) service: usize,
    pub(crate) pair: Pair,
    pub(crate) command: Command,
    pub(crate) request_id: Uuid,
    pub(crate) partition: Partition,
    pub(crate) sent: Vec<Sent>,
}

/// One sending of it.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) window: Window,
    pub(crate) etag: Option<u64>,
    pub(crate) validate_only: bool,
    /// Whether the request had been answered before this sending.
    pub(crate) repeated: bool,
    /// Whether it was sent under the same id with another content.
    pub(crate) altered: bool,
    pub(crate) heard: Heard,
}

/// What a client heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It is done; the root has this version.
    Done {
        version: u64,
        replayed: bool,
    },
    Refused(Refusal),
    StaleEtag(u64),
    RequestIdReused,
    /// Nothing certain: the same request may be sent again.
    Retry(String),
    /// Something that must not happen.
    Fault(String),
}

impl Op {
    pub(crate) fn root(&self) -> StreamId {
        self.command.root(&self.pair)
    }

    /// The first time somebody heard that it is done.
    pub(crate) fn acknowledged(&self) -> Option<Window> {
        let done = self.sent.iter().filter(|sent| {
            matches!(sent.heard, Heard::Done { .. }) && !sent.validate_only && !sent.altered
        });
        done.map(|sent| sent.window)
            .min_by_key(|window| window.heard)
    }

    /// How long the log was when it was asked for first.
    pub(crate) fn first_asked(&self) -> usize {
        let asked = self.sent.iter().map(|sent| sent.window.asked);
        asked.min().unwrap_or_default()
    }
}

/// What a check is about: each is one guarantee of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Check {
    AcknowledgedIsInTheLog,
    TakesEffectOnce,
    AnsweredVersionIsTrue,
    RulesHold,
    RefusalIsJustified,
    OrderIsRealTime,
    RepeatIsRecognised,
    ReplicasAgree,
    ReadsNeverGoBack,
    ReceivedOnceInOrder,
    SumsAgree,
    PolicyActsOnce,
    TickActsOnce,
    TickIsInTime,
    ComesToRest,
    NothingFails,
}

/// A broken guarantee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) check: Check,
    pub(crate) what: String,
}

impl Violation {
    pub(crate) fn of(check: Check, what: impl fmt::Display) -> Self {
        Self {
            check,
            what: what.to_string(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.check, self.what)
    }
}
