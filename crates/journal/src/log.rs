//! The port: what a log promises, whichever it is.
//!
//! ```text
//!             0     1     2     3     4            next append goes here
//!  partition  [ a ] [ b ] [ c ] [ d ] [ e ]        |
//!                         ^                        ^
//!                         tail from 2              end = 5
//! ```
//!
//! # What every log MUST keep
//! 1. **Order.** Records of a partition have the offsets 0, 1, 2, ... without a gap, and keep them for ever.
//! 2. **One history.** All readers of a partition read the same bytes at the same offset, at any time.
//! 3. **Written is written.** After [`Append::Written`] the record is in the partition, survives what the
//!    log promises to survive, and is below every [`end`](Log::end) that is asked from then on.
//! 4. **Not written is not written.** After [`Append::NotWritten`] the record never appears.
//! 5. **Unknown is honest.** After [`Append::Unknown`] it may appear now, later, or never.
//! 6. **At least once.** A record may stand twice; whoever needs it once has a rule for that.
//! 7. **The end is asked.** [`end`](Log::end) is never answered from a cache: everything written anywhere
//!    before the call is below it.
//! 8. **Time.** Each record carries the log's own time of append. It may step back; readers make it
//!    monotonic.
//!
//! A log says nothing about acceptance. `conformance` tests hold every implementation to these sentences.

use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;
use eventsourcing::Time;

use crate::Error;

/// A partition's number, from 0.
pub type Partition = u32;
/// A record's place in its partition, from 0.
pub type Offset = u64;
/// A future that owns what it needs.
pub type BoxFuture<'a, T> = futures::future::BoxFuture<'a, T>;

/// A tail hands out at most so many records at once.
pub const MAX_BATCH: usize = 1_024;

/// A name and a value beside a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The name.
    pub name: String,
    /// The value.
    pub value: Bytes,
}

/// What is appended. Journals use the value alone; public topics all of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// The key, if it has one.
    pub key: Option<Bytes>,
    /// Names and values beside it, in order.
    pub headers: Vec<Header>,
    /// The bytes.
    pub value: Bytes,
}

impl Record {
    /// A record with nothing but a value.
    pub const fn value(value: Bytes) -> Self {
        Self {
            key: None,
            headers: Vec::new(),
            value,
        }
    }

    /// Roughly how many bytes it takes.
    pub fn size(&self) -> usize {
        let headers: usize = self
            .headers
            .iter()
            .map(|header| header.name.len() + header.value.len())
            .sum();
        self.key.as_ref().map_or(0, Bytes::len) + headers + self.value.len()
    }
}

/// A record in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Where it stands.
    pub offset: Offset,
    /// When the log got it.
    pub time: Time,
    /// The record.
    pub record: Record,
}

/// What is known of an append. None of these says whether a commit is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Append {
    /// It is in the log.
    Written,
    /// It is not in the log and never will be.
    NotWritten(String),
    /// It may be in the log.
    Unknown(String),
}

/// One topic of a log.
pub trait Log: Debug + Send + Sync + 'static {
    /// The topic's name.
    fn topic(&self) -> &str;

    /// How many partitions it has.
    fn partitions(&self) -> u32;

    /// Appends a record. The future owns everything, so it can be spawned and forgotten: a caller that goes
    /// away must not cut a write in half. Appends whose futures are polled in an order keep that order.
    fn append(&self, partition: Partition, record: Record) -> BoxFuture<'static, Append>;

    /// The offset that the next record of the partition gets: the read barrier.
    fn end(&self, partition: Partition) -> BoxFuture<'static, Result<Offset, Error>>;

    /// Reads the partition from an offset on, for ever.
    fn tail(&self, partition: Partition, from: Offset) -> Box<dyn Tail>;
}

/// Reads one partition, in order and without a gap.
pub trait Tail: Send {
    /// The next records, at least one and at most [`MAX_BATCH`]; waits for them. Dropping the future loses
    /// nothing. After an error, a new tail has to be asked for.
    fn next(&mut self) -> BoxFuture<'_, Result<Vec<Stored>, Error>>;
}

/// What a topic is for, and so how the log keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A service's own journal: everything is kept for ever.
    Journal,
    /// Public events: everything is kept for ever.
    Public,
    /// Keys: the last record of each key is kept.
    Keys,
}

/// A topic to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSpec {
    /// Its name.
    pub name: String,
    /// How many partitions it gets if it is new.
    pub partitions: u32,
    /// What it is for.
    pub kind: Kind,
}

/// Where topics are.
pub trait Topics: Debug + Send + Sync + 'static {
    /// Opens a topic, and makes it first if it is missing and may be made.
    fn open(&self, topic: &TopicSpec) -> BoxFuture<'_, Result<Arc<dyn Log>, Error>>;
}
