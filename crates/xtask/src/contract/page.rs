//! `docs/EVENTS.md`: the catalogue of public events.

use std::fmt::{self, Write as _};

use super::asyncapi::HEADERS;
use super::events::{Event, Told};

const INTRODUCTION: &str = "\
# Public events

<!-- Written from the comments in proto/ by `cargo xtask contract`: change them there. -->

What the services tell each other and everybody else, on Kafka: `patron.acquisition.events` and `patron.retention.events`. Events
are for ever, fields are only added. The same in a form for tools: [asyncapi.yaml](asyncapi.yaml).

A record is an event of CloudEvents 1.0 in Kafka's binary mode: the value is the protobuf message alone, the key is the id of the
aggregate, so all that happens to it is in one partition and in order. The headers say the rest:

| header | meaning |
|---|---|
";

const FOLD: &str = "
**Read by one rule.** Several instances may publish the same event, and one that was interrupted may leave a hole that the next
one fills. Remember the last `ce_sequence` of each partition. A record with the next number is taken, one with a lower number was
there before, one with a higher number is passed over: the one that is missing will come, and that one again behind it.
";

pub(crate) fn written(told: &[Told]) -> Result<String, fmt::Error> {
    let mut page = INTRODUCTION.to_owned();
    for header in HEADERS {
        writeln!(page, "| `{}` | {} |", header.name, header.meaning)?;
    }
    page.push_str(FOLD);
    for Told { service, events } in told {
        write!(
            page,
            "\n## {service}\n\n| event | what happened |\n|---|---|\n"
        )?;
        for event in events {
            let anchor = event.name.to_lowercase();
            writeln!(page, "| [{}](#{anchor}) | {} |", event.name, event.comment)?;
        }
        for event in events {
            page.push_str(&section(event)?);
        }
    }
    Ok(page)
}

fn section(event: &Event) -> Result<String, fmt::Error> {
    let mut section = format!(
        "\n### {}\n\n{} `{}`, in [{}](../proto/{}).\n\n| field | type | meaning |\n|---|---|---|\n",
        event.name, event.comment, event.full_name, event.file, event.file
    );
    for field in &event.fields {
        writeln!(
            section,
            "| `{}` | {} | {} |",
            field.name, field.kind, field.comment
        )?;
    }
    Ok(section)
}
