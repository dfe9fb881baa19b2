//! The public events of both services, found in the descriptors, with their comments.

use std::collections::HashSet;

use anyhow::ensure;
use patron_proto::descriptor_pool;
use prost_reflect::{FieldDescriptor, MessageDescriptor};

/// The services that tell something.
const SERVICES: [&str; 2] = ["acquisition", "retention"];

/// What one service tells.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) service: &'static str,
    pub(crate) events: Vec<Event>,
}

/// One kind of event.
#[derive(Debug)]
pub(crate) struct Event {
    /// `PromiseBroken`.
    pub(crate) name: String,
    /// `patron.retention.v1.PromiseBroken`.
    pub(crate) full_name: String,
    /// Where it is defined, below `proto/`.
    pub(crate) file: String,
    /// What happened, as its comment says it, on one line.
    pub(crate) comment: String,
    pub(crate) fields: Vec<Field>,
}

/// A part of it.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// As protobuf writes it, without the package where that is the event's own.
    pub(crate) kind: String,
    pub(crate) comment: String,
}

/// What both services tell, in the order of the contract.
pub(crate) fn of_both() -> anyhow::Result<Vec<Told>> {
    let mut told = Vec::new();
    for service in SERVICES {
        let events = of(service);
        ensure!(
            !events.is_empty(),
            "{service} tells nothing: where are its events?"
        );
        told.push(Told { service, events });
    }
    Ok(told)
}

/// An event is a message of a file that ends in `events.proto` and that is no part of another message.
fn of(service: &str) -> Vec<Event> {
    let package = format!("patron.{service}.v1");
    let parts = parts(&package);
    let mut files: Vec<_> = descriptor_pool()
        .files()
        .filter(|file| file.package_name() == package && file.name().ends_with("events.proto"))
        .collect();
    files.sort_by(|one, other| one.name().cmp(other.name()));
    let messages = files
        .iter()
        .flat_map(prost_reflect::FileDescriptor::messages);
    messages
        .filter(|message| !parts.contains(message.full_name()))
        .map(|message| event(&package, &message))
        .collect()
}

/// The messages of a package that are the type of some field.
fn parts(package: &str) -> HashSet<String> {
    let messages = descriptor_pool().all_messages();
    let fields = messages
        .filter(|message| message.package_name() == package)
        .flat_map(|message| message.fields().collect::<Vec<_>>());
    fields
        .filter_map(|field| Some(field.kind().as_message()?.full_name().to_owned()))
        .collect()
}

fn event(package: &str, message: &MessageDescriptor) -> Event {
    Event {
        name: message.name().to_owned(),
        full_name: message.full_name().to_owned(),
        file: message.parent_file().name().to_owned(),
        comment: comment(message, message.path()),
        fields: message
            .fields()
            .map(|field| Field {
                name: field.name().to_owned(),
                kind: kind(package, &field),
                comment: comment(message, field.path()),
            })
            .collect(),
    }
}

fn kind(package: &str, field: &FieldDescriptor) -> String {
    let kind = field.kind();
    let full = match (kind.as_message(), kind.as_enum()) {
        (Some(message), _) => message.full_name().to_owned(),
        (_, Some(choice)) => choice.full_name().to_owned(),
        (None, None) => format!("{kind:?}"),
    };
    let short = full.strip_prefix(&format!("{package}.")).unwrap_or(&full);
    match (field.is_list(), field.supports_presence()) {
        (true, _) => format!("repeated {short}"),
        (false, true) if kind.as_message().is_none() => format!("optional {short}"),
        (false, _) => short.to_owned(),
    }
}

/// The comment above whatever has this path in the message's file, on one line.
fn comment(message: &MessageDescriptor, path: &[i32]) -> String {
    let file = message.parent_file();
    let source = file.file_descriptor_proto().source_code_info.as_ref();
    let mut places = source.iter().flat_map(|source| &source.location);
    let found = places.find(|place| place.path == path);
    let text = found.and_then(|place| place.leading_comments.as_deref());
    let words = text.unwrap_or_default().split_whitespace();
    words.collect::<Vec<_>>().join(" ")
}
