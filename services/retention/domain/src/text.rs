//! Texts of a bounded length. None of them is personal: what is personal never comes here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How many characters a label may have.
pub const MAX_LABEL: usize = 200;
/// How many characters an expectation may have.
pub const MAX_EXPECTATION: usize = 1_000;

/// A text that is blank or too long. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IllFormedText {
    /// There is nothing to read.
    #[error("this text is blank: give it, or leave the field out where it is optional")]
    Blank,
    /// There is too much of it.
    #[error("this text is longer than {limit} characters: shorten it")]
    TooLong {
        /// How many characters it may have.
        limit: usize,
    },
}

fn bounded(text: &str, limit: usize) -> Result<String, IllFormedText> {
    if text.trim().is_empty() {
        return Err(IllFormedText::Blank);
    }
    if text.chars().count() > limit {
        return Err(IllFormedText::TooLong { limit });
    }
    Ok(text.to_owned())
}

macro_rules! texts {
    ($($(#[$doc:meta])+ $name:ident up to $limit:ident;)+) => {$(
        $(#[$doc])+
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(String);

        impl $name {
            /// The text as it was written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IllFormedText;

            fn from_str(text: &str) -> Result<Self, IllFormedText> {
                bounded(text, $limit).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

texts! {
    /// A name that is only compared, never understood: a proposition or campaign of acquisition, the id of
    /// a customer in another system, a competitor, the purpose of a consent.
    Label up to MAX_LABEL;
    /// What a customer was led to expect, in plain words.
    Expectation up to MAX_EXPECTATION;
}

#[cfg(test)]
mod tests {
    use super::{IllFormedText, Label};

    #[test]
    fn a_label_says_something() {
        for blank in ["", " ", "\n\t"] {
            assert_eq!(blank.parse::<Label>(), Err(IllFormedText::Blank));
        }
    }

    #[test]
    fn a_limit_counts_characters_and_not_bytes() {
        assert!("é".repeat(200).parse::<Label>().is_ok());
        assert_eq!(
            "é".repeat(201).parse::<Label>(),
            Err(IllFormedText::TooLong { limit: 200 })
        );
    }
}
