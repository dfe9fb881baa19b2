//! The names of streams, and the partition each belongs to.

use std::fmt;
use std::sync::Arc;

use crate::Partition;

/// The longest name of a stream, in bytes.
const MAX_BYTES: usize = 256;

/// The name of a stream: `<collection>/<id>`, such as `customers/6f1c…`, cheap to clone.
///
/// Segments are parted by `/`, at least two, none empty, of the letters `A-Z a-z 0-9 . _ -`. The last
/// may instead be `~` and a number without leading zeros: then the stream is *pinned* to that
/// partition (`inbox/patron.acquisition.events/~7`).
///
/// What is a name is part of the stored format: readers of all releases must agree on it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(Arc<str>);

/// Why a text is not the name of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidStream {
    /// Longer than 256 bytes.
    #[error("the name of a stream has at most {MAX_BYTES} bytes")]
    TooLong,
    /// Not two segments or more, or an empty one.
    #[error("the name of a stream is <collection>/<id>, and no part of it is empty")]
    Shape,
    /// A letter outside the alphabet, or a pin that is not the last segment.
    #[error(
        "the name of a stream is made of A-Z a-z 0-9 . _ - and /, with ~<partition> at most at its end"
    )]
    Letter,
    /// A pin that is not a plain number.
    #[error("after ~ the name of a stream has the number of its partition, without leading zeros")]
    Pin,
}

/// Which partition a stream belongs to, the same for every release, written down in the Genesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    partitions: u32,
    seed: u64,
}

impl StreamId {
    /// The stream of that name.
    pub fn new(name: impl AsRef<str>) -> Result<Self, InvalidStream> {
        let name = name.as_ref();
        check(name)?;
        Ok(Self(Arc::from(name)))
    }

