//! The records of the topic of keys.
//!
//! | record key | value | means |
//! |---|---|---|
//! | `key/<person>/<key>` | 1, master key's id, nonce, wrapped key | a key of that person |
//! | `key/<person>/<key>` | nothing | it is destroyed |
//! | `erased/<person>` | 1 | the person is erased, for ever |
//! | `nudge` | anything | nothing: it shows how far somebody has read |
//!
//! Of each record key the topic keeps the newest record, so a tombstone takes the wrapped key away.

use bytes::Bytes;
use journal::Record;
use uuid::Uuid;

use crate::cipher::NONCE;
use crate::person::{KeyId, Person};

const VERSION: u8 = 1;
const WRAPPED: usize = 32 + 16;
const LENGTH: usize = 1 + 8 + NONCE + WRAPPED;
const NUDGE: &[u8] = b"nudge";

/// A key of a person, readable with the master key alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapped {
    /// Which master key.
    pub(crate) master: KeyId,
    pub(crate) nonce: [u8; NONCE],
    pub(crate) sealed: [u8; WRAPPED],
}

/// What a record of the topic says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A person has this key.
    Key(Person, KeyId, Wrapped),
    /// That key is destroyed.
    Destroyed(Person, KeyId),
    /// The person is erased.
    Erased(Person),
}

impl Entry {
    /// Whom it is about.
    pub const fn person(&self) -> Person {
        match self {
            Self::Key(person, ..) | Self::Destroyed(person, _) | Self::Erased(person) => *person,
        }
    }

    /// As the topic holds it.
    pub fn record(&self) -> Record {
        let (key, value) = match self {
            Self::Key(person, key, wrapped) => {
                let mut value = Vec::with_capacity(LENGTH);
                value.push(VERSION);
                value.extend_from_slice(&wrapped.master.0);
                value.extend_from_slice(&wrapped.nonce);
                value.extend_from_slice(&wrapped.sealed);
                (format!("key/{}/{key}", person.0), Bytes::from(value))
            }
            Self::Destroyed(person, key) => (format!("key/{}/{key}", person.0), Bytes::new()),
            Self::Erased(person) => (
                format!("erased/{}", person.0),
                Bytes::from_static(&[VERSION]),
            ),
        };
        Record {
            key: Some(Bytes::from(key)),
            headers: Vec::new(),
            value,
        }
    }

    /// Reads a record; nothing if it says nothing.
    ///
    /// # Errors
    /// If this release cannot read it: a key that is not understood must not count as none.
    pub fn read(record: &Record) -> Result<Option<Self>, Unreadable> {
        let key = record.key.as_deref().ok_or(Unreadable)?;
        if key == NUDGE {
            return Ok(None);
        }
        let key = std::str::from_utf8(key).map_err(|_| Unreadable)?;
        let mut parts = key.split('/');
        let entry = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("key"), Some(person), Some(key), None) => {
                let key: KeyId = key.parse().map_err(|_| Unreadable)?;
                let person = id(person)?;
                if record.value.is_empty() {
                    Self::Destroyed(person, key)
                } else {
                    Self::Key(person, key, wrapped(&record.value).ok_or(Unreadable)?)
                }
            }
            (Some("erased"), Some(person), None, None) if *record.value == [VERSION] => {
                Self::Erased(id(person)?)
            }
            _ => return Err(Unreadable),
        };
        Ok(Some(entry))
    }
}

/// A record that says nothing.
pub(crate) fn nudge() -> Record {
    Record {
        key: Some(Bytes::from_static(NUDGE)),
        headers: Vec::new(),
        value: Bytes::from_static(&[VERSION]),
    }
}

/// A record of the topic that this release cannot read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the topic of keys has a record that this release cannot read: a newer release wrote it, or it is damaged"
)]
pub struct Unreadable;

fn id(text: &str) -> Result<Person, Unreadable> {
    text.parse::<Uuid>().map(Person).map_err(|_| Unreadable)
}

fn wrapped(value: &[u8]) -> Option<Wrapped> {
    let (version, rest) = value.split_first()?;
    let (master, rest) = rest.split_first_chunk()?;
    let (nonce, rest) = rest.split_first_chunk()?;
    Some(Wrapped {
        master: KeyId(*master),
        nonce: *nonce,
        sealed: rest.try_into().ok()?,
    })
    .filter(|_| *version == VERSION)
}

#[cfg(test)]
mod tests {
    use super::{Entry, Unreadable, Wrapped, nudge};
    use crate::person::{KeyId, Person};
    use bytes::Bytes;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn entry() -> impl Strategy<Value = Entry> {
        let person = any::<u128>().prop_map(|id| Person(Uuid::from_u128(id)));
        let wrapped = any::<([u8; 8], [u8; 24], [u8; 24], [u8; 24])>().prop_map(|all| Wrapped {
            master: KeyId(all.0),
            nonce: all.1,
            sealed: std::array::from_fn(|i| *all.2.iter().chain(&all.3).nth(i).unwrap()),
        });
        (person, any::<[u8; 8]>(), wrapped, 0..3).prop_map(
            |(person, key, wrapped, kind)| match kind {
                0 => Entry::Key(person, KeyId(key), wrapped),
                1 => Entry::Destroyed(person, KeyId(key)),
                _ => Entry::Erased(person),
            },
        )
    }

    proptest! {
        #[test]
        fn an_entry_is_read_as_it_was_written(entry in entry()) {
            prop_assert_eq!(Entry::read(&entry.record()), Ok(Some(entry)));
        }

        #[test]
        fn a_key_that_is_cut_short_is_no_key(entry in entry(), cut in 1_usize..80) {
            let mut record = entry.record();
            if record.value.len() > cut {
                record.value.truncate(record.value.len() - cut);
                prop_assert_eq!(Entry::read(&record), Err(Unreadable));
            }
        }
    }

    #[test]
    fn a_nudge_says_nothing() {
        assert_eq!(Entry::read(&nudge()), Ok(None));
    }

    #[test]
    fn what_is_unknown_is_an_error() {
        for key in ["", "key", "key/1/2", "erased/7", "other/thing"] {
            let mut record = nudge();
            record.key = Some(Bytes::copy_from_slice(key.as_bytes()));
            assert_eq!(Entry::read(&record), Err(Unreadable), "{key}");
        }
    }
}
