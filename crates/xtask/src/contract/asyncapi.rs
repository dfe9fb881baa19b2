//! `docs/asyncapi.yaml`: the public topics as `AsyncAPI` 3.1 wants them.

use std::fmt::{self, Write as _};

use super::events::{Event, Told};

/// A header of every public event.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) name: &'static str,
    /// Its JSON schema, beside its being a text.
    schema: &'static str,
    pub(crate) meaning: &'static str,
    is_optional: bool,
}

const fn header(name: &'static str, schema: &'static str, meaning: &'static str) -> Header {
    Header {
        name,
        schema,
        meaning,
        is_optional: false,
    }
}

/// What a record carries beside its value.
pub(crate) const HEADERS: &[Header] = &[
    header(
        "ce_specversion",
        "const: \"1.0\"",
        "The version of CloudEvents.",
    ),
    header(
        "ce_id",
        "minLength: 1",
        "The event's identity, the same wherever it is published again: commit and index.",
    ),
    header(
        "ce_source",
        "format: uri-reference",
        "Who tells it: `/patron/acquisition` or `/patron/retention`.",
    ),
    header("ce_type", "minLength: 1", "The full name of the message."),
    header(
        "ce_subject",
        "minLength: 1",
        "The aggregate that it happened to, such as `customers/<id>`.",
    ),
    header(
        "ce_time",
        "format: date-time",
        "When its commit was written.",
    ),
    header(
        "ce_sequence",
        "pattern: \"^[1-9][0-9]*$\"",
        "The dense count of public events in the partition, from 1.",
    ),
    header(
        "ce_schemaversion",
        "pattern: \"^[1-9][0-9]*$\"",
        "The schema of the message, from 1. It rises when the meaning of a field changes, not when a field is added.",
    ),
    header(
        "content-type",
        "const: application/protobuf",
        "What the value is.",
    ),
    header(
        "journaluuid",
        "format: uuid",
        "The journal that it stands in. A receiver stops when it changes: that is another history.",
    ),
    header(
        "journalposition",
        "pattern: \"^[0-9]+/[0-9]+$\"",
        "Where it stands there: offset and index.",
    ),
    Header {
        name: "traceparent",
        schema: "pattern: \"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$\"",
        meaning: "W3C trace context of the command that caused it, if there was one.",
        is_optional: true,
    },
];

const INTRODUCTION: &str = "\
# Written from proto/ by `cargo xtask contract`: change it there.
asyncapi: 3.1.0
info:
  title: Patron's public events
  version: 1.0.0
  description: >-
    What acquisition and retention tell each other and everybody else: CloudEvents 1.0 in Kafka's binary mode, a protobuf
    message as value. A record is taken when its ce_sequence is the next one of its partition; lower ones were there before,
    higher ones are passed over and come again.
  license:
    name: Apache-2.0
defaultContentType: application/protobuf
servers:
  kafka:
    host: '{broker}'
    protocol: kafka
    description: The brokers that the services run on (--kafka).
    variables:
      broker:
        default: localhost:9092
";

pub(crate) fn written(told: &[Told]) -> Result<String, fmt::Error> {
    let mut yaml = INTRODUCTION.to_owned();
    yaml.push_str("channels:\n");
    for told in told {
        yaml.push_str(&channel(told)?);
    }
    yaml.push_str("operations:\n");
    for Told { service, .. } in told {
        write!(
            yaml,
            "  publish-{service}:\n    action: send\n    summary: What {service} tells.\n    channel:\n      \
             $ref: '#/channels/{service}'\n"
        )?;
    }
    yaml.push_str("components:\n  messages:\n");
    for Told { service, events } in told {
        for event in events {
            yaml.push_str(&message(service, event));
        }
    }
    yaml.push_str("  schemas:\n");
    yaml.push_str(&headers()?);
    Ok(yaml)
}

fn channel(Told { service, events }: &Told) -> Result<String, fmt::Error> {
    let mut channel = format!(
        "  {service}:
    address: patron.{service}.events
    title: What {service} tells
    servers:
      - $ref: '#/servers/kafka'
    bindings:
      kafka:
        topic: patron.{service}.events
        partitions: 12
        topicConfiguration:
          cleanup.policy: [delete]
          retention.ms: -1
          retention.bytes: -1
          max.message.bytes: 2097152
        bindingVersion: 0.5.0
    messages:
"
    );
    for Event { name, .. } in events {
        write!(
            channel,
            "      {name}:\n        $ref: '#/components/messages/{service}.{name}'\n"
        )?;
    }
    Ok(channel)
}

fn message(service: &str, event: &Event) -> String {
    let Event {
        name,
        full_name,
        file,
        comment,
        ..
    } = event;
    let comment = quoted(comment);
    format!(
        "    {service}.{name}:
      name: {full_name}
      title: {name}
      summary: {comment}
      contentType: application/protobuf
      headers:
        allOf:
          - $ref: '#/components/schemas/headers'
          - type: object
            properties:
              ce_type:
                const: {full_name}
              ce_source:
                const: /patron/{service}
      bindings:
        kafka:
          key:
            type: string
            description: The id of the aggregate that it happened to.
          bindingVersion: 0.5.0
      payload:
        schemaFormat: application/vnd.google.protobuf;version=3
        schema:
          $ref: ../proto/{file}
"
    )
}

fn headers() -> Result<String, fmt::Error> {
    let mut yaml = String::from("    headers:\n      type: object\n      required:\n");
    for header in HEADERS.iter().filter(|header| !header.is_optional) {
        writeln!(yaml, "        - {}", header.name)?;
    }
    yaml.push_str("      properties:\n");
    for Header {
        name,
        schema,
        meaning,
        ..
    } in HEADERS
    {
        let meaning = quoted(meaning);
        write!(
            yaml,
            "        {name}:\n          type: string\n          {schema}\n          description: {meaning}\n"
        )?;
    }
    Ok(yaml)
}

/// A text as YAML takes it whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
