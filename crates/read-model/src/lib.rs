//! The disposable read model on sled: rows, positions and a digest in one atomic step.
//!
//! Nothing in a [`Store`] is the truth; the log is. That is what allows its shape: a commit touches
//! memory only and becomes visible at once, a thread of its own merges commits into sled later, and
//! whatever is found damaged is moved aside and rebuilt from the log.
//!
//! ```text
//!           commit (one writer: the applier)            read (any number of readers)
//!             |                                           |
//!        +----v---------------------+                     |  a snapshot: the two maps as they were,
//!        | active  (persistent map) | <-------------------+  and sled below them
//!        +----+---------------------+                     |
//!             | freeze: rows, bytes or time               |
//!        +----v---------------------+                     |
//!        | frozen  (persistent map) | <-------------------+
//!        +----+---------------------+                     |
//!             | flusher thread: redo file, rows, summary  |
//!        +----v---------------------+                     |
//!        | sled                     | <-------------------+
//!        +--------------------------+
//! ```
//!
//! # Key layout
//!
//! ```text
//! <dir>/LOCK                                held by the one process that has the folder open
//! <dir>/generation-<schema>/sled/           the rows; trees: rows, meta, notes
//! <dir>/generation-<schema>/redo            the batch being written to sled, whole and checksummed
//! <dir>/generation-<schema>.damaged-<n>/    moved aside, at most two are kept
//!
//! rows    table name, 0x00, key             -> postcard of the value      (typed by `Table`)
//! meta    "summary"                         -> format, schema, service, batch, rows, digest, checksum
//! notes   any bytes                         -> any bytes                  (hints, outside the digest)
//! ```
//! Positions, stream versions and remembered requests are ordinary rows that the engine writes in
//! the same transaction as the rows they belong to, so they are atomic with them and in the digest.

mod damage;
mod digest;
mod disk;
mod error;
mod filter;
mod flusher;
mod generation;
mod key;
mod merge;
mod overlay;
mod patience;
mod redo;
mod rows;
mod scratch;
mod shared;
mod store;
mod summary;
mod table;

pub use digest::Digest;
pub use error::Error;
pub use key::{Key, Prefix};
pub use overlay::Snapshot;
pub use rows::{Direction, KeyRange, Rows, RowsMut, Visitor};
pub use scratch::Scratch;
pub use store::{Options, Store, Tx};
pub use table::Table;
