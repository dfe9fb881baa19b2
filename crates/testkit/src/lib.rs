//! Proof under faults: real brokers, real processes, and the judge of what clients heard.
//!
//! ```text
//!   clients ──► two instances of each service ──► brokers       faults: kill -9, SIGTERM, an empty disk,
//!      │                                            │                   brokers killed and stopped
//!   history ──────────────► judge ◄──────────── logs read back
//! ```
//! | file | what |
//! |---|---|
//! | `broker.rs` | one or three brokers, by `scripts/kafka` |
//! | `instance.rs` | one instance of a service as a process |
//! | `pair.rs` | so many instances of both services, on brokers of their own |
//! | `session.rs` | a client that retries with the same request id at another instance |
//! | `clients.rs` | what such clients do all day |
//! | `faults.rs` | what happens to instances and brokers meanwhile |
//! | `history.rs` | what the clients heard |
//! | `logs.rs` | what the logs hold, judged by a second hand |
//! | `judge.rs` | whether both are one story |
//! | `chaos.rs` | a run from the first broker to the verdict |
//! | `alone.rs` | the same of one process on an embedded log, killed again and again |

mod alone;
mod broker;
mod chaos;
mod clients;
mod faults;
mod history;
mod instance;
mod judge;
mod logs;
mod pair;
mod session;

pub use alone::{Alone, run_alone};
pub use broker::Cluster;
pub use chaos::{Chaos, Report, run};
pub use faults::Counts;
pub use history::{Answer, History, Op, Read};
pub use instance::{Both, Instance, Plan, Service, free_ports};
pub use judge::{Violation, judge};
pub use logs::{Judged, Logs, Published, read_all};
pub use pair::Pair;
