//! A log in one file for one machine: redb behind the journal port.
//!
//! ```text
//!   append --> queue (bounded) --> one writer thread --> one redb commit, one fsync, for all waiting
//!                                        |
//!                                        +--> window of the newest records --> tails at the end
//!                                        +--> the end of the partition     --> end(), woken tails
//!                                        +--> answers
//!   tails far behind <-- redb <-- the same file
//! ```
//!
//! Durability: an append is acknowledged, and read by anybody, after `fsync` returned. A power cut
//! loses nothing that was acknowledged. One process has the file; a second one is refused.

mod codec;
mod folder;
mod log;
mod partition;
#[cfg(test)]
mod power_cut;
mod store;
mod topics;
mod writer;

pub use topics::{EmbeddedOptions, EmbeddedTopics};
