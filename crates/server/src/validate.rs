//! Field rules, read from the contract's own descriptors.
//!
//! What `field_behavior` calls REQUIRED must be there, and every text, list, enum, time and amount is within
//! bounds. So a field that is added to the
//! contract is checked from its first day, without code.

use patron_proto::descriptor_pool;
use prost::{Message, Name};
use prost_reflect::{
    DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind, ReflectMessage as _, Value,
};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::status::status;

const LONGEST_TEXT: usize = 4_096;
const LONGEST_LIST: usize = 1_000;
const DEEPEST: usize = 16;
/// 0001-01-01 and 9999-12-31 in seconds since the epoch: the years a protobuf `Timestamp` may have.
const TIMES: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
const REQUIRED: i32 = 2;

/// A rule that a field breaks.
struct Violation {
    field: String,
    what: String,
}

/// Checks every field of a request.
///
/// # Errors
/// INVALID_ARGUMENT with one violation for each wrong field.
pub fn validate<M: Message + Name>(message: &M) -> Result<(), Status> {
    check(message).map(|_| ())
}

/// The same; the message's fields by name.
pub(crate) fn check<M: Message + Name>(message: &M) -> Result<DynamicMessage, Status> {
    let Some(descriptor) = descriptor_pool().get_message_by_name(&M::full_name()) else {
        return Err(status(
            Code::Internal,
            "FAULT",
            "a message without a descriptor",
            [],
        ));
    };
    let mut dynamic = DynamicMessage::new(descriptor);
    dynamic.transcode_from(message).map_err(|_| {
        status(
            Code::Internal,
            "FAULT",
            "a message that is not its descriptor's",
            [],
        )
    })?;
    let mut check = Check::default();
    check.message(&dynamic, "", 0);
    if !check.violations.is_empty() {
        return Err(violated(&check.violations));
    }
    Ok(dynamic)
}

fn violated(violations: &[Violation]) -> Status {
    let mut details = ErrorDetails::with_error_info(
        "INVALID_FIELD",
        "patron",
        [(
            "field".to_owned(),
            violations
                .first()
                .map(|first| first.field.clone())
                .unwrap_or_default(),
        )],
    );
    let mut message = Vec::new();
    for Violation { field, what } in violations {
        details.add_bad_request_violation(field, what);
        message.push(format!("{field}: {what}"));
    }
    Status::with_error_details(Code::InvalidArgument, message.join("; "), details)
}

#[derive(Default)]
struct Check {
    violations: Vec<Violation>,
}

impl Check {
    fn message(&mut self, message: &DynamicMessage, path: &str, depth: usize) {
        if depth > DEEPEST {
            self.violate(path, "is nested too deeply");
            return;
        }
        match message.descriptor().full_name() {
            "google.protobuf.Timestamp" => return self.timestamp(message, path),
            "patron.type.v1.Money" => return self.money(message, path),
            _ => {}
        }
        for field in message.descriptor().fields() {
            let name = join(path, field.name());
            let set = message.has_field(&field);
            if !set {
                if must_be_set(&field) {
                    self.violate(&name, "is required");
                }
                continue;
            }
            self.value(&message.get_field(&field), &field, &name, depth);
        }
    }

    fn value(&mut self, value: &Value, field: &FieldDescriptor, path: &str, depth: usize) {
        match value {
            Value::String(text) if text.len() > LONGEST_TEXT => {
                self.violate(path, &format!("is longer than {LONGEST_TEXT} bytes"));
            }
            Value::String(text)
                if text
                    .chars()
                    .any(|c| c.is_control() && c != '\n' && c != '\t') =>
            {
                self.violate(path, "has control characters");
            }
            Value::EnumNumber(number) => self.enumeration(*number, field, path),
            Value::F64(number) if !number.is_finite() => self.violate(path, "is not a number"),
            Value::Message(message) => self.message(message, path, depth + 1),
            Value::List(values) if values.len() > LONGEST_LIST => {
                self.violate(path, &format!("has more than {LONGEST_LIST} entries"));
            }
            Value::List(values) => {
                for (i, value) in values.iter().enumerate() {
                    self.value(value, field, &format!("{path}[{i}]"), depth);
                }
            }
            Value::String(_)
            | Value::Bool(_)
            | Value::I32(_)
            | Value::I64(_)
            | Value::U32(_)
            | Value::U64(_)
            | Value::F32(_)
            | Value::F64(_)
            | Value::Bytes(_)
            | Value::Map(_) => {}
        }
    }

    fn enumeration(&mut self, number: i32, field: &FieldDescriptor, path: &str) {
        let Kind::Enum(kind) = field.kind() else {
            return;
        };
        if kind.get_value(number).is_none() {
            let known: Vec<String> = kind
                .values()
                .skip(1)
                .map(|value| value.name().to_owned())
                .collect();
            self.violate(path, &format!("is none of {}", known.join(", ")));
        }
    }

    fn timestamp(&mut self, message: &DynamicMessage, path: &str) {
        let number = |name: &str| {
            let value = message.get_field_by_name(name);
            value.and_then(|value| value.as_i64().or_else(|| value.as_i32().map(i64::from)))
        };
        let seconds = number("seconds").unwrap_or(i64::MAX);
        let nanos = number("nanos").unwrap_or(-1);
        if !TIMES.contains(&seconds) || !(0..1_000_000_000).contains(&nanos) {
            self.violate(path, "is not a time between the years 1 and 9999");
        }
    }

    fn money(&mut self, message: &DynamicMessage, path: &str) {
        let code = message.get_field_by_name("currency_code");
        let code = code
            .as_ref()
            .and_then(|value| value.as_str())
            .unwrap_or_default();
        if let Err(unknown) = code.parse::<money::Currency>() {
            self.violate(&join(path, "currency_code"), &unknown.to_string());
        }
    }

    fn violate(&mut self, field: &str, what: &str) {
        self.violations.push(Violation {
            field: field.to_owned(),
            what: what.to_owned(),
        });
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// Whether leaving the field out breaks its `field_behavior`. A number or a bool that is required may well
/// be zero or false.
fn must_be_set(field: &FieldDescriptor) -> bool {
    let tellable = field.is_list()
        || field.supports_presence()
        || matches!(field.kind(), Kind::String | Kind::Bytes | Kind::Enum(_));
    tellable && behaviors(field).contains(&REQUIRED)
}

fn behaviors(field: &FieldDescriptor) -> Vec<i32> {
    let Some(value) = extension(field, "google.api.field_behavior") else {
        return Vec::new();
    };
    let values = value.as_list().unwrap_or_default();
    values.iter().filter_map(Value::as_enum_number).collect()
}

/// Whether the field holds personal data.
pub(crate) fn is_personal(field: &FieldDescriptor) -> bool {
    extension(field, "patron.type.v1.personal").is_some()
}

/// The value of an option of the field, if it is set.
fn extension(field: &FieldDescriptor, name: &str) -> Option<Value> {
    let extension: ExtensionDescriptor = descriptor_pool().get_extension_by_name(name)?;
    let options = field.options();
    options
        .has_extension(&extension)
        .then(|| options.get_extension(&extension).into_owned())
}
