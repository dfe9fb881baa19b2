//! Personal data as events and rows carry it: a sealed box that no rule ever opens.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Personal data, readable only with a key of its subject, which erasure destroys.
///
/// Sealed and opened at the edge. A rule may pass it on or ask whether there is one; what is inside it
/// cannot know, so a decision never rests on personal data.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sealed {
    /// Whose data it is: `persons/{id}`, with the id of the prospect and of the customer, which is one.
    pub subject: String,
    /// Which of the subject's keys seals it.
    pub key_id: String,
    /// Random, and used once.
    pub nonce: [u8; 24],
    /// The sealed text, its tag included.
    pub ciphertext: Vec<u8>,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} by {})", self.subject, self.key_id)
    }
}
