//! What every command has: a request id, perhaps an etag, perhaps only a question.

use journal::StreamId;
use prost::{Message, Name};
use prost_reflect::DynamicMessage;
use runtime::Request;
use tonic::Status;
use uuid::Uuid;

use crate::Call;
use crate::status::invalid;
use crate::validate::check;

/// A message that asks for something to happen.
pub trait Command: Message + Name {}

impl<M: Message + Name> Command for M {}

/// Checks a command's fields and turns it into a request to the engine.
pub fn request<M: Command>(call: &Call, message: &M, root: StreamId) -> Result<Request, Status> {
    let fields = check(message)?;
    Ok(Request {
        root,
        request_id: request_id(&text(&fields, "request_id"))?,
        fingerprint: fingerprint(message),
        etag: etag(&text(&fields, "etag"))?,
        validate_only: fields
            .get_field_by_name("validate_only")
            .and_then(|value| value.as_bool())
            .unwrap_or(false),
        actor: call.actor.clone(),
        trace_context: call.trace_context.clone(),
        deadline: call.deadline,
    })
}

/// The text in a field, or nothing where there is no such field.
fn text(fields: &DynamicMessage, name: &str) -> String {
    let value = fields.get_field_by_name(name);
    value
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
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
