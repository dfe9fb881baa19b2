//! One value for the whole content: a sum over all rows, so that order and history do not matter.

use std::fmt;

/// The sum of the BLAKE3 hashes of all rows, as four lanes of 64 bits with wrapping addition.
///
/// Two stores with the same rows show the same digest, however they got there; a row is taken out
/// by subtraction, so a commit costs its own rows and nothing else. It guards against accidents
/// (lost, torn, swapped rows), not against somebody who chooses rows to make two sums equal.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Digest([u64; 4]);

impl Digest {
    /// Takes a row in.
    pub fn add(&mut self, key: &[u8], value: &[u8]) {
        for (lane, part) in self.0.iter_mut().zip(lanes(key, value)) {
            *lane = lane.wrapping_add(part);
        }
    }

    /// Takes a row out.
    pub fn remove(&mut self, key: &[u8], value: &[u8]) {
        for (lane, part) in self.0.iter_mut().zip(lanes(key, value)) {
            *lane = lane.wrapping_sub(part);
        }
    }

    /// The 32 bytes, lanes in order, each big-endian.
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (out, lane) in bytes.chunks_exact_mut(8).zip(self.0) {
            out.copy_from_slice(&lane.to_be_bytes());
        }
        bytes
    }

    /// The inverse of [`Digest::to_bytes`].
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(split(&bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|lane| write!(f, "{lane:016x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// The length of the key goes in first, so that no byte can move from the key to the value unseen.
fn lanes(key: &[u8], value: &[u8]) -> [u64; 4] {
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(&(key.len() as u64).to_be_bytes())
        .update(key)
        .update(value);
    split(hasher.finalize().as_bytes())
}

fn split(bytes: &[u8; 32]) -> [u64; 4] {
    let (parts, _) = bytes.as_chunks::<8>();
    let mut lanes = [0; 4];
    for (lane, part) in lanes.iter_mut().zip(parts) {
        *lane = u64::from_be_bytes(*part);
    }
    lanes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_rows_does_not_matter_and_removal_undoes_addition() {
        let mut one = Digest::default();
        one.add(b"a", b"1");
        one.add(b"b", b"2");
        let mut two = Digest::default();
        two.add(b"b", b"2");
        two.add(b"c", b"3");
        two.add(b"a", b"1");
        assert_ne!(one, two);
        two.remove(b"c", b"3");
        assert_eq!(one, two);
    }

    #[test]
    fn a_byte_that_moves_from_key_to_value_changes_it() {
        let mut one = Digest::default();
        one.add(b"ab", b"c");
        let mut two = Digest::default();
        two.add(b"a", b"bc");
        assert_ne!(one, two);
    }

    #[test]
    fn bytes_and_text_keep_every_bit() {
        let mut digest = Digest::default();
        digest.add(b"key", b"value");
        assert_eq!(Digest::from_bytes(digest.to_bytes()), digest);
        assert_eq!(digest.to_string().len(), 64);
    }
}
