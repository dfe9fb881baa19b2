//! Deliberate faults, so that tests can show that they would notice.
//!
//! They exist only with the feature `mutants`, which nothing but tests turns on; without it `is` is the
//! constant `false`.

/// One broken guarantee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// Erasing writes tombstones for the keys that are known, and no marker.
    NoMarker,
    /// A key that stands behind the marker counts.
    KeysAfterTheMarkerCount,
    /// Nobody takes away what came behind the marker.
    NoSweep,
    /// Erasing is answered when the marker is read back, the keys still there.
    MarkerIsEnough,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::NoMarker,
        Self::KeysAfterTheMarkerCount,
        Self::NoSweep,
        Self::MarkerIsEnough,
    ];

    #[cfg(feature = "mutants")]
    pub(crate) fn is(self) -> bool {
        ACTIVE.with(std::cell::Cell::get) == Some(self)
    }

    #[cfg(not(feature = "mutants"))]
    #[expect(clippy::unused_self, reason = "the same signature as with the feature")]
    pub(crate) const fn is(self) -> bool {
        false
    }
}

#[cfg(feature = "mutants")]
thread_local! {
    static ACTIVE: std::cell::Cell<Option<Mutant>> = const { std::cell::Cell::new(None) };
}

/// Runs everything on this thread with this fault, or with none.
#[cfg(feature = "mutants")]
pub fn activate(mutant: Option<Mutant>) {
    ACTIVE.with(|active| active.set(mutant));
}
