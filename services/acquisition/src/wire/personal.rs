//! Personal data, sealed: moved between messages and the domain, and never opened here.

use acquisition_domain::prospect::{Identity, IdentityKind};
use eventsourcing::Sealed;
use patron_proto::types::v1 as types;
use server::{Wrong, pairs, present};

pairs!(identity_kind_out, identity_kind: IdentityKind = types::IdentityKind {
    Email = Email, Phone = Phone, ExternalId = ExternalId, Cookie = Cookie,
});

pub(crate) fn sealed(field: &str, written: &types::Sealed) -> Result<Sealed, Wrong> {
    let nonce = written.nonce.as_slice().try_into();
    Ok(Sealed {
        subject: written.subject.clone(),
        key_id: written.key_id.clone(),
        nonce: nonce.map_err(|_| Wrong::new(field, "has no nonce of 24 bytes"))?,
        ciphertext: written.ciphertext.clone(),
    })
}

pub(crate) fn sealed_out(sealed: &Sealed) -> types::Sealed {
    types::Sealed {
        subject: sealed.subject.clone(),
        key_id: sealed.key_id.clone(),
        nonce: sealed.nonce.to_vec(),
        ciphertext: sealed.ciphertext.clone(),
    }
}

/// A sealed text that may be missing.
pub(crate) fn optional_sealed(
    field: &str,
    written: Option<&types::Sealed>,
) -> Result<Option<Sealed>, Wrong> {
    written.map(|written| sealed(field, written)).transpose()
}

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
