//! The port to a conditional journal: the promise a log keeps, and the acceptance rule.
//!
//! A log is a plain one: it appends bytes to partitions and reads them back in order. What makes a journal
//! of it is the [acceptance rule](accept()), which every reader applies to every record in the order of its
//! partition. So a log needs no conditional append, no transactions and no owner.
//!
//! | file | what |
//! |---|---|
//! | `log.rs` | the port and its written contract |
//! | `stream.rs` | names of streams, and which partition each belongs to |
//! | `commit.rs` | what one command writes, and its bytes |
//! | `accept.rs` | the rule |
//! | `genesis.rs` | what all partitions have in common, agreed on without a leader |
//! | `position.rs` | how far a reader is, as a token |
//! | `memory.rs` | a log in memory |
//! | `raw.rs` | how fast a log is by itself |

mod accept;
mod commit;
mod error;
mod genesis;
mod log;
pub mod memory;
mod position;
pub mod raw;
mod stream;

pub use accept::{Ignored, Verdict, accept};
pub use commit::{
    AppendTo, Commit, Decoded, Entry, Event, MAX_COMMIT_BYTES, decode, encode_commit,
    encode_genesis,
};
pub use error::{Error, ErrorKind};
pub use genesis::{Genesis, establish};
pub use log::{
    Append, BoxFuture, Header, Kind, Log, MAX_BATCH, Offset, Partition, Record, Stored, Tail,
    TopicSpec, Topics,
};
pub use position::Position;
pub use stream::{Placement, StreamId};
