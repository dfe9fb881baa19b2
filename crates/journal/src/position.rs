//! How far somebody has read a journal, and the token that says so to a client.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::{Offset, Partition};

/// The first byte of a token of this kind.
const TOKEN_VERSION: u8 = 1;

/// More partitions than any journal has: bounds what a token can make us allocate.
const MAX_PARTITIONS: usize = 4_096;

/// A place in every partition of one journal.
///
/// As text it is a *token*: opaque to clients, safe in a URL, and refused by another journal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Position {
    /// The journal's [`Genesis::cluster_uuid`](crate::Genesis::cluster_uuid).
    pub journal: Uuid,
    /// For each partition the offset of the next record to be applied: everything below is applied.
    pub offsets: Vec<Offset>,
}

/// Why a text is not a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// It was not made by us, or was cut.
    #[error("this is not a position token")]
    Malformed,
    /// A newer release made it.
    #[error("this position token is of version {0}, which this release does not know")]
    Version(u8),
}

impl Position {
    /// Before the first record of each of `partitions` partitions.
    pub fn start(journal: Uuid, partitions: u32) -> Self {
        Self {
            journal,
            offsets: vec![0; partitions as usize],
        }
    }

    /// The next offset to be applied of `partition`.
    pub fn get(&self, partition: Partition) -> Offset {
        self.offsets
            .get(partition as usize)
            .copied()
            .unwrap_or_default()
    }

    /// Moves `partition` up to `offset`; never back.
    pub fn advance(&mut self, partition: Partition, offset: Offset) {
        let index = partition as usize;
        if self.offsets.len() <= index {
            self.offsets.resize(index + 1, 0);
        }
        if let Some(present) = self.offsets.get_mut(index) {
            *present = offset.max(*present);
        }
    }

    /// Whether whoever is here has applied all that `other` asks for. Never, in another journal.
    pub fn covers(&self, other: &Self) -> bool {
        self.journal == other.journal
            && (0..)
                .zip(&other.offsets)
                .all(|(partition, offset)| self.get(partition) >= *offset)
    }

    /// The further of both, partition by partition. None when they are of different journals.
    #[must_use]
    pub fn merge(&self, other: &Self) -> Option<Self> {
        if self.journal != other.journal {
            return None;
        }
        let mut merged = self.clone();
        for (partition, offset) in (0..).zip(&other.offsets) {
            merged.advance(partition, *offset);
        }
        Some(merged)
    }
}

impl fmt::Display for Position {
    /// The token: base64url of the version, the uuid and one variable-length number for each partition.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![TOKEN_VERSION];
        bytes.extend_from_slice(self.journal.as_bytes());
        for offset in &self.offsets {
            push_number(&mut bytes, *offset);
        }
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Position {
    type Err = InvalidToken;

    fn from_str(token: &str) -> Result<Self, InvalidToken> {
        let bytes = URL_SAFE_NO_PAD
            .decode(token)
            .map_err(|_| InvalidToken::Malformed)?;
        let (version, rest) = bytes.split_first().ok_or(InvalidToken::Malformed)?;
        if *version != TOKEN_VERSION {
            return Err(InvalidToken::Version(*version));
        }
        let (journal, mut rest) = rest
            .split_first_chunk::<16>()
            .ok_or(InvalidToken::Malformed)?;
        let mut offsets = Vec::new();
        while !rest.is_empty() {
            if offsets.len() == MAX_PARTITIONS {
                return Err(InvalidToken::Malformed);
            }
            offsets.push(take_number(&mut rest).ok_or(InvalidToken::Malformed)?);
        }
        Ok(Self {
            journal: Uuid::from_bytes(*journal),
            offsets,
        })
    }
}

/// Seven bits a byte, the lowest first, the top bit set on all but the last.
fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = number.to_le_bytes()[0] & 0x7f;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

/// None when it is cut, does not fit, or could have been written shorter.
fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let low = u64::from(byte & 0x7f);
        if low != 0 && low.leading_zeros() < shift {
            return None;
        }
        number |= low << shift;
        if byte & 0x80 == 0 {
            return (*byte != 0 || shift == 0).then_some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::{InvalidToken, Position};

    const HERE: Uuid = Uuid::from_u128(7);

    fn at(offsets: &[u64]) -> Position {
        Position {
            journal: HERE,
            offsets: offsets.to_vec(),
        }
    }

    #[test]
    fn a_position_covers_what_lies_behind_it_in_every_partition() {
        assert!(at(&[3, 4]).covers(&at(&[3, 2])));
        assert!(!at(&[3, 4]).covers(&at(&[2, 5])));
        assert!(
            at(&[3]).covers(&at(&[3, 0])),
            "nothing is asked of partition 1"
        );
        assert!(!at(&[3]).covers(&at(&[3, 1])));
    }

    #[test]
    fn another_journal_covers_nothing() {
        let other = Position::start(Uuid::from_u128(8), 2);
        assert!(!at(&[3, 4]).covers(&other));
        assert_eq!(at(&[3, 4]).merge(&other), None);
    }

    #[test]
    fn behind_a_record_is_one_more_than_its_offset() {}

    #[test]
    fn it_never_moves_back() {
        let mut position = at(&[5]);
        position.advance(0, 3);
        assert_eq!(position.get(0), 5);
    }

    #[test]
    fn a_token_of_a_newer_kind_says_so() {
        assert_eq!("Ag".parse::<Position>(), Err(InvalidToken::Version(2)));
    }

    proptest! {
        #[test]
        fn a_token_says_the_same_when_it_comes_back(
            journal: u128,
            offsets in proptest::collection::vec(any::<u64>(), 0..20),
        ) {
            let position = Position { journal: Uuid::from_u128(journal), offsets };
            prop_assert_eq!(position.to_string().parse(), Ok(position));
        }

        #[test]
        fn any_text_is_refused_or_is_the_one_token_of_its_position(text in "AQ[A-Za-z0-9_-]{0,80}|.{0,40}") {
            if let Ok(position) = text.parse::<Position>() {
                prop_assert_eq!(position.to_string(), text);
            }
        }

        #[test]
        fn a_merged_position_covers_both(
            left in proptest::collection::vec(0_u64..9, 0..4),
            right in proptest::collection::vec(0_u64..9, 0..4),
        ) {
            let merged = at(&left).merge(&at(&right)).unwrap();
            prop_assert!(merged.covers(&at(&left)) && merged.covers(&at(&right)));
        }
    }
}
