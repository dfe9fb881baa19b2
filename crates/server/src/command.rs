//! What every command has: a request id, perhaps an etag, perhaps only a question.

use std::collections::HashSet;
use std::sync::OnceLock;

use journal::StreamId;
use patron_proto::descriptor_pool;
use prost::{Message, Name};
use prost_reflect::{DynamicMessage, MessageDescriptor, ReflectMessage as _, Value};
use runtime::Request;
use tonic::Status;
use uuid::Uuid;

use crate::Call;
use crate::status::invalid;
use crate::validate::is_personal;

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

/// What a repeated request is recognised by: the message as sent, without its personal fields. The fingerprint
/// stands in the log for ever, and a hash of an address is as good as the address to whoever can guess it.
pub fn fingerprint<M: Message + Name>(message: &M) -> [u8; 16] {
    let mut fingerprint = [0; 16];
    blake3::Hasher::new()
        .update(M::full_name().as_bytes())
        .update(&impersonal(message))
        .finalize_xof()
        .fill(&mut fingerprint);
    fingerprint
}

/// The bytes of a message without its personal fields.
fn impersonal<M: Message + Name>(message: &M) -> Vec<u8> {
    let name = M::full_name();
    let descriptor = descriptor_pool().get_message_by_name(&name);
    let Some(descriptor) = descriptor.filter(|_| holders().contains(&name)) else {
        return message.encode_to_vec();
    };
    let mut dynamic = DynamicMessage::new(descriptor);
    if dynamic.transcode_from(message).is_err() {
        return Vec::new();
    }
    strip(&mut dynamic);
    dynamic.encode_to_vec()
}

/// The messages that have a field for personal data, or a part with one.
fn holders() -> &'static HashSet<String> {
    static HOLDERS: OnceLock<HashSet<String>> = OnceLock::new();
    HOLDERS.get_or_init(|| {
        let all = descriptor_pool().all_messages();
        all.filter(|it| holds_personal(it, &mut Vec::new()))
            .map(|it| it.full_name().to_owned())
            .collect()
    })
}

/// Whether a message or a part of it has a field for personal data.
fn holds_personal(message: &MessageDescriptor, above: &mut Vec<String>) -> bool {
    if above.iter().any(|name| name == message.full_name()) {
        return false;
    }
    above.push(message.full_name().to_owned());
    let found = message.fields().any(|field| {
        is_personal(&field)
            || field
                .kind()
                .as_message()
                .is_some_and(|part| holds_personal(part, above))
    });
    above.pop();
    found
}

fn strip(message: &mut DynamicMessage) {
    let descriptor = message.descriptor();
    for field in descriptor.fields() {
        if is_personal(&field) {
            message.clear_field(&field);
        } else if message.has_field(&field) {
            match message.get_field_mut(&field) {
                Value::Message(part) => strip(part),
                Value::List(parts) => parts
                    .iter_mut()
                    .filter_map(Value::as_message_mut)
                    .for_each(strip),
                Value::Bool(_)
                | Value::I32(_)
                | Value::I64(_)
                | Value::U32(_)
                | Value::U64(_)
                | Value::F32(_)
                | Value::F64(_)
                | Value::String(_)
                | Value::Bytes(_)
                | Value::EnumNumber(_)
                | Value::Map(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use patron_proto::acquisition::v1 as proto;
    use patron_proto::types::v1::{Identity, IdentityKind};

    use super::fingerprint;

    fn identify(value: &str, name: &str, request_id: &str) -> proto::IdentifyProspectRequest {
        proto::IdentifyProspectRequest {
            name: "prospects/1".to_owned(),
            identities: vec![Identity {
                kind: IdentityKind::Email as i32,
                value: value.to_owned(),
            }],
            display_name: name.to_owned(),
            request_id: request_id.to_owned(),
            ..Default::default()
        }
    }

    #[test]
    fn a_fingerprint_depends_on_everything_but_personal_data() {
        let ada = fingerprint(&identify("ada@example.org", "Ada", "1"));
        let bob = fingerprint(&identify("bob@example.org", "Bob", "1"));
        assert_eq!(ada, bob);
        assert_ne!(ada, fingerprint(&identify("ada@example.org", "Ada", "2")));
        let mut two = identify("ada@example.org", "Ada", "1");
        two.identities.push(Identity::default());
        assert_ne!(ada, fingerprint(&two));
    }
}