    /// The stream `<name>/~<partition>`, pinned to that partition.
    pub fn pinned(name: impl AsRef<str>, partition: Partition) -> Result<Self, InvalidStream> {
        Self::new(format!("{}/~{partition}", name.as_ref()))
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the first `/`.
    pub fn collection(&self) -> &str {
        self.0
            .split_once('/')
            .map_or("", |(collection, _)| collection)
    }

    /// What stands after the first `/`.
    pub fn id(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, id)| id)
    }

    /// The partition it is pinned to, if it is.
    pub fn pin(&self) -> Option<Partition> {
        let (_, last) = self.0.rsplit_once('/')?;
        last.strip_prefix('~')?.parse().ok()
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for StreamId {
    type Err = InvalidStream;

    fn from_str(name: &str) -> Result<Self, InvalidStream> {
        Self::new(name)
    }
}

impl Placement {
    /// The placement over `partitions` partitions (0 counts as 1) with that seed.
    pub fn new(partitions: u32, seed: u64) -> Self {
        Self {
            partitions: partitions.max(1),
            seed,
        }
    }

    /// Over how many partitions streams are spread.
    pub fn partitions(&self) -> u32 {
        self.partitions
    }

    /// The partition of `stream`.
    ///
    /// A pinned stream belongs where it says, even if there is no such partition (then no commit to it
    /// is ever accepted). Any other goes by what stands after the first `/`, so `prospects/x` and
    /// `customers/x` meet in one partition: BLAKE3 keyed with the seed, its first 8 bytes read as
    /// little-endian number, modulo the number of partitions.
    pub fn partition_of(&self, stream: &StreamId) -> Partition {
        stream.pin().unwrap_or_else(|| self.of_id(stream.id()))
    }

    fn of_id(&self, id: &str) -> Partition {
        let mut key = [0; blake3::KEY_LEN];
        for (byte, of_seed) in key.iter_mut().zip(self.seed.to_le_bytes()) {
            *byte = of_seed;
        }
        let mut first = [0; 8];
        let hash = blake3::keyed_hash(&key, id.as_bytes());
        for (byte, of_hash) in first.iter_mut().zip(hash.as_bytes()) {
            *byte = *of_hash;
        }
        let partition = u64::from_le_bytes(first) % u64::from(self.partitions);
        u32::try_from(partition).unwrap_or_default()
    }
}

fn check(name: &str) -> Result<(), InvalidStream> {
    if name.len() > MAX_BYTES {
        return Err(InvalidStream::TooLong);
    }
    let (front, last) = name.rsplit_once('/').ok_or(InvalidStream::Shape)?;
    if last.is_empty() || front.split('/').any(str::is_empty) {
        return Err(InvalidStream::Shape);
    }
    let plain = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    if !front.split('/').all(plain) {
        return Err(InvalidStream::Letter);
    }
    match last.strip_prefix('~') {
        Some(number) => match number.parse::<Partition>() {
            Ok(partition) if partition.to_string() == number => Ok(()),
            Ok(_) | Err(_) => Err(InvalidStream::Pin),
        },
        None if plain(last) => Ok(()),
        None => Err(InvalidStream::Letter),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{InvalidStream, Placement, StreamId};

    #[test]
    fn a_name_is_a_collection_and_an_id() {
        let stream = StreamId::new("customers/6f-1.c_").unwrap();
        assert_eq!(stream.collection(), "customers");
        assert_eq!(stream.id(), "6f-1.c_");
        assert_eq!(stream.pin(), None);
    }

    #[test]
    fn a_pinned_name_says_its_partition() {
        let stream = StreamId::pinned("inbox/patron.acquisition.events", 7).unwrap();
        assert_eq!(stream.as_str(), "inbox/patron.acquisition.events/~7");
        assert_eq!(stream.pin(), Some(7));
        assert_eq!(Placement::new(12, 1).partition_of(&stream), 7);
    }

    #[test]
    fn other_texts_are_refused() {
        for (name, why) in [
            ("", InvalidStream::Shape),
            ("customers", InvalidStream::Shape),
            ("customers/", InvalidStream::Shape),
            ("/x", InvalidStream::Shape),
            ("a//b", InvalidStream::Shape),
            ("a/b c", InvalidStream::Letter),
            ("a/\u{e9}", InvalidStream::Letter),
            ("~1/b", InvalidStream::Letter),
            ("a/b~1", InvalidStream::Letter),
            ("a/~", InvalidStream::Pin),
            ("a/~01", InvalidStream::Pin),
            ("a/~+1", InvalidStream::Pin),
            ("a/~4294967296", InvalidStream::Pin),
        ] {
            assert_eq!(StreamId::new(name), Err(why), "{name}");
        }
        assert!(StreamId::new(format!("a/{}", "b".repeat(254))).is_ok());
        assert_eq!(
            StreamId::new(format!("a/{}", "b".repeat(255))),
            Err(InvalidStream::TooLong)
        );
    }

    #[test]
    fn a_prospect_and_its_customer_share_a_partition() {
        let placement = Placement::new(12, 42);
        for id in 0..100 {
            let prospect = StreamId::new(format!("prospects/{id}")).unwrap();
            let customer = StreamId::new(format!("customers/{id}")).unwrap();
            assert_eq!(
                placement.partition_of(&prospect),
                placement.partition_of(&customer)
            );
        }
    }

    /// Stored histories depend on these numbers: they may be added to, never changed.
    #[test]
    fn the_placement_of_format_1_never_changes() {
        let placed =
            |seed, name: &str| Placement::new(12, seed).partition_of(&StreamId::new(name).unwrap());
        let placed = [
            placed(0, "customers/1"),
            placed(0, "customers/2"),
            placed(42, "customers/1"),
            placed(u64::MAX, "propositions/spring-offer"),
        ];
        assert_eq!(placed, [0, 6, 3, 9]);
    }

    #[test]
    fn streams_spread_evenly() {
        let placement = Placement::new(12, 7);
        let mut counts = [0_u32; 12];
        for id in 0..12_000 {
            let stream = StreamId::new(format!("customers/{id}")).unwrap();
            counts[placement.partition_of(&stream) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (800..1_200).contains(count)));
    }

    proptest! {
        #[test]
        fn any_text_is_a_name_or_refused(text in ".{0,300}") {
            if let Ok(stream) = StreamId::new(&text) {
                prop_assert_eq!(stream.as_str(), text.as_str());
                prop_assert!(!stream.collection().is_empty() && !stream.id().is_empty());
            }
        }
    }
}
