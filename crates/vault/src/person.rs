//! Whose data it is, and by which of the person's keys it is sealed.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// Somebody whose data is sealed: the id of the prospect and of the customer, which is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Person(pub Uuid);

/// One of the keys of a person: random, and no part of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 8]);

/// A text that names no person or no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("names nobody")]
pub struct Unknown;

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "persons/{}", self.0)
    }
}

impl FromStr for Person {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        let id = text.strip_prefix("persons/").ok_or(Unknown)?;
        id.parse().map(Self).map_err(|_| Unknown)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for KeyId {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        let is_hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).map_err(|_| Unknown)?;
        is_hex.then(|| Self(number.to_be_bytes())).ok_or(Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyId, Person};
    use uuid::Uuid;

    #[test]
    fn names_are_read_as_they_are_written() {
        let person = Person(Uuid::from_u128(7));
        assert_eq!(person.to_string().parse(), Ok(person));
        let key = KeyId([0, 1, 2, 3, 4, 5, 0xab, 0xff]);
        assert_eq!(key.to_string().parse(), Ok(key));
    }

    #[test]
    fn anything_else_names_nobody() {
        for text in ["", "persons/", "prospects/7", "persons/7"] {
            assert!(text.parse::<Person>().is_err(), "{text}");
        }
        for text in ["", "+123456789abcdef", "0123", "0123456789abcdefg"] {
            assert!(text.parse::<KeyId>().is_err(), "{text}");
        }
    }
}
