//! Ids that clients choose: short, lower-case, fit for a resource name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How many characters an id may have.
pub const MAX_ID_LENGTH: usize = 63;

/// A text that is no id. It does not repeat the text, which may be personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is 1 to {MAX_ID_LENGTH} of the characters a-z, 0-9 and '-'")]
pub struct IllFormedId;

fn is_well_formed(text: &str) -> bool {
    (1..=MAX_ID_LENGTH).contains(&text.len())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// Defines one type per kind of id, so that a problem is never taken for a benefit.
macro_rules! ids {
    ($($(#[$doc:meta])+ $name:ident)+) => {$(
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
                is_well_formed(text).then(|| Self(text.to_owned())).ok_or(IllFormedId)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )+};
}

ids! {
    /// The id of a proposition.
    PropositionId
    /// The id of a customer problem within its proposition.
    ProblemId
    /// The id of a benefit within its proposition.
    BenefitId
    /// The id of a differentiator within its proposition.
    DifferentiatorId
    /// The id of a presentation within its proposition.
    PresentationId
    /// The id of a campaign within its proposition.
    CampaignId
    /// The id of a spend within its campaign.
    SpendId
    /// The id of a touchpoint within its prospect.
    TouchpointId
    /// The id of a promise within its customer, the same in both services.
    PromiseId
}

impl From<Uuid> for PromiseId {
    /// The id of a promise whose client chose none.
    fn from(uuid: Uuid) -> Self {
        Self(uuid.hyphenated().to_string())
    }
}

/// A campaign of any proposition, by its full name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CampaignName {
    /// Whose campaign it is.
    pub proposition_id: PropositionId,
    /// Which of its campaigns.
    pub campaign_id: CampaignId,
}

impl fmt::Display for CampaignName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "propositions/{}/campaigns/{}",
            self.proposition_id, self.campaign_id
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{IllFormedId, ProblemId, PromiseId};

    #[test]
    fn an_id_is_lower_case_letters_digits_and_hyphens() {
        for wrong in [
            "",
            "Van",
            "van repair",
            "van_repair",
            "vän",
            &"a".repeat(64),
        ] {
            assert_eq!(wrong.parse::<ProblemId>(), Err(IllFormedId), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn an_id_made_from_a_uuid_is_one_that_a_client_could_have_chosen(bits in any::<u128>()) {
            let id = PromiseId::from(uuid::Uuid::from_u128(bits));
            prop_assert_eq!(id.as_str().parse(), Ok(id.clone()));
        }

        #[test]
        fn every_well_formed_id_is_kept_as_written(text in "[a-z0-9-]{1,63}") {
            let id: ProblemId = text.parse().unwrap();
            prop_assert_eq!(id.as_str(), &text);
        }
    }
}
