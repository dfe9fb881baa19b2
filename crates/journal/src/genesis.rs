//! How a journal begins: the record that says which journal it is and how streams are placed.

use uuid::Uuid;

use crate::Placement;

/// The way of placing streams that this release knows: see [`Placement::partition_of`].
pub const HASH: &str = "blake3-64";

/// The first record of every partition of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    /// Which journal this is; one for all its partitions.
    pub cluster_uuid: Uuid,
    /// Over how many partitions streams are spread.
    pub partitions: u32,
    /// How a stream's partition is found; this release knows [`HASH`].
    pub hash: String,
    /// The seed of that hash.
    pub seed: u64,
    /// The format of the journal's records; this release knows [`FORMAT`](crate::commit::FORMAT).
    pub format: u32,
}

impl Genesis {
    /// What a new journal of this release begins with.
    pub fn new(cluster_uuid: Uuid, partitions: u32, seed: u64) -> Self {
        Self {
            cluster_uuid,
            partitions,
            hash: HASH.to_owned(),
            seed,
            format: crate::commit::FORMAT,
        }
    }

    /// Where its streams belong.
    pub fn placement(&self) -> Placement {
        Placement::new(self.partitions, self.seed)
    }
}
