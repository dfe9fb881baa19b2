//! The edge that both services share: validation, refusals, page tokens, health, lifecycle.
//!
//! A method of a gRPC service is three lines: parse, execute, reply. What those lines stand on is here, so
//! that every method of both services treats request ids, etags, deadlines, limits and errors alike.
//!
//! | file | what |
//! |---|---|
//! | `call.rs` | what a request carries beside its message: actor, deadline, trace, position |
//! | `command.rs` | `request_id`, `etag` and `validate_only` of every command |
//! | `validate.rs` | field rules, read from the descriptors |
//! | `reading.rs` | waiting for rows, reading them, replying |
//! | `moment.rs` | what a report is asked for: business time and knowledge |
//! | `personal.rs` | personal data: sealed on the way in, opened on the way out |
//! | `watch.rs` | accepted events as a stream |
//! | `wrong.rs` | parts of messages that cannot be read |
//! | `status.rs` | refusals and faults as gRPC statuses: the only mapping |
//! | `page_token.rs` | pages that cannot be mixed up |
//! | `deadline.rs` | an expired deadline says so |
//! | `probes.rs` | `/livez` and `/readyz` |
//! | `edge.rs` | a listening server with health, reflection, gRPC-Web and probes |
//! | `inbox.rs` | `InboxService`: parked events, in both services |
//! | `telemetry.rs` | logs |
//! | `topics.rs` | which log a service stands on |
//! | `convert.rs` | small conversions between the contract's types and ours |

mod call;
mod command;
mod convert;
mod deadline;
mod edge;
mod inbox;
mod measure;
mod metrics;
mod moment;
mod page_token;
mod personal;
mod probes;
mod reading;
mod status;
mod telemetry;
mod topics;
mod validate;
mod watch;
mod wrong;

pub use call::{Call, min_position, open, open_batch, reply_at};
pub use command::{Command, fingerprint, request};
pub use convert::{currency, from_timestamp, money, money_out, resource_id, timestamp};
pub use edge::{Edge, Limits, MAX_MESSAGE_BYTES, Readiness};
pub use inbox::{INBOX_SERVICE, Inbox};
pub use moment::{Asked, Known, Moment, MomentOfPages, moment};
pub use page_token::{Page, Paged};
pub use personal::{
    Boxes, ERASED, Opener, identities, identity, identity_field, name, optional_sealed,
    out_of_reach, same_spelling, sealed, sealed_out,
};
pub use reading::{
    aside, caught_up, heard_all, heard_all_of, read, read_people, reply_found, unread,
};
pub use status::{
    batch_too_large, erased, field_violation, from_failure, invalid, not_found, reason, refusal,
    unavailable,
};
pub use telemetry::start_logging;
#[cfg(feature = "kafka")]
pub use topics::KafkaOptions;
pub use topics::{LogSource, OpenLog};
pub use validate::validate;
pub use watch::{Watched, Watchers, Watching, watch};
pub use wrong::{Wrong, parse, parse_optional, present};
