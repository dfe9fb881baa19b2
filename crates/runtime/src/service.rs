//! What a service gives to the engine: how its events become rows, and what foreign events mean to it.

use std::fmt::Debug;

use eventsourcing::Time;
use journal::{Event, Offset, Partition, StreamId};
use read_model::RowsMut;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Foreign, Work};

/// A service as the engine sees it.
pub trait Service: Debug + Send + Sync + 'static {
    /// Its name: `acquisition`. Topics and folders are named after it.
    fn name(&self) -> &'static str;

    /// The number of its row layout. A change of any row's meaning or bytes needs a new number, and the
    /// read model is then built anew from the journal.
    fn schema(&self) -> u32;

    /// Folds one accepted event into the rows.
    ///
    /// It must be a function of the rows and the fact alone, and rows that are fed by several partitions
    /// must not depend on the order between them: every instance has to end up with the same rows.
    fn apply(&self, rows: &mut dyn RowsMut, fact: &Fact<'_>) -> Result<(), ApplyError>;

    /// Whether an event of the other service may have a meaning here. One that has none is recorded too, but
    /// together with what comes next: nobody waits for it.
    fn concerns(&self, _event: &Foreign) -> bool {
        true
    }

    /// Decides what an event of the other service means here, emitting effects through `work`.
    fn receive(&self, work: &mut Work<'_>, event: &Foreign) -> Result<Receipt, ApplyError>;
}

/// One event and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Fact<'a> {
    /// The stream it belongs to.
    pub stream: &'a StreamId,
    /// The stream's version with this event.
    pub version: u64,
    /// The partition of the journal.
    pub partition: Partition,
    /// The record's offset; `Offset::MAX` while a decision only tries the event out.
    pub offset: Offset,
    /// Its place among the events of its commit.
    pub index: u32,
    /// The commit that wrote it.
    pub commit_id: Uuid,
    /// Recorded time: never steps back within a partition.
    pub recorded_at: Time,
    /// Kind, schema and payload.
    pub event: &'a Event,
}

impl Fact<'_> {
    /// The event's identity, the same wherever it goes.
    pub fn event_id(&self) -> String {
        event_id(self.commit_id, self.index)
    }

    /// Its place in the journal, for rows that are asked later what was known when.
    pub const fn recorded(&self) -> Recorded {
        Recorded {
            partition: self.partition,
            offset: self.offset,
            at: self.recorded_at,
        }
    }
}

/// Where and when the journal took a fact: what rows keep that must answer as of an earlier knowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Recorded {
    /// The partition of the journal.
    pub partition: Partition,
    /// The record's offset in it.
    pub offset: Offset,
    /// Recorded time.
    pub at: Time,
}

/// The identity of the event with this index in this commit.
pub fn event_id(commit_id: Uuid, index: u32) -> String {
    format!("{commit_id}-{index}")
}

/// Why an event could not be folded.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// This release does not know the event's kind or schema, or cannot read its bytes. Its version
    /// counts, its stream answers no commands until a release that knows it has rebuilt the rows.
    #[error("this release cannot read the event: {0}")]
    Unreadable(String),
    /// The read model failed.
    #[error(transparent)]
    Store(#[from] read_model::Error),
}

/// What became of a foreign event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// It had the effects that were emitted, or it informs views only.
    Applied,
    /// Its kind does not concern this service.
    Skipped,
    /// The domain refused, for this reason. That is an outcome, recorded and final.
    Refused(String),
    /// This release should but cannot read it. It waits, and later events of its subject behind it.
    Parked(String),
}
