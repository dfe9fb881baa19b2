//! Which keys are certainly not in sled: most keys that are asked for are new ones.
//!
//! Every command asks for rows that are not there yet: its request id, the stream that it creates, a fault
//! that nobody has. sled answers each of these from its tree in microseconds; a Bloom filter in nanoseconds.
//! Bloom, B. H., *Space/time trade-offs in hash coding with allowable errors*, CACM 13 (1970).

use std::fmt;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bits for each key and marks that a key leaves: two in a hundred absent keys are looked up in vain.
const BITS_PER_KEY: usize = 10;
const MARKS: u64 = 4;
/// Keys in the first layer; each further layer takes twice as many as the one before.
const FIRST: usize = 1 << 13;
const LAYERS: usize = 32;

/// Keys that may be there, added by one thread at a time. It only grows: of a key that was deleted it goes on saying "perhaps".
pub(crate) struct Filter {
    layers: [OnceLock<Layer>; LAYERS],
    /// How many keys were added; decides on the layer that takes the next one.
    added: AtomicU64,
}

struct Layer(Box<[AtomicU64]>);

impl Filter {
    pub(crate) fn new() -> Self {
        Self {
            layers: [const { OnceLock::new() }; LAYERS],
            added: AtomicU64::new(0),
        }
    }

    /// Whether the key may have been added. `false` is certain.
    pub(crate) fn may_have(&self, key: &[u8]) -> bool {
        let hash = hash(key);
        let mut layers = self.layers.iter().map_while(OnceLock::get);
        layers.any(|layer| layer.has(hash))
    }

    /// Adds a key. Whoever learns afterwards, by way of a lock, that the key is there finds it here.
    pub(crate) fn add(&self, key: &[u8]) {
        let hash = hash(key);
        let mut known = self.layers.iter().map_while(OnceLock::get);
        if known.any(|layer| layer.has(hash)) {
            return;
        }
        let added = self.added.fetch_add(1, Ordering::Relaxed);
        let added = usize::try_from(added).unwrap_or(usize::MAX);
        // Layers before layer n take FIRST * (2^n - 1) keys.
        let number = (added / FIRST).saturating_add(1).ilog2() as usize;
        let number = number.min(LAYERS - 1);
        // Those before it exist: keys are counted one by one.
        if let Some(layer) = self.layers.get(number) {
            layer.get_or_init(|| Layer::of(FIRST << number)).mark(hash);
        }
    }
}

impl Layer {
    fn of(keys: usize) -> Self {
        let words = (keys * BITS_PER_KEY).div_ceil(64);
        Self((0..words).map(|_| AtomicU64::new(0)).collect())
    }

    fn has(&self, hash: u64) -> bool {
        self.places(hash).all(|(word, bit)| {
            let word = self.0.get(word);
            word.is_some_and(|word| word.load(Ordering::Relaxed) & bit != 0)
        })
    }

    fn mark(&self, hash: u64) {
        for (word, bit) in self.places(hash) {
            if let Some(word) = self.0.get(word) {
                word.fetch_or(bit, Ordering::Relaxed);
            }
        }
    }

    /// Where the marks of a key are. Kirsch and Mitzenmacher (2006): two hashes make as many as are wanted.
    fn places(&self, hash: u64) -> impl Iterator<Item = (usize, u64)> {
        let bits = self.0.len() as u64 * 64;
        let (first, step) = (hash, (hash >> 32) | 1);
        (0..MARKS).map(move |mark| {
            let place =
                first.wrapping_add(mark.wrapping_mul(step.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            let place = place % bits;
            (usize::try_from(place / 64).unwrap_or(0), 1 << (place % 64))
        })
    }
}

fn hash(key: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(key);
    hasher.finish()
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter")
            .field("added", &self.added)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Filter;

    fn key(number: u32) -> [u8; 4] {
        number.to_be_bytes()
    }

    #[test]
    fn what_was_added_is_never_denied() {
        let filter = Filter::new();
        for number in 0..100_000 {
            filter.add(&key(number));
            assert!(filter.may_have(&key(number)));
        }
        assert!((0..100_000).all(|number| filter.may_have(&key(number))));
    }

    #[test]
    fn few_of_the_absent_keys_are_taken_for_present_ones() {
        let filter = Filter::new();
        assert!(!filter.may_have(&key(1)));
        for number in 0..100_000 {
            filter.add(&key(number));
        }
        let wrong = (100_000..200_000).filter(|number| filter.may_have(&key(*number)));
        let wrong = wrong.count();
        assert!(wrong < 8_000, "{wrong} of 100,000");
    }

    #[test]
    fn a_key_that_comes_again_takes_no_room() {
        let filter = Filter::new();
        for _ in 0..100_000 {
            filter.add(&key(7));
        }
        assert_eq!(filter.added.into_inner(), 1);
    }
}
