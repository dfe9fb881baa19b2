//! The rows that are not in sled yet, as maps that a snapshot keeps for the price of a pointer.

use std::fmt;
use std::sync::mpsc::Sender;

use bytes::Bytes;
use rpds::RedBlackTreeMapSync;

use crate::disk::Disk;
use crate::merge::{Directed, merge};
use crate::summary::Summary;
use crate::{Direction, Error, KeyRange, Rows, Visitor};

/// Changed rows by key; `None` is a deletion. Persistent: a clone is a pointer, and a change copies
/// only the nodes that an older clone still looks at.
pub(crate) type Overlay = RedBlackTreeMapSync<Bytes, Option<Bytes>>;

/// What lies above sled at one moment, and what it all adds up to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layers {
    /// Changed since the last freeze.
    pub(crate) active: Overlay,
    /// On its way into sled; empty when no flush is under way.
    pub(crate) frozen: Overlay,
    /// Of all rows: both layers and sled.
    pub(crate) summary: Summary,
}

/// Kept by everything that looks at the layers of one epoch (the time between two freezes). When
/// all clones are gone, the other end of the channel knows that nobody looks any more.
pub(crate) type Epoch = Sender<std::convert::Infallible>;

/// The rows as they were at one moment: no commit and no flush changes what it shows.
///
/// While it lives, the next flush waits, so it is for the length of a query, not for keeping.
pub struct Snapshot<'a> {
    layers: Layers,
    disk: Option<&'a Disk>,
    _epoch: Epoch,
}

impl<'a> Snapshot<'a> {
    pub(crate) fn new(layers: Layers, disk: Option<&'a Disk>, epoch: Epoch) -> Self {
        Self {
            layers,
            disk,
            _epoch: epoch,
        }
    }

    /// The digest of exactly these rows.
    pub fn digest(&self) -> crate::Digest {
        self.layers.summary.digest
    }

    /// How many rows there are.
    pub fn row_count(&self) -> u64 {
        self.layers.summary.rows
    }

    pub(crate) fn layers(&self) -> &Layers {
        &self.layers
    }

    /// The value as the active layer finds it.
    pub(crate) fn get_below(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        match (self.layers.frozen.get(key), self.disk) {
            (Some(change), _) => Ok(change.clone()),
            (None, Some(disk)) => disk.get(key),
            (None, None) => Ok(None),
        }
    }
}

impl fmt::Debug for Snapshot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("summary", &self.layers.summary)
            .finish_non_exhaustive()
    }
}

impl Rows for Snapshot<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        match self.layers.active.get(key) {
            Some(change) => Ok(change.clone()),
            None => self.get_below(key),
        }
    }

    fn visit(
        &self,
        range: &KeyRange,
        direction: Direction,
        visit: &mut Visitor<'_>,
    ) -> Result<(), Error> {
        if range.is_empty() {
            return Ok(());
        }
        let disk = |visit: &mut Visitor<'_>| {
            self.disk
                .map_or(Ok(()), |disk| disk.visit(range, direction, visit))
        };
        let frozen = |visit: &mut Visitor<'_>| {
            merge(
                changes(&self.layers.frozen, range, direction),
                direction,
                disk,
                visit,
            )
        };
        merge(
            changes(&self.layers.active, range, direction),
            direction,
            frozen,
            visit,
        )
    }
}

fn changes<'a>(
    overlay: &'a Overlay,
    range: &'a KeyRange,
    direction: Direction,
) -> impl Iterator<Item = crate::merge::Change<'a>> {
    Directed::new(overlay.range::<[u8], _>(range.bounds()), direction)
        .map(|(key, value)| (key.as_ref(), value.as_deref()))
}
