//! How a refusal explains itself: what kind it is, its reason as one word, and the data behind it.

use std::fmt;

/// What kind of refusal it is, and so what somebody can do about it.
///
/// The edge turns each kind into one status of its protocol, so clients can rely on the kind alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// A field of the command is missing or wrong: correct it.
    Invalid {
        /// The path of the field in the command, as a client writes it: `claims.expected_score`.
        field: &'static str,
    },
    /// Something that the command names does not exist.
    NotFound,
    /// An id that the client chose is taken by something else: choose another.
    AlreadyExists,
    /// The state forbids it: it is useless to try again until the state changes.
    FailedPrecondition,
    /// There are too many of something already.
    Exhausted,
    /// Somebody else was faster: look at the present state and decide again.
    Conflict,
}

/// What every aggregate's refusal can say.
///
/// `Display` is one sentence for a person: what is wrong and what to do. No personal data anywhere in it.
pub trait Explain: fmt::Display {
    /// What kind of refusal it is.
    fn class(&self) -> Class;

    /// Why, as one word for programs, in `UPPER_SNAKE_CASE`. Reasons are part of the contract.
    fn reason(&self) -> &'static str;

    /// The data behind it, by name: ids, limits, states.
    fn metadata(&self) -> Vec<(&'static str, String)>;
}
