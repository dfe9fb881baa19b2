//! What stands in a journal: the Genesis of a partition, and commits.

use bytes::Bytes;
use eventsourcing::Time;
use uuid::Uuid;

use crate::{Genesis, StreamId};

/// The largest commit that may be written, encoded, in bytes.
pub const MAX_COMMIT_BYTES: usize = 900 * 1024;

/// The one format this release writes and reads.
pub const FORMAT: u32 = 1;

/// What a record of a journal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Which journal this is. Counts only at offset 0.
    Genesis(Genesis),
    /// What one command wrote.
    Commit(Commit),
}

/// What one command writes, all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Names this attempt to write it.
    pub commit_id: Uuid,
    /// Names the command; a retry carries the same.
    pub request_id: Uuid,
    /// A digest of the request as it was sent, to tell a retry from another request of the same name.
    pub fingerprint: [u8; 16],
    /// Who asked for it; no personal data.
    pub actor: String,
    /// What the writer's clock showed.
    pub time: Time,
    /// The W3C `traceparent` of the request, or empty.
    pub trace_context: String,
    /// What goes to which stream; no stream twice, all of one partition.
    pub appends: Vec<AppendTo>,
}

/// The part of a commit that concerns one stream. Without events it is a *guard*: it checks a version
/// and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendTo {
    /// The stream.
    pub stream: StreamId,
    /// How many events the stream must have for the commit to be accepted.
    pub expected_version: u64,
    /// What is added to it.
    pub events: Vec<Event>,
}

/// One event, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its type, such as `PromiseBroken`.
    pub kind: String,
    /// The version of its payload's shape.
    pub schema: u32,
    /// Whether other services are told.
    pub public: bool,
    /// Its content; opaque to the journal.
    pub payload: Bytes,
}

/// What a reader finds in a record. Readers of all releases must find the same, [`UnknownFormat`]
/// excepted, which stops an old one.
///
/// [`UnknownFormat`]: Decoded::UnknownFormat
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// Something this release reads.
    Entry(Entry),
    /// Not ours: it does not begin with our magic. To be counted and ignored, by everybody.
    Stray,
    /// Ours, in a format that this release does not know: a newer one wrote it, the reader must stop.
    UnknownFormat(u32),
    /// Ours by its beginning and nothing that any release could have written; the text says what is
    /// wrong. To be counted and ignored, by everybody.
    Malformed(String),
}

impl AppendTo {
    /// The version of the stream once the commit is accepted.
    pub fn version_after(&self) -> u64 {
        let events = u64::try_from(self.events.len()).unwrap_or(u64::MAX);
        self.expected_version.saturating_add(events)
    }
}
