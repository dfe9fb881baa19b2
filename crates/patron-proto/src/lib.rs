//! The contract: generated protobuf and gRPC code, and the descriptor set.
//!
//! No logic lives here. The sources are in `proto/`; what a message or a method means is said there, and
//! reflection serves those words to clients.

use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

/// All files of the contract, with their options and comments.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    // The bytes were made by the build script of this very crate; an empty pool would refuse every request.
    DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap_or_default()
});

/// The descriptors, for validation, JSON and reflection.
pub fn descriptor_pool() -> &'static DescriptorPool {
    &POOL
}

#[allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    rustdoc::all,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated"
)]
mod generated {
    pub mod google {
        pub mod api {
            include!(concat!(env!("OUT_DIR"), "/google.api.rs"));
        }
    }

    pub mod patron {
        pub mod r#type {
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/patron.r#type.v1.rs"));
            }
        }

        pub mod journal {
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/patron.journal.v1.rs"));
            }
        }

        pub mod admin {
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/patron.admin.v1.rs"));
            }
        }

        pub mod acquisition {
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/patron.acquisition.v1.rs"));
            }
        }

        pub mod retention {
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/patron.retention.v1.rs"));
            }
        }
    }
}

pub use generated::patron::r#type as types;
pub use generated::patron::{acquisition, admin, journal, retention};

#[cfg(test)]
mod tests {
    use prost_reflect::{Kind, MessageDescriptor};

    use super::descriptor_pool;

    /// Every message that a client sends, with those inside it.
    fn requests() -> Vec<MessageDescriptor> {
        let mut found: Vec<MessageDescriptor> = Vec::new();
        let mut waiting: Vec<MessageDescriptor> = descriptor_pool()
            .services()
            .flat_map(|service| {
                service
                    .methods()
                    .map(|method| method.input())
                    .collect::<Vec<_>>()
            })
            .collect();
        while let Some(message) = waiting.pop() {
            if !message.full_name().starts_with("patron.") || found.contains(&message) {
                continue;
            }
            waiting.extend(message.fields().filter_map(|field| {
                let Kind::Message(inner) = field.kind() else {
                    return None;
                };
                Some(inner)
            }));
            found.push(message);
        }
        found
    }

    #[test]
    fn every_field_of_a_request_says_whether_it_must_be_set() {
        let behavior = descriptor_pool()
            .get_extension_by_name("google.api.field_behavior")
            .unwrap();
        let requests = requests();
        assert!(requests.len() > 40, "{}", requests.len());
        for message in requests {
            // These are only ever shown, inside resources that requests also carry.
            let shown = ["Conversion", "Closing", "Promise", "Action", "Loss"];
            for field in message
                .fields()
                .filter(|_| !shown.contains(&message.name()))
            {
                assert!(
                    field.options().has_extension(&behavior),
                    "{}",
                    field.full_name()
                );
            }
        }
    }

    #[test]
    fn personal_fields_are_marked() {
        let personal = descriptor_pool()
            .get_extension_by_name("patron.type.v1.personal")
            .unwrap();
        let marked: Vec<String> = requests()
            .iter()
            .flat_map(MessageDescriptor::fields)
            .filter(|field| field.options().has_extension(&personal))
            .map(|field| field.full_name().to_owned())
            .collect();
        assert!(marked.contains(&"patron.acquisition.v1.CloseProspectRequest.note".to_owned()));
        assert!(marked.contains(&"patron.retention.v1.AssessPromiseRequest.evidence".to_owned()));
    }
}
