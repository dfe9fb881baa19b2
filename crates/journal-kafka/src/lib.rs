//! Kafka behind the journal port.
//!
//! ```text
//!   append ──► one producer of the process ─────────────► broker
//!   end    ──► the observer's thread: one question for all who ask ──► broker
//!   tail   ──► a reader of the topic: one consumer for all its partitions ◄── broker
//! ```
//! - Kafka stays a plain log: no transactions, no consumer group, no owner of a partition.
//! - What blocks in the driver lives on threads of its own. A broker that hangs can neither hold up a worker
//!   of the runtime nor keep the process alive.
//! - A topic that is set up in a way that would lose or change history is refused at opening.
//!
//! | file | what |
//! |---|---|
//! | `topics.rs` | opening: the topic is there, or is made, and keeps what it gets |
//! | `settings.rs` | which settings keep history |
//! | `log.rs` | one topic: the port |
//! | `producer.rs` | appending, and what a delivery report says of it |
//! | `observer.rs` | ends and shapes of topics, always asked from the broker |
//! | `reader.rs` | one consumer for all partitions of a topic |
//! | `tail.rs` | following one partition |
//! | `place.rs` | which record is due next, and what it means if another comes |
//! | `client.rs` | what each client of the driver is configured to do |
//! | `threads.rs` | the threads, and how they end |

mod client;
mod log;
mod observer;
mod options;
mod place;
mod producer;
mod reader;
mod settings;
mod tail;
mod threads;
mod topics;

pub use options::KafkaOptions;
pub use topics::KafkaTopics;
