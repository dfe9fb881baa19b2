//! What a request carries beside its message, and what a reply carries beside its resource.

use std::time::Duration;

use journal::Position;
use prost::{Message, Name};
use tokio::time::Instant;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

use crate::command::CommandFields;
use crate::status::invalid;
use crate::validate::check;

/// The response metadata that holds the position token.
const POSITION: &str = "patron-position";
const LONGEST_ACTOR: usize = 128;

/// What a request carries beside its message, and what every command's message carries.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who asks, as far as the caller says so itself (metadata `patron-actor`).
    pub actor: String,
    /// Until when the caller waits.
    pub deadline: Option<Instant>,
    /// W3C trace context, or empty.
    pub trace_context: String,
    pub(crate) command: CommandFields,
}

/// Checks every field of a request, and takes it apart.
///
/// # Errors
/// See [`validate`](crate::validate).
pub fn open<M: Message + Name>(request: Request<M>) -> Result<(Call, M), Status> {
    let fields = check(request.get_ref())?;
    let mut call = Call::of(&request);
    call.command = CommandFields::of(&fields);
    Ok((call, request.into_inner()))
}

/// Takes a request apart without a look at its fields: for batches, whose items are each checked by
/// themselves, so that a wrong one does not stop the others.
pub fn open_batch<M>(request: Request<M>) -> (Call, M) {
    (Call::of(&request), request.into_inner())
}

impl Call {
    fn of<T>(request: &Request<T>) -> Self {
        let metadata = request.metadata();
        let text = |name: &str| text(metadata, name);
        let actor = text("patron-actor").filter(|actor| actor.len() <= LONGEST_ACTOR);
        let timeout = text(crate::deadline::KEPT).and_then(parse_timeout);
        Self {
            actor: actor.unwrap_or("anonymous").to_owned(),
            deadline: timeout.map(|timeout| Instant::now() + timeout),
            trace_context: text("traceparent")
                .filter(|text| is_traceparent(text))
                .unwrap_or_default()
                .to_owned(),
            command: CommandFields::default(),
        }
    }

    /// Writes it to the metadata of another request that belongs to this one: the parts of a batch.
    pub fn write_to(&self, metadata: &mut MetadataMap) {
        if let Ok(actor) = self.actor.parse() {
            metadata.insert("patron-actor", actor);
        }
        if let Ok(trace_context) = self.trace_context.parse() {
            metadata.insert("traceparent", trace_context);
        }
        let left = self
            .deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if let Some(Ok(timeout)) = left.map(|left| format!("{}m", left.as_millis()).parse()) {
            metadata.insert(crate::deadline::KEPT, timeout);
        }
    }
}

/// Whether it is a `traceparent` of W3C: version, trace, parent and flags in lower-case hexadecimal digits.
/// Anything else would stay in the journal and in public headers for ever.
fn is_traceparent(text: &str) -> bool {
    let is_hex = |part: &str| {
        part.bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_zero = |part: &str| part.bytes().all(|byte| byte == b'0');
    let mut parts = text.split('-');
    let parts = [
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
    ];
    let [Some(version), Some(trace), Some(parent), Some(flags), None] = parts else {
        return false;
    };
    [version, trace, parent, flags].map(str::len) == [2, 32, 16, 2]
        && [version, trace, parent, flags].into_iter().all(is_hex)
        && version != "ff"
        && !is_zero(trace)
        && !is_zero(parent)
}

fn text<'a>(metadata: &'a MetadataMap, name: &str) -> Option<&'a str> {
    metadata.get(name).and_then(|value| value.to_str().ok())
}

/// Reads `grpc-timeout`: at most eight digits and a unit.
pub(crate) fn parse_timeout(value: &str) -> Option<Duration> {
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    if digits.len() > 8 {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount.saturating_mul(3_600)),
        "M" => Duration::from_secs(amount.saturating_mul(60)),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

/// A reply from the rows at this position.
pub fn reply_at<T>(value: T, position: &Position) -> Response<T> {
    let mut response = Response::new(value);
    if let Ok(token) = position.to_string().parse() {
        response.metadata_mut().insert(POSITION, token);
    }
    response
}

/// A request's `min_position`, if it has one.
pub fn min_position(token: &str) -> Result<Option<Position>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    let position = token.parse().map_err(|_| {
        invalid(
            "min_position",
            "is not a position token; take it from the metadata patron-position",
        )
    })?;
    Ok(Some(position))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Call, parse_timeout};

    #[test]
    fn only_a_trace_of_the_standard_form_is_kept() {
        let kept = |value: &str| {
            let mut request = tonic::Request::new(());
            request
                .metadata_mut()
                .insert("traceparent", value.parse().unwrap());
            Call::of(&request).trace_context
        };
        let right = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(kept(right), right);
        let wrong = [
            "",
            "Ada Lovelace, ada@example.com",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473x-00f067aa0ba902b7-01",
        ];
        for wrong in wrong {
            assert_eq!(kept(wrong), "", "{wrong}");
        }
    }

    #[test]
    fn timeouts_are_read_in_every_unit() {
        assert_eq!(parse_timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(parse_timeout("1S"), Some(Duration::from_secs(1)));
        assert_eq!(parse_timeout("2H"), Some(Duration::from_secs(7_200)));
        assert_eq!(parse_timeout("7u"), Some(Duration::from_micros(7)));
        for wrong in ["", "S", "1", "1x", "123456789S", "-1S", "\u{20ac}"] {
            assert_eq!(parse_timeout(wrong), None, "{wrong}");
        }
    }
}
