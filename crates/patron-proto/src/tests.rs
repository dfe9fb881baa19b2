//! What the contract promises about itself, read from the descriptor set.

use std::collections::BTreeSet;

use prost::Name;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, Value};

use crate::{acquisition, descriptor_pool, retention, types};

const OUTPUT_ONLY: i32 = 3;

/// The numbers of the field's `google.api.field_behavior`.
fn behaviours(field: &FieldDescriptor) -> Vec<i32> {
    let option = descriptor_pool()
        .get_extension_by_name("google.api.field_behavior")
        .unwrap();
    field
        .options()
        .get_extension(&option)
        .as_list()
        .unwrap()
        .iter()
        .filter_map(Value::as_enum_number)
        .collect()
}

fn is_personal(field: &FieldDescriptor) -> bool {
    let option = descriptor_pool()
        .get_extension_by_name("patron.type.v1.personal")
        .unwrap();
    field.options().get_extension(&option).as_bool().unwrap()
}

fn field(message: &str, name: &str) -> FieldDescriptor {
    descriptor_pool()
        .get_message_by_name(message)
        .unwrap()
        .get_field_by_name(name)
        .unwrap()
}

/// The requests of all our services.
fn requests() -> Vec<MessageDescriptor> {
    descriptor_pool()
        .services()
        .filter(|service| service.package_name().starts_with("patron."))
        .flat_map(|service| {
            service
                .methods()
                .map(|method| method.input())
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Every field that a client can send: those of the requests and of the messages in them, but for
/// what is output only.
fn request_fields() -> Vec<FieldDescriptor> {
    let (mut waiting, mut seen, mut fields) = (requests(), BTreeSet::new(), Vec::new());
    while let Some(message) = waiting.pop() {
        if !message.package_name().starts_with("patron.")
            || !seen.insert(message.full_name().to_owned())
        {
            continue;
        }
        for field in message.fields() {
            if let Kind::Message(inner) = field.kind()
                && !behaviours(&field).contains(&OUTPUT_ONLY)
            {
                waiting.push(inner);
            }
            fields.push(field);
        }
    }
    fields
}

/// The public events of both services.
fn events() -> Vec<MessageDescriptor> {
    descriptor_pool()
        .all_messages()
        .filter(|message| message.parent_file().name().ends_with("/v1/events.proto"))
        .collect()
}

#[test]
fn options_survive_in_the_descriptor_set() {
    let request = "patron.acquisition.v1.CloseProspectRequest";
    assert_eq!(behaviours(&field(request, "name")), [2]);
    assert_eq!(behaviours(&field(request, "note")), [1]);
    assert!(is_personal(&field(request, "note")));
    assert!(!is_personal(&field(request, "competitor")));
}

#[test]
fn comments_survive_in_the_descriptor_set() {
    let money = descriptor_pool()
        .get_message_by_name(&types::v1::Money::full_name())
        .unwrap();
    let file = money.parent_file_descriptor_proto().clone();
    assert!(
        file.source_code_info
            .unwrap()
            .location
            .iter()
            .any(|location| location
                .leading_comments()
                .contains("An amount in one currency"))
    );
}

#[test]
fn every_request_field_says_whether_it_is_required() {
    let fields = request_fields();
    assert!(
        fields.len() > 200,
        "only {} fields were found",
        fields.len()
    );
    let silent: Vec<_> = fields
        .iter()
        .filter(|field| behaviours(field).len() != 1)
        .map(FieldDescriptor::full_name)
        .collect();
    assert!(silent.is_empty(), "no single field_behavior: {silent:?}");
}

#[test]
fn every_name_in_a_request_is_that_of_a_declared_resource() {
    let pool = descriptor_pool();
    let resource = pool.get_extension_by_name("google.api.resource").unwrap();
    let declared: BTreeSet<_> = pool
        .all_messages()
        .filter(|message| message.options().has_extension(&resource))
        .map(|message| kind_named_by(&message.options().get_extension(&resource)))
        .collect();
    assert_eq!(declared.len(), 10, "{declared:?}");

    let reference = pool
        .get_extension_by_name("google.api.resource_reference")
        .unwrap();
    let mut named = BTreeSet::new();
    for request in requests() {
        for field in request.fields() {
            let options = field.options();
            if options.has_extension(&reference) {
                named.insert(kind_named_by(&options.get_extension(&reference)));
            } else {
                assert!(
                    !["name", "parent"].contains(&field.name()),
                    "{}",
                    field.full_name()
                );
            }
        }
    }
    assert!(named.len() > 5 && named.is_subset(&declared), "{named:?}");
}

/// The `type` in a `google.api.resource` or `google.api.resource_reference`.
fn kind_named_by(option: &Value) -> String {
    option
        .as_message()
        .unwrap()
        .get_field_by_name("type")
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn every_command_can_be_repeated_and_tried_out() {
    for request in requests() {
        let has = |name| request.get_field_by_name(name).is_some();
        let query = ["Get", "List", "Watch"]
            .iter()
            .any(|verb| request.name().starts_with(verb));
        assert_eq!(has("request_id"), !query, "{}", request.full_name());
        assert_eq!(has("validate_only"), !query, "{}", request.full_name());
        assert!(query || !has("min_position"), "{}", request.full_name());
    }
}

#[test]
fn what_is_personal_in_a_request_is_sealed_in_the_events_about_a_person() {
    let personal: BTreeSet<_> = request_fields()
        .iter()
        .filter(|field| is_personal(field))
        .map(|field| field.name().to_owned())
        .collect();
    assert_eq!(
        personal,
        ["display_name", "evidence", "note"]
            .map(str::to_owned)
            .into()
    );

    let mut sealed = 0;
    for event in events() {
        let about_a_person = ["prospect", "customer"].contains(&event.get_field(1).unwrap().name());
        for field in event
            .fields()
            .filter(|field| personal.contains(field.name()))
        {
            if about_a_person {
                let kind = field.kind();
                assert_eq!(
                    kind.as_message().map(MessageDescriptor::name),
                    Some("Sealed"),
                    "{field:?}"
                );
                sealed += 1;
            }
        }
    }
    assert_eq!(sealed, 6);
}

#[test]
fn every_event_says_whose_it_is_and_when_it_happened() {
    for event in events() {
        let subject = event.get_field(1).unwrap();
        assert!(
            ["proposition", "campaign", "prospect", "customer"].contains(&subject.name()),
            "{}",
            subject.full_name()
        );
        assert_eq!(
            event.get_field(2).unwrap().name(),
            "occurred_at",
            "{}",
            event.full_name()
        );
    }
    assert_eq!(events().len(), 27);
}

#[test]
fn messages_know_their_full_names() {
    assert_eq!(
        acquisition::v1::ProspectConverted::full_name(),
        "patron.acquisition.v1.ProspectConverted"
    );
    assert_eq!(
        retention::v1::PromiseBroken::full_name(),
        "patron.retention.v1.PromiseBroken"
    );
}
