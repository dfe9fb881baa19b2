//! Deliberate faults of the engine, so that tests can show that they would notice.
//!
//! Each guarantee of the design has a mutant that breaks it. They exist only with the feature `mutants`,
//! which nothing but tests turns on; without it `is` is the constant `false`.

/// One broken guarantee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// Commits are accepted whatever version they expect.
    NoVersionCheck,
    /// A repeated request id is decided again.
    NoRequestIdLookup,
    /// A command is answered when the log has its record, unjudged.
    AnswerAtDelivery,
    /// A refusal is answered from a replica that may lag.
    NoBarrierBeforeRefusing,
    /// State and versions are read at two different moments.
    TornSnapshot,
    /// A receiver takes any sequence number.
    AnySequence,
    /// A command that changes nothing leaves no commit.
    NoUnchanged,
    /// A decision that only read a stream puts no guard on it.
    NoGuard,
    /// A relay goes on after the last record it finds, folded or not.
    RelayFromLastRecord,
    /// A relay takes records that were acknowledged for records in their order.
    RelayTrustsDelivery,
    /// A tick is done before what is due on it.
    TickDoneFirst,
    /// A tick goes by the clock of an instance, whatever the log's time is.
    TickByOwnClock,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::NoVersionCheck,
        Self::NoRequestIdLookup,
        Self::AnswerAtDelivery,
        Self::NoBarrierBeforeRefusing,
        Self::TornSnapshot,
        Self::AnySequence,
        Self::NoUnchanged,
        Self::NoGuard,
        Self::RelayFromLastRecord,
        Self::RelayTrustsDelivery,
        Self::TickDoneFirst,
        Self::TickByOwnClock,
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
