//! Refusals and faults as gRPC statuses: the only mapping, exhaustive, without a wildcard arm.
//!
//! Every status carries a `google.rpc.ErrorInfo` with a reason that programs can rely on; errors in a field
//! also carry a `google.rpc.BadRequest` that names it.

use std::collections::HashMap;
use std::fmt::Display;

use eventsourcing::{Class, Explain};
use runtime::Failure;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// The `domain` of every `ErrorInfo`.
const DOMAIN: &str = "patron";

/// The status of a domain's refusal.
pub fn refusal<R: Explain + Display>(refusal: &R) -> Status {
    let message = refusal.to_string();
    let metadata: HashMap<String, String> = refusal
        .metadata()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let mut details = ErrorDetails::with_error_info(refusal.reason(), DOMAIN, metadata);
    let code = match refusal.class() {
        Class::Invalid { field } => {
            details.add_bad_request_violation(field, message.clone());
            Code::InvalidArgument
        }
        Class::NotFound => Code::NotFound,
        Class::AlreadyExists => Code::AlreadyExists,
        Class::FailedPrecondition => Code::FailedPrecondition,
        Class::Exhausted => Code::ResourceExhausted,
        Class::Conflict => Code::Aborted,
    };
    Status::with_error_details(code, message, details)
}

/// The status of a command that has no answer.
pub fn from_failure<R: Explain + Display>(failure: &Failure<R>) -> Status {
    let message = failure.to_string();
    match failure {
        Failure::Refused(domain) => refusal(domain),
        Failure::RequestIdReused => field_violation("request_id", "REQUEST_ID_REUSED", &message),
        Failure::StaleEtag { current } => status(
            Code::Aborted,
            "STALE_ETAG",
            &message,
            [("etag", format!("\"{current}\""))],
        ),
        Failure::Conflict { attempts } => status(
            Code::Aborted,
            "CONFLICT",
            &message,
            [("attempts", attempts.to_string())],
        ),
        Failure::Overloaded => status(Code::ResourceExhausted, "OVERLOADED", &message, []),
        Failure::NotReady(_) => status(Code::Unavailable, "NOT_READY", &message, []),
        Failure::Unreadable { stream } => status(
            Code::Unavailable,
            "NEWER_EVENTS",
            &message,
            [("stream", stream.clone())],
        ),
        Failure::TooLarge { bytes } => status(
            Code::ResourceExhausted,
            "TOO_LARGE",
            &message,
            [("bytes", bytes.to_string())],
        ),
        Failure::NotWritten(_) => status(Code::Unavailable, "NOT_WRITTEN", &message, []),
        Failure::Deadline => status(Code::DeadlineExceeded, "DEADLINE", &message, []),
        Failure::OutcomeUnknown => status(Code::Unavailable, "OUTCOME_UNKNOWN", &message, []),
        Failure::Internal(fault) => {
            tracing::error!(fault, "a command failed by a fault of this instance");
            status(
                Code::Internal,
                "FAULT",
                "a fault of this instance; its log says more",
                [],
            )
        }
    }
}

/// INVALID_ARGUMENT with the usual reason, naming the field.
pub fn invalid(field: &str, what: &str) -> Status {
    field_violation(field, "INVALID_FIELD", what)
}

/// INVALID_ARGUMENT for one field with a reason of its own.
pub fn field_violation(field: &str, reason: &str, what: &str) -> Status {
    let mut details =
        ErrorDetails::with_error_info(reason, DOMAIN, [("field".to_owned(), field.to_owned())]);
    details.add_bad_request_violation(field, what);
    Status::with_error_details(Code::InvalidArgument, format!("{field}: {what}"), details)
}

/// RESOURCE_EXHAUSTED: a batch has more items than one may have.
pub fn batch_too_large(limit: usize) -> Status {
    let message = format!("items has more than {limit} entries: split the batch");
    limit_exceeded("items of a batch", limit, &message)
}

/// RESOURCE_EXHAUSTED: all places of those who watch events are taken.
pub(crate) fn too_many_watchers(limit: usize) -> Status {
    let message = format!(
        "{limit} watch the events of this instance already: end a watch, share one, ask another instance, or read \
         the public topic"
    );
    limit_exceeded("watchers", limit, &message)
}

fn limit_exceeded(what: &str, limit: usize, message: &str) -> Status {
    let metadata = [("what", what.to_owned()), ("limit", limit.to_string())];
    status(Code::ResourceExhausted, "LIMIT_EXCEEDED", message, metadata)
}

/// NOT_FOUND of a resource, by its name.
pub fn not_found(name: &str) -> Status {
    let message = format!("there is no {name} (yet: an event may be on its way)");
    status(
        Code::NotFound,
        "NOT_FOUND",
        &message,
        [("name", name.to_owned())],
    )
}

/// NOT_FOUND: all that could be told of somebody is erased.
pub fn erased(name: &str) -> Status {
    let message = format!("{name} is erased: who it was is known no more");
    status(
        Code::NotFound,
        "ERASED",
        &message,
        [("name", name.to_owned())],
    )
}

/// UNAVAILABLE: this instance cannot answer now.
pub fn unavailable(why: &str) -> Status {
    status(
        Code::Unavailable,
        "NOT_READY",
        &format!("this instance cannot answer: {why}"),
        [],
    )
}

/// The reason in a status's `ErrorInfo`, or nothing.
pub fn reason(status: &Status) -> String {
    status
        .get_error_details()
        .error_info()
        .map(|info| info.reason.clone())
        .unwrap_or_default()
}

pub(crate) fn status<const N: usize>(
    code: Code,
    reason: &str,
    message: &str,
    metadata: [(&str, String); N],
) -> Status {
    let metadata: HashMap<String, String> = metadata
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
    Status::with_error_details(code, message, details)
}
