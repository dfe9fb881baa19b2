//! What somebody may want of a prospect.

use eventsourcing::{Sealed, Time};

use super::{
    Absorb, AbsorbedKey, Closing, Consent, Convert, Identify, Kind, Merge, Qualification, Touch,
};
use crate::id::TouchpointId;
use crate::input::When;

/// What somebody wants of a prospect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Create a prospect.
    Create {
        /// Whether it is one person.
        kind: Kind,
        /// Where it was first heard of.
        source: String,
        /// When it was created.
        when: When,
    },
    /// Record that it was reached.
    RecordTouchpoint {
        /// The id that the client chose.
        touchpoint_id: TouchpointId,
        /// How it was reached.
        touch: Touch,
        /// When it was reached.
        when: When,
    },
    /// Record which problem it wants solved.
    Qualify {
        /// Which problem of which proposition; not checked, it is another aggregate.
        qualification: Qualification,
        /// When it was qualified.
        when: When,
    },
    /// Record that it has become a customer.
    Convert(Convert),
    /// Record that it will not become a customer.
    Close {
        /// Why.
        closing: Closing,
        /// What somebody noted about it, sealed.
        note: Option<Sealed>,
        /// When it was closed.
        when: When,
    },
    /// Record who it is.
    Identify(Identify),
    /// Take it up again after it was closed.
    Reopen {
        /// When it was taken up.
        when: When,
    },
    /// Record that it is the same as another prospect.
    Merge(Merge),
    /// Take over a prospect that was merged into it.
    Absorb(Absorb),
    /// Record what it agrees to or refuses.
    SetConsent {
        /// What it said, and when.
        consent: Consent,
        /// The moment of the command.
        now: Time,
    },
    /// Take over what the other service has recorded that it agrees to or refuses.
    HearConsent {
        /// What it said, and when.
        consent: Consent,
    },
    /// Forget who it is.
    Erase {
        /// When that was asked for.
        when: When,
    },
    /// Take over that the other service has forgotten who it is.
    HearErased {
        /// When that was.
        erased_at: Time,
    },
    /// Record that the keys of its personal data are destroyed.
    NoteDestroyed {
        /// When that was known.
        now: Time,
    },
}

impl Command {
    /// The touchpoints that deciding about it looks at: load those of them that exist.
    pub fn parts(&self) -> Vec<TouchpointId> {
        match self {
            Self::RecordTouchpoint { touchpoint_id, .. } => vec![touchpoint_id.clone()],
            Self::Create { .. }
            | Self::Qualify { .. }
            | Self::Convert(_)
            | Self::Close { .. }
            | Self::Identify(_)
            | Self::Reopen { .. }
            | Self::Merge(_)
            | Self::Absorb(_)
            | Self::SetConsent { .. }
            | Self::HearConsent { .. }
            | Self::Erase { .. }
            | Self::HearErased { .. }
            | Self::NoteDestroyed { .. } => vec![],
        }
    }

    /// The absorbed touchpoints that deciding about it looks at: load those of them that exist.
    pub fn absorbed_parts(&self) -> Vec<AbsorbedKey> {
        match self {
            Self::Absorb(absorb) => absorb.touches.iter().map(|t| t.key.clone()).collect(),
            Self::Create { .. }
            | Self::RecordTouchpoint { .. }
            | Self::Qualify { .. }
            | Self::Convert(_)
            | Self::Close { .. }
            | Self::Identify(_)
            | Self::Reopen { .. }
            | Self::Merge(_)
            | Self::SetConsent { .. }
            | Self::HearConsent { .. }
            | Self::Erase { .. }
            | Self::HearErased { .. }
            | Self::NoteDestroyed { .. } => vec![],
        }
    }
}
