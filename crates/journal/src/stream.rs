//! Names of streams, and which partition each belongs to.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::{Error, ErrorKind, Partition};

const LONGEST: usize = 256;

/// The name of a stream: `collection/id`, such as `customers/6f...`.
///
/// A stream that belongs to a partition and not to an aggregate names it at its end, behind a tilde:
/// `inbox/patron.acquisition.events/~7`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(Arc<str>);

impl StreamId {
    /// A stream of this name.
    ///
    /// # Errors
    /// If it has no collection or no id, is longer than 256 bytes, or has white space or control characters.
    pub fn new(name: &str) -> Result<Self, Error> {
        let id = name
            .split_once('/')
            .map(|(collection, id)| (!collection.is_empty(), id));
        let well_formed = id.is_some_and(|(named, id)| named && !id.is_empty())
            && name.len() <= LONGEST
            && !name.chars().any(|c| c.is_whitespace() || c.is_control());
        if well_formed {
            return Ok(Self(name.into()));
        }
        Err(Error::new(
            ErrorKind::Invalid,
            format!("{name:?} is no name of a stream"),
        ))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What comes before the first slash.
    pub fn collection(&self) -> &str {
        self.0
            .split_once('/')
            .map_or("", |(collection, _)| collection)
    }

    /// What comes after it.
    pub fn id(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, id)| id)
    }

    /// The partition that it names, if it names one.
    fn pinned(&self) -> Option<Partition> {
        self.0
            .rsplit_once("/~")
            .and_then(|(_, number)| number.parse().ok())
    }
}

impl FromStr for StreamId {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::new(name)
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where streams go: the hash of the id, the same in every journal of the same seed. So `prospects/x` and
/// `customers/x` have one partition number, and partition k of one service feeds partition k of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    partitions: u32,
    seed: u64,
}

impl Placement {
    /// Over so many partitions, with this seed.
    pub const fn new(partitions: u32, seed: u64) -> Self {
        Self { partitions, seed }
    }

    /// How many partitions there are.
    pub const fn partitions(&self) -> u32 {
        self.partitions
    }

    /// The partition of a stream.
    pub fn partition_of(&self, stream: &StreamId) -> Partition {
        if let Some(partition) = stream.pinned() {
            return partition;
        }
        let mut hash = [0; 8];
        blake3::Hasher::new()
            .update(&self.seed.to_le_bytes())
            .update(stream.id().as_bytes())
            .finalize_xof()
            .fill(&mut hash);
        let place = u64::from_le_bytes(hash) % u64::from(self.partitions.max(1));
        u32::try_from(place).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Placement, StreamId};

    fn stream(name: &str) -> StreamId {
        StreamId::new(name).unwrap()
    }

    #[test]
    fn one_id_has_one_partition_in_every_collection() {
        let placement = Placement::new(12, 0);
        for id in ["a", "b", "6f1d", "van-repair"] {
            let prospect = placement.partition_of(&stream(&format!("prospects/{id}")));
            assert_eq!(
                prospect,
                placement.partition_of(&stream(&format!("customers/{id}")))
            );
            assert!(prospect < 12);
        }
    }

    #[test]
    fn a_stream_may_name_its_partition() {
        let placement = Placement::new(12, 0);
        assert_eq!(
            placement.partition_of(&stream("inbox/patron.acquisition.events/~7")),
            7
        );
        assert_eq!(placement.partition_of(&stream("tick/2026-01-01/~11")), 11);
    }

    #[test]
    fn placement_is_for_ever() {
        let placement = Placement::new(12, 0);
        let places: Vec<u32> = ["a", "b", "c", "d"]
            .map(|id| placement.partition_of(&stream(&format!("x/{id}"))))
            .to_vec();
        assert_eq!(places, PLACES);
    }

    /// Computed once and written down: a change would orphan every journal there is.
    const PLACES: [u32; 4] = [6, 9, 5, 8];

    #[test]
    fn names_have_a_collection_and_an_id() {
        for wrong in [
            "",
            "a",
            "/a",
            "a/",
            "a b/c",
            "a/\n",
            &format!("a/{}", "b".repeat(256)),
        ] {
            assert!(StreamId::new(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(
            (stream("a/b/c").collection(), stream("a/b/c").id()),
            ("a", "b/c")
        );
    }
}
