//! How far a reader is, as a token that clients hand back.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::Offset;

const VERSION: u8 = 1;
/// More partitions than any journal has.
const MOST: usize = 10_000;

/// How far a reader is: the next offset of each partition of one journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The journal.
    pub journal: Uuid,
    /// The next offset to be read of each partition.
    pub offsets: Vec<Offset>,
}

/// A text that is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a position token")]
pub struct NoPosition;

impl Position {
    /// Whether a reader here has read everything that one at `other` has.
    pub fn covers(&self, other: &Self) -> bool {
        self.journal == other.journal
            && self.offsets.len() >= other.offsets.len()
            && self
                .offsets
                .iter()
                .zip(&other.offsets)
                .all(|(here, there)| here >= there)
    }
}

impl fmt::Display for Position {
    /// The token: URL-safe base64 of a version, the journal, and the offsets as varints.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(self.journal.as_bytes());
        for offset in &self.offsets {
            prost::encoding::encode_varint(*offset, &mut bytes);
        }
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Position {
    type Err = NoPosition;

    fn from_str(token: &str) -> Result<Self, NoPosition> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| NoPosition)?;
        let (version, rest) = bytes.split_first().ok_or(NoPosition)?;
        let (journal, mut rest) = rest.split_at_checked(16).ok_or(NoPosition)?;
        if *version != VERSION {
            return Err(NoPosition);
        }
        let journal = Uuid::from_slice(journal).map_err(|_| NoPosition)?;
        let mut offsets = Vec::new();
        while !rest.is_empty() && offsets.len() < MOST {
            let offset = prost::encoding::decode_varint(&mut rest).map_err(|_| NoPosition)?;
            offsets.push(offset);
        }
        Ok(Self { journal, offsets })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::Position;

    fn at(offsets: &[u64]) -> Position {
        Position {
            journal: Uuid::from_u128(7),
            offsets: offsets.to_vec(),
        }
    }

    #[test]
    fn a_position_covers_what_is_nowhere_further() {
        assert!(at(&[2, 2]).covers(&at(&[1, 2])));
        assert!(!at(&[2, 1]).covers(&at(&[1, 2])));
        let elsewhere = Position {
            journal: Uuid::from_u128(8),
            ..at(&[0, 0])
        };
        assert!(!at(&[2, 2]).covers(&elsewhere));
    }

    proptest! {
        #[test]
        fn a_token_is_read_as_it_was_given(
            journal in any::<u128>(),
            offsets in prop::collection::vec(any::<u64>(), 0..20),
        ) {
            let position = Position { journal: Uuid::from_u128(journal), offsets };
            prop_assert_eq!(position.to_string().parse(), Ok(position));
        }

        #[test]
        fn no_text_makes_it_fail(text in ".{0,80}") {
            let _ = text.parse::<Position>();
        }
    }
}
