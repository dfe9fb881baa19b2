//! What every command has: a request id, perhaps an etag, perhaps only a question.

use journal::StreamId;
use prost::{Message, Name};
use prost_reflect::DynamicMessage;
use runtime::Request;
use tonic::Status;
use uuid::Uuid;

use crate::Call;
use crate::status::invalid;

/// A message that asks for something to happen.
pub trait Command: Message + Name {}

impl<M: Message + Name> Command for M {}

/// The fields that every command message has; empty in a query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CommandFields {
    request_id: String,
    etag: String,
    validate_only: bool,
}

impl CommandFields {
    pub(crate) fn of(fields: &DynamicMessage) -> Self {
        let text = |name: &str| {
            let value = fields.get_field_by_name(name);
            value
                .and_then(|value| value.as_str().map(str::to_owned))
                .unwrap_or_default()
        };
        let validate_only = fields.get_field_by_name("validate_only");
        Self {
            request_id: text("request_id"),
            etag: text("etag"),
            validate_only: validate_only
                .and_then(|value| value.as_bool())
                .unwrap_or(false),
        }
    }
}

/// What a command asks of the engine.
pub fn request<M: Command>(call: &Call, message: &M, root: StreamId) -> Result<Request, Status> {
    Ok(Request {
        root,
        request_id: request_id(&call.command.request_id)?,
        fingerprint: fingerprint(message),
        etag: etag(&call.command.etag)?,
        validate_only: call.command.validate_only,
        actor: call.actor.clone(),
        trace_context: call.trace_context.clone(),
        deadline: call.deadline,
    })
}

fn request_id(request_id: &str) -> Result<Uuid, Status> {
    request_id.parse().map_err(|_| {
        invalid(
            "request_id",
            "must be a UUID, a new one for each new request; repeat it to retry",
        )
    })
}

fn etag(etag: &str) -> Result<Option<u64>, Status> {
    if etag.is_empty() {
        return Ok(None);
    }
    let version = etag
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let version = version.unwrap_or(etag).parse().map_err(|_| {
        invalid(
            "etag",
            "is not an etag; take it from the resource as it was read",
        )
    })?;
    Ok(Some(version))
}

/// What a repeated request is recognised by: the message as sent. (Personal fields are refused until they
/// can be sealed, so there are none in it.)
pub fn fingerprint<M: Message + Name>(message: &M) -> [u8; 16] {
    let mut fingerprint = [0; 16];
    blake3::Hasher::new()
        .update(M::full_name().as_bytes())
        .update(&message.encode_to_vec())
        .finalize_xof()
        .fill(&mut fingerprint);
    fingerprint
}
