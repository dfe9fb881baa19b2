//! The acceptance rule: which commits count. It stands here and nowhere else.
//!
//! Kafka cannot append *only if nothing has changed*. So the condition travels inside the commit, the
//! commit is appended in any case, and each reader decides when it meets it. All readers of a partition
//! meet the same records in the same order, begin with no versions at all and apply this function, so
//! they agree about every commit without a word between them.
//!
//! Two things keep it safe for ever. It never looks into an event, so an old release and a new one
//! judge alike. And versions only grow, so what was refused once can never be accepted later: a commit
//! that comes late, or twice, does no harm.

use std::collections::HashSet;

use crate::{Commit, Partition, Placement, StreamId};

/// What the rule says about a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It counts: each stream it appends to now has the version
    /// [`AppendTo::version_after`](crate::AppendTo::version_after).
    Accepted,
    /// It does not count, for anybody, ever.
    Ignored(Reason),
}

/// Why a commit does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// It has no event.
    #[error("the commit has no event")]
    NoEvent,
    /// It names a stream twice.
    #[error("the commit names the stream {0} twice")]
    StreamTwice(StreamId),
    /// It stands in a partition that one of its streams does not belong to.
    #[error("the stream {0} does not belong to this partition")]
    OtherPartition(StreamId),
    /// The stream has another version than the one that was expected.
    #[error("the stream {stream} has version {found}, the commit expected {expected}")]
    Version {
        /// The first such stream.
        stream: StreamId,
        /// The version the commit was decided on.
        expected: u64,
        /// The version the stream has.
        found: u64,
    },
}

/// Judges a commit that stands in `partition`, when `version` tells how many events a stream has
/// accepted so far (0 for one that nobody has appended to).
///
/// Errors are those of `version` alone.
pub fn accept<E>(
    commit: &Commit,
    partition: Partition,
    placement: &Placement,
    mut version: impl FnMut(&StreamId) -> Result<u64, E>,
) -> Result<Verdict, E> {
    if let Err(reason) = well_formed(commit, partition, placement) {
        return Ok(Verdict::Ignored(reason));
    }
    for append in &commit.appends {
        let found = version(&append.stream)?;
        if found != append.expected_version {
            return Ok(Verdict::Ignored(Reason::Version {
                stream: append.stream.clone(),
                expected: append.expected_version,
                found,
            }));
        }
    }
    Ok(Verdict::Accepted)
}

/// Whether the commit could be accepted at all in `partition`: to be asked before it is written.
pub fn well_formed(
    commit: &Commit,
    partition: Partition,
    placement: &Placement,
) -> Result<(), Reason> {
    let mut seen = HashSet::with_capacity(commit.appends.len());
    for append in &commit.appends {
        if !seen.insert(&append.stream) {
            return Err(Reason::StreamTwice(append.stream.clone()));
        }
        if placement.partition_of(&append.stream) != partition {
            return Err(Reason::OtherPartition(append.stream.clone()));
        }
    }
    if commit.appends.iter().all(|append| append.events.is_empty()) {
        return Err(Reason::NoEvent);
    }
    Ok(())
}
