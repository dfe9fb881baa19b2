//! The port to a conditional journal: the promise a log keeps, and the acceptance rule.
//!
//! A log is asked for little: append a record, say where the end is, hand records out in order. It is
//! never asked to append *only if nothing has changed*; that condition stands in the record itself
//! (a [`Commit`] names the versions it expects) and every reader judges it by the same rule
//! ([`accept()`]). So the log may be Kafka, a file or a vector in memory, and any number of writers
//! may append at the same time without knowing of each other.
//!
//! ```text
//!   writer A --append--\                                 /--> reader: accept? --> its versions
//!   writer B --append---+--> one partition, one order --+---> reader: accept? --> its versions
//!   writer C --append--/                                 \--> reader: accept? --> its versions
//! ```
//!
//! What is where: the promise of a log is [`Log`], [`Tail`] and [`Topics`] below; what a commit is,
//! [`commit`]; which of them count, [`mod@accept`]; how a journal begins, [`genesis`]; how far
//! somebody has read, [`position`]. Two logs live here, [`memory`] and the misbehaving [`simulator`],
//! beside the suite that every log must pass ([`conformance`]) and its speed ([`raw`]).

pub mod accept;
mod codec;
pub mod commit;
pub mod conformance;
mod error;
pub mod genesis;
pub mod memory;
pub mod position;
pub mod raw;
mod record;
pub mod simulator;
mod stream;

use std::fmt::Debug;
use std::sync::Arc;

pub use accept::{Reason, Verdict, accept};
pub use codec::{decode, encode_commit, encode_genesis};
pub use commit::{AppendTo, Commit, Decoded, Entry, Event, MAX_COMMIT_BYTES};
pub use error::{Error, ErrorKind};
pub use genesis::{Genesis, establish};
pub use position::{InvalidToken, Position};
pub use record::{Append, Batch, Header, Record, Stored};
pub use stream::{InvalidStream, Placement, StreamId};

/// The number of a partition, from 0.
pub type Partition = u32;

/// The place of a record in its partition: 0, 1, 2 and so on without a gap.
pub type Offset = u64;

/// A future that can be sent to another thread, without a type of its own.
pub type BoxFuture<'a, T> = futures::future::BoxFuture<'a, T>;

/// The largest [`Record::size`] that every log takes.
pub const MAX_RECORD_BYTES: usize = 1024 * 1024;

/// The most records that one [`Tail::next`] hands out.
pub const MAX_BATCH_RECORDS: usize = 1_024;

/// The most bytes ([`Record::size`]) that one [`Tail::next`] hands out, unless one record alone is larger.
pub const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;

/// One topic: a fixed number of partitions, each an ordered, append-only sequence of records.
///
/// ```text
///   partition 3
///   offset      0          1          2          3          4
///          +----------+----------+----------+----------+ - - - - -+
///          |  record  |  record  |  record  |  record  |          |
///          +----------+----------+----------+----------+ - - - - -+
///               ^                     ^                     ^
///               the first             tail(3, 2)            end(3) = 4:
///               is never deleted      begins here           the next record stands here,
///                                                           tail(3, 4) waits for it
/// ```
///
/// # What a log promises
///
/// 1. **One order.** Whoever reads a partition, from wherever and as often as he likes, sees the same
///    records at the same offsets. Between partitions there is no order.
/// 2. **No gap.** Offsets are dense from 0. A log that cannot hand out the next record says so with an
///    error; it never steps over one. (A topic of [`Kind::Keys`] is the exception: it forgets records
///    whose key was written again, and there offsets only rise.)
/// 3. **Nothing written is lost.** After [`Append::Written`] the record survives a crash of any
///    process and a power cut, as far as the log's documented durability goes.
/// 4. **Readers see only what lasts.** A record is handed out, and counts for [`end`](Log::end), only
///    when rule 3 holds for it.
/// 5. **The end does not lie.** An answer of `end` is at least as large as it was true at some moment
///    after the question was asked. Whatever was acknowledged before that, to anybody, lies below.
///
/// # What it does not promise
///
/// A record may stand there twice. It may appear although its writer was told
/// [`Append::Unknown`], also long afterwards. Records of one writer may stand in another order than
/// their appends began; only an append that begins after another was acknowledged stands behind it.
pub trait Log: Debug + Send + Sync {
    /// The name of the topic.
    fn topic(&self) -> &str;

    /// How many partitions there are: they are numbered from 0 to one less than this.
    fn partitions(&self) -> u32;

