//! What somebody agreed to, purpose by purpose.

use eventsourcing::Time;
use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::input::{MAX_LABEL, When, distinct, optional, required};

/// For how many purposes a conversion may carry consents.
pub const MAX_CONSENTS: usize = 20;

/// What was said about a purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConsentStatus {
    /// Yes.
    Granted,
    /// No.
    Denied,
    /// Not any more.
    Withdrawn,
}

/// What somebody said about one purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The purpose in one word; the policies read `contact`.
    pub purpose: String,
    /// What was said.
    pub status: ConsentStatus,
    /// When it was said.
    pub at: Time,
    /// Where that is written down, such as a document number; not personal.
    pub evidence: String,
}

/// Whether each field is what it must be, and each purpose is named once.
pub(super) fn check(consents: &[Consent], now: Time) -> Result<(), Refusal> {
    if consents.len() > MAX_CONSENTS {
        return Err(Refusal::Limit {
            what: "consents",
            limit: MAX_CONSENTS,
        });
    }
    distinct(
        "consents.purpose",
        consents.iter().map(|consent| &consent.purpose),
    )?;
    for consent in consents {
        required("consents.purpose", &consent.purpose, MAX_LABEL)?;
        optional("consents.evidence", &consent.evidence, MAX_LABEL)?;
        let said = When {
            now,
            occurred_at: Some(consent.at),
        };
        said.happened("consents.at")?;
    }
    Ok(())
}
