//! What may happen to a prospect.

use eventsourcing::{Sealed, Time};
use uuid::Uuid;

use super::{
    AbsorbedTouch, Closing, Consent, Conversion, Identity, Origin, Qualification, Touchpoint,
};
#[cfg(doc)]
use super::{MAX_PATH, TOUCHES_A_PART};
use crate::id::TouchpointId;

/// What has happened to a prospect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It was created.
    Created {
        /// Where it comes from, and when it was created.
        origin: Origin,
    },
    /// It was reached.
    TouchpointRecorded {
        /// Which touchpoint.
        touchpoint_id: TouchpointId,
        /// How and when it was reached.
        touchpoint: Touchpoint,
    },
    /// It is known which problem it wants solved.
    Qualified {
        /// Which problem of which proposition.
        qualification: Qualification,
        /// When.
        occurred_at: Time,
    },
    /// It has become a customer.
    Converted {
        /// How, when and with which promises.
        conversion: Box<Conversion>,
        /// The touchpoints up to then, the earliest first; only the newest [`MAX_PATH`].
        path: Vec<TouchpointId>,
        /// What it is known by, sealed.
        identities: Vec<Identity>,
        /// What people call it, sealed.
        display_name: Option<Sealed>,
    },
    /// It will not become a customer.
    Closed {
        /// Why.
        closing: Closing,
        /// What somebody noted about it, sealed.
        note: Option<Sealed>,
        /// When.
        occurred_at: Time,
    },
    /// It is known who it is.
    Identified {
        /// What it is known by and was not before, sealed.
        identities: Vec<Identity>,
        /// What people call it from now on, sealed; nothing if that stays.
        display_name: Option<Sealed>,
        /// When.
        occurred_at: Time,
    },
    /// It was taken up again.
    Reopened {
        /// When.
        occurred_at: Time,
    },
    /// It is the same as another prospect, which goes on.
    Merged {
        /// That other prospect.
        into: Uuid,
        /// When.
        occurred_at: Time,
    },
    /// It took over a part of a prospect that was merged into it.
    Absorbed {
        /// That prospect.
        from: Uuid,
        /// Which part, from 1.
        part: u32,
        /// Of how many.
        parts: u32,
        /// The touches that were not here yet, at most [`TOUCHES_A_PART`].
        touches: Vec<AbsorbedTouch>,
        /// What that prospect agreed to or refused.
        consents: Vec<Consent>,
        /// When.
        occurred_at: Time,
    },
    /// What it agrees to or refuses has changed.
    ConsentChanged {
        /// What counts from now on for this purpose.
        consent: Consent,
    },
    /// It was erased: who it is cannot be read any more.
    Erased {
        /// When that was asked for.
        erased_at: Time,
    },
    /// The keys of its personal data are destroyed.
    KeysDestroyed {
        /// When that was known.
        destroyed_at: Time,
    },
}

impl Event {
    /// The touchpoints that evolving by it changes: none that exist, for touchpoints are only added.
    pub fn parts(&self) -> Vec<TouchpointId> {
        match self {
            Self::Created { .. }
            | Self::TouchpointRecorded { .. }
            | Self::Qualified { .. }
            | Self::Converted { .. }
            | Self::Closed { .. }
            | Self::Identified { .. }
            | Self::Reopened { .. }
            | Self::Merged { .. }
            | Self::Absorbed { .. }
            | Self::ConsentChanged { .. }
            | Self::Erased { .. }
            | Self::KeysDestroyed { .. } => vec![],
        }
    }
}
