//! The engine's own rows: the key layout on one page.
//!
//! | table | key | value |
//! |---|---|---|
//! | `~j` | `()` | [`JournalRow`]: which journal these rows were built from |
//! | `~p` | partition | [`PositionRow`]: what was applied last |
//! | `~v` | stream | its version |
//! | `~r` | (stream, request id) | [`RequestRow`]: a command that took effect |
//! | `~x` | (partition, recorded µs, stream, request id) | when that may be forgotten |
//! | `~i` | (partition, offset) | a record that was ignored |
//! | `~u` | stream | why this release cannot serve it |
//! | `~n` | inbox partition | [`InboxRow`]: what was received last |
//! | `~k` | (inbox partition, subject) | how many events of the subject are parked |
//! | `~q` | (inbox partition, sequence) | a parked event, as `Received` |
//! | `~a` | (policy, partition) | [`ActivationRow`]: since when the policy acts there |
//! | `~t` | partition | [`TickRow`]: how far the daily ticks have come |
//!
//! Names that begin with a tilde are the engine's; all others are the service's.

use eventsourcing::Days;
use read_model::{Error, Rows, Table};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How long a request id is remembered, in recorded time.
pub(crate) const REQUESTS_REMEMBERED: Days = Days(30);

pub(crate) const JOURNAL: Table<(), JournalRow> = Table::new("~j");
pub(crate) const POSITIONS: Table<u32, PositionRow> = Table::new("~p");
pub(crate) const VERSIONS: Table<String, u64> = Table::new("~v");
pub(crate) const REQUESTS: Table<(String, Uuid), RequestRow> = Table::new("~r");
pub(crate) const EXPIRIES: Table<(u32, i64, String, Uuid), ()> = Table::new("~x");
pub(crate) const IGNORED: Table<(u32, u64), ()> = Table::new("~i");
pub(crate) const UNREADABLE: Table<String, String> = Table::new("~u");
pub(crate) const INBOX: Table<u32, InboxRow> = Table::new("~n");
pub(crate) const PARKED: Table<(u32, String), u64> = Table::new("~k");
pub(crate) const QUEUE: Table<(u32, u64), Vec<u8>> = Table::new("~q");
pub(crate) const ACTIVATIONS: Table<(String, u32), ActivationRow> = Table::new("~a");
pub(crate) const TICKS: Table<u32, TickRow> = Table::new("~t");

/// The version of a stream: how many events it has. It is what an etag says.
pub fn version(rows: &dyn Rows, stream: &str) -> Result<u64, Error> {
    Ok(VERSIONS.get(rows, &stream.to_owned())?.unwrap_or(0))
}

/// Which journal the rows were built from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JournalRow {
    pub(crate) journal: Uuid,
    pub(crate) partitions: u32,
}

/// The last record applied of a partition, enough to recognise it again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct PositionRow {
    /// The next offset to apply.
    pub(crate) next: u64,
    /// A hash of the record before `next`.
    pub(crate) last_record: [u8; 16],
    /// Recorded time in microseconds: the latest so far.
    pub(crate) recorded_at: i64,
    /// Public events among the accepted commits.
    pub(crate) published: u64,
    /// Commits accepted.
    pub(crate) accepted: u64,
    /// Records that are none of ours.
    pub(crate) stray: u64,
}

/// A command that took effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RequestRow {
    pub(crate) fingerprint: [u8; 16],
    pub(crate) recorded_at: i64,
}

/// What was received last of a foreign partition.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct InboxRow {
    /// The last sequence number taken.
    pub(crate) sequence: u64,
    /// The offset after the record that carried it.
    pub(crate) next: u64,
    /// The foreign journal, once known.
    pub(crate) journal: Option<Uuid>,
}

/// Since when a policy acts in a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ActivationRow {
    /// The offset of its record.
    pub(crate) offset: u64,
    /// The day of its record: by the log or by the writer's clock, whichever is earlier.
    pub(crate) day: i64,
}

/// How far the daily ticks of a partition have come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TickRow {
    /// The last day that is done; without one, none is.
    pub(crate) done: Option<i64>,
    /// The last day that was begun.
    pub(crate) begun: i64,
    /// The instance that began it last.
    pub(crate) by: Uuid,
}
