//! Ids that clients choose, one type for each kind of thing, so that none is taken for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How many characters an id that is part of a resource name may have.
pub const MAX_NAME_ID: usize = 63;
/// How many characters an id of a till, a shop or an invoice may have.
pub const MAX_FOREIGN_ID: usize = 100;

/// A text that cannot be the id. It does not repeat the text, which may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IllFormedId {
    /// The id of something with a resource name.
    #[error("this id is made of 1 to {MAX_NAME_ID} of the characters a-z, 0-9 and '-'")]
    Name,
    /// The id of something that another system numbers.
    #[error("this id is made of 1 to {MAX_FOREIGN_ID} ASCII characters, none of them a space")]
    Foreign,
}

/// Fit for a resource name.
fn name(text: &str) -> Result<(), IllFormedId> {
    let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    let well_formed = (1..=MAX_NAME_ID).contains(&text.len()) && text.bytes().all(fits);
    well_formed.then_some(()).ok_or(IllFormedId::Name)
}

/// As invoices are numbered: `2026/0042`, `INV#7`.
fn foreign(text: &str) -> Result<(), IllFormedId> {
    let fits = |byte: u8| byte.is_ascii_graphic();
    let well_formed = (1..=MAX_FOREIGN_ID).contains(&text.len()) && text.bytes().all(fits);
    well_formed.then_some(()).ok_or(IllFormedId::Foreign)
}

macro_rules! ids {
    ($($(#[$doc:meta])+ $name:ident is $rule:path;)+) => {$(
        $(#[$doc])+
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(String);

        impl $name {
            /// The id as it was written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IllFormedId;

            fn from_str(text: &str) -> Result<Self, IllFormedId> {
                $rule(text).map(|()| Self(text.to_owned()))
            }
        }

        impl From<Uuid> for $name {
            /// The UUID as text, in lower case with hyphens.
            fn from(id: Uuid) -> Self {
                Self(id.hyphenated().to_string())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

ids! {
    /// The id of a promise within its customer.
    PromiseId is name;
    /// The id of an action within its customer.
    ActionId is name;
    /// The id of a line of recurring revenue within its customer.
    LineId is name;
    /// The id of a benefit within its proposition, as acquisition knows it.
    BenefitId is name;
    /// The id of a presentation within its proposition, as acquisition knows it.
    PresentationId is name;
    /// The id of a purchase within its customer, often the number of an invoice.
    PurchaseId is foreign;
    /// The id of a reversal within its purchase, often the number of a credit note.
    ReversalId is foreign;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::{IllFormedId, PromiseId, PurchaseId};

    #[test]
    fn an_id_in_a_resource_name_is_lower_case_letters_digits_and_hyphens() {
        for wrong in [
            "",
            "Next",
            "next day",
            "next/day",
            "nächste",
            &"a".repeat(64),
        ] {
            assert_eq!(
                wrong.parse::<PromiseId>(),
                Err(IllFormedId::Name),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_purchase_may_be_called_as_its_invoice_is() {
        assert_eq!(
            "2026/INV#0042".parse::<PurchaseId>().unwrap().as_str(),
            "2026/INV#0042"
        );
        for wrong in ["", "two words", "line\nbreak", "é", &"9".repeat(101)] {
            assert_eq!(
                wrong.parse::<PurchaseId>(),
                Err(IllFormedId::Foreign),
                "{wrong}"
            );
        }
    }

    proptest! {
        #[test]
        fn every_uuid_is_an_id(bits: u128) {
            let id = PromiseId::from(Uuid::from_u128(bits));
            prop_assert_eq!(id.as_str().parse::<PromiseId>(), Ok(id.clone()));
        }
    }
}
