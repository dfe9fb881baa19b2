//! Personal data at the edge: sealed before a command is decided, opened when an answer is made.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use eventsourcing::Sealed;
use patron_proto::types::v1::{self as types, IdentityKind};
use tonic::Status;
use vault::{Closed, Error, Field, Person, Vault};

use crate::Wrong;
use crate::status::unavailable;

/// What answers show of somebody who is erased.
pub const ERASED: &str = "[erased]";
/// What answers show of a text that is damaged.
const UNREADABLE: &str = "[unreadable]";
/// How many identities one request may name.
const MOST_IDENTITIES: usize = 20;
/// No address, number or id is longer, in bytes.
const LONGEST_IDENTITY: usize = 320;
/// No name is longer, in bytes.
const LONGEST_NAME: usize = 200;

/// Opens what an answer or a comparison needs, and notes whether a key was missing: the topic of keys may have
/// one that this instance has not read yet.
#[derive(Debug, Clone)]
pub struct Opener {
    vault: Arc<Vault>,
    missed: Arc<AtomicBool>,
}

impl Opener {
    /// Has missed nothing yet.
    pub fn new(vault: &Arc<Vault>) -> Self {
        Self {
            vault: Arc::clone(vault),
            missed: Arc::default(),
        }
    }

    /// What is in a box; nothing if nobody can say.
    pub fn open(&self, field: Field, sealed: &Sealed) -> Result<String, Closed> {
        let opened = self.vault.open_box(field, sealed);
        if matches!(opened, Err(Closed::NoKey)) {
            self.missed.store(true, Ordering::Relaxed);
        }
        opened.map(|text| (*text).clone())
    }

    /// What an answer shows of it.
    pub fn show(&self, field: Field, sealed: &Sealed) -> String {
        if sealed.key_id.is_empty() {
            // It was only asked whether it would be possible: nothing is in there.
            return String::new();
        }
        self.open(field, sealed).unwrap_or_else(|closed| {
            let shown = match closed {
                Closed::Erased | Closed::NoKey => ERASED,
                Closed::Damaged => UNREADABLE,
            };
            shown.to_owned()
        })
    }

    /// The same of a text that may be missing; of somebody erased nothing else is shown.
    pub fn show_of(&self, is_erased: bool, field: Field, sealed: Option<&Sealed>) -> String {
        if is_erased {
            return ERASED.to_owned();
        }
        sealed
            .map(|sealed| self.show(field, sealed))
            .unwrap_or_default()
    }

    /// Whether a key was missing.
    pub fn has_missed(&self) -> bool {
        self.missed.load(Ordering::Relaxed)
    }
}

/// The personal texts of one command, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Boxes {
    /// In the order of the texts.
    Sealed(Vec<Sealed>),
    /// The person is erased: nothing is sealed any more.
    Erased,
}

impl Boxes {
    /// Boxes with nothing in them, for a command that only asks whether it would be possible.
    pub fn empty(person: Person, count: usize) -> Self {
        let empty = Sealed {
            subject: person.to_string(),
            key_id: String::new(),
            nonce: [0; 24],
            ciphertext: Vec::new(),
        };
        Self::Sealed(vec![empty; count])
    }

    /// Seals these texts.
    ///
    /// # Errors
    /// UNAVAILABLE when the keys are out of reach.
    pub async fn seal(
        vault: &Vault,
        person: Person,
        texts: &[(Field, String)],
    ) -> Result<Self, Status> {
        let mut boxes = Vec::with_capacity(texts.len());
        for (field, text) in texts {
            match vault.seal(person, *field, text).await {
                Ok(sealed) => boxes.push(sealed),
                Err(Error::Erased) => return Ok(Self::Erased),
                Err(error @ Error::Away(_)) => return Err(out_of_reach(&error)),
            }
        }
        Ok(Self::Sealed(boxes))
    }
}

/// A box as the journal holds it.
pub fn sealed(field: &str, written: &types::Sealed) -> Result<Sealed, Wrong> {
    let nonce = written.nonce.as_slice().try_into();
    Ok(Sealed {
        subject: written.subject.clone(),
        key_id: written.key_id.clone(),
        nonce: nonce.map_err(|_| Wrong::new(field, "has no nonce of 24 bytes"))?,
        ciphertext: written.ciphertext.clone(),
    })
}

/// The same for a text that may be missing.
pub fn optional_sealed(
    field: &str,
    written: Option<&types::Sealed>,
) -> Result<Option<Sealed>, Wrong> {
    written.map(|written| sealed(field, written)).transpose()
}

/// A box as the journal holds it.
pub fn sealed_out(sealed: &Sealed) -> types::Sealed {
    types::Sealed {
        subject: sealed.subject.clone(),
        key_id: sealed.key_id.clone(),
        nonce: sealed.nonce.to_vec(),
        ciphertext: sealed.ciphertext.clone(),
    }
}

