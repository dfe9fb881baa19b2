//! The shape of an event-sourced aggregate: decide, evolve, and how its rules are tested.
//!
//! Everything here is pure. Nothing waits, nothing reads a clock, nothing touches a disk: an aggregate
//! is given its state and a command and answers with events or a refusal, and the same events applied
//! to the same state always give the same state.

mod aggregate;
mod clock;
mod parts;
mod refusal;
pub mod scenario;
mod sealed;
mod time;

pub use aggregate::Aggregate;
pub use clock::{Clock, FixedClock, SystemClock};
pub use parts::Parts;
pub use refusal::{Class, Explain};
pub use sealed::Sealed;
pub use time::{Days, Time};
