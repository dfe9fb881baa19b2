//! The engine: one command, one commit, one answer; generic over the log, ignorant of any domain.
//!
//! ```text
//!            execute                    relay ──► public topic ──► inbox of the other service
//!   command ────────► commit ──► log ──► tailer ──► applier ──► rows
//!      ▲                                                │
//!      └──────────── answer ◄──── waiter ◄── verdict ◄──┘
//! ```
//! - [`execute`](Engine::execute) decides on a snapshot of the rows, appends a commit and answers after
//!   its own applier has read the record back and judged it by the acceptance rule.
//! - The applier is the only writer of the read model. It folds accepted commits, partition by partition,
//!   and leaves the rows, the stream versions, the remembered request ids and the position in one step.
//! - The relay publishes accepted public events; the inbox takes the other service's events into this
//!   service's own journal, each exactly once.
//!
//! - Policies do what must follow when something has happened; the daily tick does what must follow when a
//!   day has come. Both are to-do lists in the rows, and any number of instances may work on them.
//!
//! A domain enters by the trait [`Service`] and by the closures given to `execute`; nothing in here knows
//! what a customer is.

mod accepted;
mod activation;
mod applier;
mod checkpoint;
mod engine;
mod execute;
mod foreign;
mod health;
mod inbox;
mod locks;
mod marks;
pub mod mutant;
mod options;
mod parked;
mod patience;
mod policies;
mod progress;
mod published;
mod received;
mod recent;
mod relay;
mod rows;
mod service;
mod tailer;
mod timers;
mod turns;
mod upgrade;
mod verify;
mod waiters;
mod work;

pub use accepted::{Accepted, AcceptedTail};
pub use activation::is_active;
pub use engine::{Engine, Unread};
pub use execute::{Answer, Failure, Request, Stop};
pub use foreign::{Fold, Foreign, PublicFold};
pub use health::Health;
pub use options::Options;
pub use parked::{ParkedEvent, Retry, StillParked, parked, parked_event};
pub use policies::{Policy, Todo};
pub use rows::version;
pub use service::{ApplyError, Fact, Receipt, Recorded, Service, event_id};
pub use timers::{Daily, Tick};
pub use verify::{Difference, Verification, verify};
pub use work::Work;