/// Reads an identity that a client names. What is wrong with it is told without repeating it.
pub fn identity(field: &str, written: &types::Identity) -> Result<(IdentityKind, String), Wrong> {
    let kind = IdentityKind::try_from(written.kind).unwrap_or_default();
    let value = written.value.trim();
    let wrong = |what: &str| Err(Wrong::new(&format!("{field}.value"), what));
    let parts = value.split_once('@');
    let is_email = parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
    match kind {
        IdentityKind::Unspecified => {
            return Err(Wrong::new(&format!("{field}.kind"), "is required"));
        }
        _ if value.is_empty() => return wrong("is required"),
        _ if value.len() > LONGEST_IDENTITY => return wrong("is longer than 320 bytes"),
        IdentityKind::Email if !is_email || value.contains(char::is_whitespace) => {
            return wrong("is no e-mail address");
        }
        IdentityKind::Phone if same_spelling(kind, value).len() < 4 => {
            return wrong("is no telephone number");
        }
        IdentityKind::Email
        | IdentityKind::Phone
        | IdentityKind::ExternalId
        | IdentityKind::Cookie => {}
    }
    Ok((kind, value.to_owned()))
}

/// Reads the identities that a client names, at most 20.
pub fn identities(
    field: &str,
    written: &[types::Identity],
) -> Result<Vec<(IdentityKind, String)>, Wrong> {
    if written.len() > MOST_IDENTITIES {
        return Err(Wrong::new(field, "has more than 20 entries"));
    }
    let written = written.iter().enumerate();
    written
        .map(|(i, written)| identity(&format!("{field}[{i}]"), written))
        .collect()
}

/// Reads what people call somebody; nothing if it is left out.
pub fn name(field: &str, written: &str) -> Result<Option<String>, Wrong> {
    let name = written.trim();
    if name.len() > LONGEST_NAME {
        return Err(Wrong::new(field, "is longer than 200 bytes"));
    }
    Ok(Some(name.to_owned()).filter(|name| !name.is_empty()))
}

/// What all spellings of an identity have in common.
pub fn same_spelling(kind: IdentityKind, value: &str) -> String {
    match kind {
        IdentityKind::Email => value.trim().to_lowercase(),
        IdentityKind::Phone => {
            let digits = value.chars().filter(|c| c.is_ascii_digit() || *c == '+');
            digits.collect()
        }
        IdentityKind::ExternalId | IdentityKind::Cookie | IdentityKind::Unspecified => {
            value.trim().to_owned()
        }
    }
}

/// The kind of field in which an identity is sealed.
pub const fn identity_field(kind: IdentityKind) -> Field {
    match kind {
        IdentityKind::Email => Field::Email,
        IdentityKind::Phone => Field::Phone,
        IdentityKind::ExternalId | IdentityKind::Unspecified => Field::ExternalId,
        IdentityKind::Cookie => Field::Cookie,
    }
}

/// UNAVAILABLE: the keys cannot be read or written now.
pub fn out_of_reach(error: &Error) -> Status {
    unavailable(&error.to_string())
}

#[cfg(test)]
mod tests {
    use patron_proto::types::v1::{Identity, IdentityKind};

    use super::{identity, name, same_spelling};

    fn read(kind: IdentityKind, value: &str) -> Result<String, String> {
        let written = Identity {
            kind: kind as i32,
            value: value.to_owned(),
        };
        let read = identity("identity", &written).map_err(|wrong| wrong.to_string());
        read.map(|(_, value)| value)
    }

    #[test]
    fn spellings_of_the_same_identity_are_the_same() {
        let email = |value| same_spelling(IdentityKind::Email, value);
        assert_eq!(email(" Ada@Example.org "), email("ada@example.ORG"));
        let phone = |value| same_spelling(IdentityKind::Phone, value);
        assert_eq!(phone("+34 (600) 10-20-30"), phone("+34600102030"));
        let id = |value| same_spelling(IdentityKind::ExternalId, value);
        assert_ne!(id("a1"), id("A1"));
    }

    #[test]
    fn what_is_no_identity_is_refused_and_not_repeated() {
        for (kind, value) in [
            (IdentityKind::Email, "ada.example.org"),
            (IdentityKind::Email, "ada @example.org"),
            (IdentityKind::Email, "@example.org"),
            (IdentityKind::Phone, "call me"),
            (IdentityKind::Cookie, " "),
        ] {
            let wrong = read(kind, value).unwrap_err();
            assert!(wrong.starts_with("identity.value: is "), "{wrong}");
            assert!(value.trim().is_empty() || !wrong.contains(value), "{wrong}");
        }
        assert!(read(IdentityKind::Cookie, &"c".repeat(321)).is_err());
        assert!(read(IdentityKind::Unspecified, "x").is_err());
        assert_eq!(read(IdentityKind::Cookie, " c ").as_deref(), Ok("c"));
    }

    #[test]
    fn a_name_that_is_blank_is_none() {
        assert_eq!(name("display_name", " "), Ok(None));
        assert_eq!(name("display_name", " Ada "), Ok(Some("Ada".to_owned())));
        assert!(name("display_name", &"n".repeat(201)).is_err());
    }
}
