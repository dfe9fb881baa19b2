//! Who a customer is: what clients send, what is sealed of it, and what answers show.

use eventsourcing::Sealed;
use patron_proto::types::v1 as types;
use retention_domain::person::{Identity, IdentityKind, Who};
use server::{Opener, Wrong, optional_sealed, pairs, sealed, sealed_out};
use vault::Field;

pairs!(kind_out, kind: IdentityKind = types::IdentityKind {
    Email = Email, Phone = Phone, ExternalId = ExternalId, Cookie = Cookie,
});

/// Who somebody is, as a client says it.
#[derive(Clone, Default)]
pub(crate) struct Said {
    identities: Vec<(types::IdentityKind, String)>,
    name: Option<String>,
}

impl Said {
    /// Reads it.
    pub(crate) fn read(identities: &[types::Identity], name: &str) -> Result<Self, Wrong> {
        Ok(Self {
            identities: server::identities("identities", identities)?,
            name: server::name("display_name", name)?,
        })
    }

    /// What is to be sealed, in the order in which [`who`](Self::who) takes it back.
    pub(crate) fn texts(&self) -> Vec<(Field, String)> {
        let identities = self.identities.iter();
        let identities = identities.map(|(kind, it)| (server::identity_field(*kind), it.clone()));
        let name = self.name.iter().map(|name| (Field::Name, name.clone()));
        identities.chain(name).collect()
    }

    /// The same, sealed.
    pub(crate) fn who(&self, boxes: Vec<Sealed>) -> Who {
        let mut boxes = boxes.into_iter();
        let mut who = Who::default();
        for (written, _) in &self.identities {
            if let (Ok(kind), Some(value)) = (kind("identities", *written as i32), boxes.next()) {
                who.identities.push(Identity { kind, value });
            }
        }
        who.display_name = self.name.as_ref().and_then(|_| boxes.next());
        who
    }
}

/// Reads who an event says that it is: the kinds of identities stand in a list of their own.
pub(crate) fn who(
    identities: &[types::Sealed],
    kinds: &[i32],
    name: Option<&types::Sealed>,
) -> Result<Who, Wrong> {
    if identities.len() != kinds.len() {
        return Err(Wrong::new("identity_kinds", "is not as long as identities"));
    }
    let pairs = identities.iter().zip(kinds);
    let pairs = pairs.map(|(value, number)| {
        Ok(Identity {
            kind: kind("identity_kinds", *number)?,
            value: sealed("identities", value)?,
        })
    });
    Ok(Who {
        identities: pairs.collect::<Result<_, Wrong>>()?,
        display_name: optional_sealed("display_name", name)?,
    })
}

/// The identities as events hold them, and their kinds.
pub(crate) fn identities_out(who: &Who) -> (Vec<types::Sealed>, Vec<i32>) {
    let identities = who.identities.iter();
    identities
        .map(|identity| (sealed_out(&identity.value), kind_out(identity.kind)))
        .unzip()
}

/// The identities as answers show them.
pub(crate) fn identities_shown(who: &Who, opener: &Opener) -> Vec<types::Identity> {
    let identities = who.identities.iter();
    identities
        .map(|identity| {
            let number = kind_out(identity.kind);
            let kind = types::IdentityKind::try_from(number).unwrap_or_default();
            types::Identity {
                kind: number,
                value: opener.show(server::identity_field(kind), &identity.value),
            }
        })
        .collect()
}