    /// Appends `record` to `partition`.
    ///
    /// The future owns all it needs. Nothing happens before it is polled; once it has been, the record
    /// may come to stand in the log even if the future is dropped. Whoever must not cut the answer off
    /// spawns it.
    ///
    /// There is no error beside the three outcomes: each says what is known about the record, and none
    /// says whether a reader will accept it.
    fn append(&self, partition: Partition, record: Record) -> BoxFuture<'static, Append>;

    /// The offset behind the last lasting record of `partition`: the read barrier.
    ///
    /// It MUST be asked from the log each time: whoever has applied everything below the answer has
    /// applied everything that was acknowledged anywhere before the question.
    ///
    /// Errors: [`ErrorKind::Unavailable`] when the log cannot be asked now,
    /// [`ErrorKind::Misconfigured`] when there is no such partition.
    fn end(&self, partition: Partition) -> BoxFuture<'static, Result<Offset, Error>>;

    /// Reads `partition` from `from` on, for ever.
    ///
    /// `from` may be at most the present end. What is wrong with it (no such partition, beyond the
    /// end, older than the oldest record) is the error of the first [`Tail::next`].
    fn tail(&self, partition: Partition, from: Offset) -> Box<dyn Tail>;

    /// Takes what a topic of [`Kind::Keys`] has forgotten off the disk, as far as that is in this log's hands.
    ///
    /// Whoever keeps its own files does it at once; where brokers keep them, they do it in their own time, and
    /// there is nothing to do here.
    ///
    /// Errors: [`ErrorKind::Unavailable`] when the disk fails; the log is as it was before, or closed.
    fn scrub(&self) -> BoxFuture<'static, Result<(), Error>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A reader of one partition that follows it as it grows.
pub trait Tail: Send {
    /// The next records, at least one, in order and without a gap; waits for as long as there is none.
    ///
    /// - MUST be cancel-safe: a dropped future loses no record, the next call begins with the same one.
    /// - MUST wake at once when a record is there, and MUST NOT hold one back to fill a batch.
    /// - MUST stay within [`MAX_BATCH_RECORDS`] and [`MAX_BATCH_BYTES`]; a larger single record comes
    ///   alone.
    ///
    /// Errors: [`ErrorKind::Unavailable`] may pass, the same tail may be asked again.
    /// [`ErrorKind::Truncated`]: the log ends before the place this tail has reached, so records that
    /// it handed out are gone. [`ErrorKind::Gap`]: the record at that place was deleted, although later
    /// ones are there. After these two the tail stays where it is and repeats the error.
    fn next(&mut self) -> BoxFuture<'_, Result<Vec<Stored>, Error>>;
}

/// The topics of one log: where a [`Log`] comes from.
pub trait Topics: Debug + Send + Sync {
    /// Opens a topic; creates it, with the settings its kind needs, if it is missing and that is allowed.
    ///
    /// A topic that has more partitions than `topic` asks for is opened as it is.
    ///
    /// Errors: [`ErrorKind::Misconfigured`] when it is missing and must not be created, has fewer
    /// partitions, is of another kind or has settings that would lose records.
    fn open(&self, topic: &TopicSpec) -> BoxFuture<'_, Result<Arc<dyn Log>, Error>>;
}

/// Which topic is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSpec {
    /// Its name, such as `patron.acquisition.journal`.
    pub name: String,
    /// With how many partitions it is created, at least 1.
    pub partitions: u32,
    /// What it is for.
    pub kind: Kind,
}

/// What a topic is for, and so how long it keeps its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The private history of a service: every record is kept for ever.
    Journal,
    /// The events a service tells others: every record is kept for ever.
    Public,
    /// Keys of personal data: of each record key only the newest record is kept for certain, and an
    /// empty value is a tombstone that takes its predecessors away.
    Keys,
}

impl TopicSpec {
    /// Whether a topic that was found with these `partitions` and of that `kind` may be opened as this
    /// one: what every implementation of [`Topics::open`] asks.
    ///
    /// Errors: [`ErrorKind::Misconfigured`].
    pub fn check_found(&self, partitions: u32, kind: Kind) -> Result<(), Error> {
        let name = &self.name;
        if kind != self.kind {
            let wanted = self.kind;
            return Err(Error::new(
                ErrorKind::Misconfigured,
                format!("the topic {name} is of kind {kind:?}, not {wanted:?}"),
            ));
        }
        if partitions < self.partitions || partitions == 0 {
            let wanted = self.partitions;
            return Err(Error::new(
                ErrorKind::Misconfigured,
                format!("the topic {name} has {partitions} partitions, but {wanted} are needed"),
            )
            .with_page("journal-partitions"));
        }
        Ok(())
    }
}
