//! Chance from a seed, the same on every machine and in every release.
//!
//! Steele, Lea & Flood (2014), "Fast splittable pseudorandom number generators": `SplitMix64`.

/// A source of chance.
#[derive(Debug, Clone)]
pub(crate) struct Chance {
    state: u64,
}

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Evenly from 0 up to 1, excluded.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    pub(crate) const fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Evenly from 0 up to a bound, excluded.
    pub(crate) const fn below(&mut self, bound: u32) -> u32 {
        (((self.next() >> 32) * bound as u64) >> 32) as u32
    }

    /// A whole number of this mean or a little less, with a long tail: how long one waits.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "never negative, and at most 40 means"
    )]
    pub(crate) fn days(&mut self, mean: f64) -> u32 {
        (-libm::log(1.0 - self.unit()) * mean) as u32
    }
}
