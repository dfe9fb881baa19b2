//! Personal data: what clients send, what is sealed of it, and what answers show.

use acquisition_domain::prospect::{Identity, IdentityKind};
use patron_proto::types::v1 as types;
use server::{Opener, Wrong, pairs, present, sealed, sealed_out};
use vault::Field;

pairs!(identity_kind_out, identity_kind: IdentityKind = types::IdentityKind {
    Email = Email, Phone = Phone, ExternalId = ExternalId, Cookie = Cookie,
});

pub(crate) fn identity(written: &types::SealedIdentity) -> Result<Identity, Wrong> {
    let value = present("identities.value", written.value.as_ref())?;
    Ok(Identity {
        kind: identity_kind("identities.kind", written.kind)?,
        value: sealed("identities.value", value)?,
    })
}

pub(crate) fn identity_out(identity: &Identity) -> types::SealedIdentity {
    types::SealedIdentity {
        kind: identity_kind_out(identity.kind),
        value: Some(sealed_out(&identity.value)),
    }
}

/// Identities whose kinds stand in a list of their own.
pub(crate) fn identities(values: &[types::Sealed], kinds: &[i32]) -> Result<Vec<Identity>, Wrong> {
    if values.len() != kinds.len() {
        return Err(Wrong::new("identity_kinds", "is not as long as identities"));
    }
    let pairs = values.iter().zip(kinds);
    pairs
        .map(|(value, kind)| {
            Ok(Identity {
                kind: identity_kind("identity_kinds", *kind)?,
                value: sealed("identities", value)?,
            })
        })
        .collect()
}

/// The kind of field in which an identity is sealed.
pub(crate) fn field_of(kind: IdentityKind) -> Field {
    server::identity_field(proto_kind(kind))
}

/// An identity as a client writes it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Plain {
    pub(crate) kind: IdentityKind,
    pub(crate) value: String,
}

impl Plain {
    /// What two spellings of the same identity have in common.
    pub(crate) fn normal(kind: IdentityKind, value: &str) -> String {
        server::same_spelling(proto_kind(kind), value)
    }

    /// Whether both are the same, however they are written.
    pub(crate) fn is(&self, kind: IdentityKind, value: &str) -> bool {
        self.kind == kind && Self::normal(kind, &self.value) == Self::normal(kind, value)
    }
}

/// Reads an identity that a client names.
pub(crate) fn plain(field: &str, written: &types::Identity) -> Result<Plain, Wrong> {
    let (kind, value) = server::identity(field, written)?;
    let kind = identity_kind(field, kind as i32)?;
    Ok(Plain { kind, value })
}

/// Reads the identities that a client names.
pub(crate) fn plains(field: &str, written: &[types::Identity]) -> Result<Vec<Plain>, Wrong> {
    let read = server::identities(field, written)?.into_iter();
    read.map(|(kind, value)| {
        let kind = identity_kind(field, kind as i32)?;
        Ok(Plain { kind, value })
    })
    .collect()
}

fn proto_kind(kind: IdentityKind) -> types::IdentityKind {
    types::IdentityKind::try_from(identity_kind_out(kind)).unwrap_or_default()
}

/// Identities as answers show them.
pub(crate) fn identities_shown(identities: &[Identity], opener: &Opener) -> Vec<types::Identity> {
    let shown = identities.iter().map(|identity| types::Identity {
        kind: identity_kind_out(identity.kind),
        value: opener.show(field_of(identity.kind), &identity.value),
    });
    shown.collect()
}
