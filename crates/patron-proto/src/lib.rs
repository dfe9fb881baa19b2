//! The contract: generated protobuf and gRPC code, and the descriptor set.
//!
//! Everything here is generated from the files in `proto/`, whose comments are the documentation.
//! The descriptor set keeps what generated code forgets: `field_behavior`, `personal` and the patterns
//! of resource names, from which the edge derives its validation, and the comments, which reflection
//! shows to clients.

use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

/// Declares a package of the contract. The modules nest as the packages do, because generated code
/// refers from one to another by that path.
macro_rules! package {
    ($(#[$doc:meta])* $module:ident, $file:literal) => {
        $(#[$doc])*
        pub mod $module {
            /// Version 1.
            #[allow(
                clippy::all,
                clippy::pedantic,
                clippy::allow_attributes_without_reason,
                clippy::clone_on_ref_ptr,
                unused_qualifications,
                reason = "the style of generated code is its generator's, and differs by package"
            )]
            pub mod v1 {
                tonic::include_proto!($file);
            }
        }
    };
}

package!(
    /// `patron.type`: what both services speak of.
    r#type,
    // The generator escapes the keyword in the file's name too.
    "patron.r#type.v1"
);
package!(
    /// `patron.acquisition`: the service that creates customers.
    acquisition,
    "patron.acquisition.v1"
);
package!(
    /// `patron.retention`: the service that keeps customers.
    retention,
    "patron.retention.v1"
);
package!(
    /// `patron.journal`: the private format of the journals.
    journal,
    "patron.journal.v1"
);

pub use r#type as types;

/// The whole contract as an encoded `google.protobuf.FileDescriptorSet`, with imports, comments and
/// options.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/patron.binpb"));

#[expect(
    clippy::expect_used,
    reason = "the build encoded these bytes from a contract it had compiled, and the tests decode them"
)]
static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("the embedded descriptor set is whole")
});

/// The contract's descriptors, decoded once: messages by name, their fields and the options of those.
#[must_use]
pub fn descriptor_pool() -> &'static DescriptorPool {
    &POOL
}

#[cfg(test)]
mod tests;
