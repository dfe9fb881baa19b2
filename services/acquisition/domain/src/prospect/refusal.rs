//! Why something is not possible with a prospect.

use std::fmt;

use eventsourcing::{Class, Explain, Time};
use uuid::Uuid;

use super::IdentityKind;
use crate::id::TouchpointId;
use crate::input::Invalid;

/// Something that has an id of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thing {
    /// The prospect itself.
    Prospect,
    /// One of its touchpoints.
    Touchpoint(TouchpointId),
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prospect => f.write_str("prospect"),
            Self::Touchpoint(id) => write!(f, "touchpoint {id}"),
        }
    }
}

/// Why something is not possible with a prospect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A field is missing or wrong by itself.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The prospect does not exist.
    #[error("there is no such prospect: create it first, or correct the id")]
    NotFound,
    /// The id that the client chose is taken, by other content.
    #[error("there is another {0} already: choose another id")]
    AlreadyExists(Thing),
    /// There are too many of something.
    #[error("a prospect may have {limit} {what} and no more: leave some out")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// What happens after the conversion belongs to the customer.
    #[error(
        "the prospect was converted at {converted_at}: only what happened until then is recorded here"
    )]
    AfterConversion {
        /// When it was converted.
        converted_at: Time,
    },
    /// It has become a customer already.
    #[error("the prospect is a customer already: go on with the customer of the same id")]
    AlreadyConverted,
    /// It was closed.
    #[error("the prospect is closed: reopen it first")]
    Closed,
    /// It is the same as another prospect.
    #[error("the prospect was merged: use prospects/{into}")]
    Merged {
        /// That other prospect.
        into: Uuid,
    },
    /// People buy expectations: a conversion without a promise is none.
    #[error("nothing was promised: give promises, or a presentation that claims something")]
    NoPromise,
    /// It is known by another value of a kind of which it has one.
    #[error(
        "the prospect is known by another {}: it may be somebody else, so give another prospect or leave it out",
        kind.name()
    )]
    IdentityConflict {
        /// Of which kind.
        kind: IdentityKind,
    },
    /// Only what is closed is reopened.
    #[error("the prospect is not closed: there is nothing to reopen")]
    NotClosed,
    /// A prospect is not merged into itself.
    #[error("into is the prospect itself: name the other one")]
    MergeIntoItself,
    /// The prospect to merge into does not exist.
    #[error("there is no prospect of the id in into: correct it")]
    TargetNotFound,
    /// The prospect to merge into was merged itself.
    #[error("the prospect in into was merged itself: merge into prospects/{into}")]
    TargetMerged {
        /// Where it went.
        into: Uuid,
    },
    /// A merge leads to the older prospect, or to a customer.
    #[error(
        "the prospect in into is younger and no customer: merge that one into this one instead"
    )]
    MergeIntoOlder,
    /// Nobody who was erased becomes known again.
    #[error("the prospect is erased, and nothing about who it is is kept any more: create another")]
    Erased,
    /// Nobody is found to be the same as somebody who was erased.
    #[error("the prospect in into is erased: erase this one too, if it is the same person")]
    TargetErased,
}

impl Explain for Refusal {
    fn class(&self) -> Class {
        match self {
            Self::Invalid(cause) => cause.class(),
            Self::NotFound | Self::TargetNotFound => Class::NotFound,
            Self::AlreadyExists(_) => Class::AlreadyExists,
            Self::Limit { .. } => Class::Exhausted,
            Self::AfterConversion { .. }
            | Self::AlreadyConverted
            | Self::Closed
            | Self::Merged { .. }
            | Self::IdentityConflict { .. }
            | Self::NotClosed
            | Self::TargetMerged { .. }
            | Self::MergeIntoOlder
            | Self::Erased
            | Self::TargetErased => Class::FailedPrecondition,
            Self::MergeIntoItself => Class::Invalid { field: "into" },
            Self::NoPromise => Class::Invalid { field: "promises" },
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(cause) => cause.reason(),
            Self::NotFound | Self::TargetNotFound => "NOT_FOUND",
            Self::AlreadyExists(_) => "ALREADY_EXISTS",
            Self::Limit { .. } => "LIMIT_EXCEEDED",
            Self::AfterConversion { .. } => "AFTER_CONVERSION",
            Self::AlreadyConverted => "ALREADY_CONVERTED",
            Self::Closed => "CLOSED",
            Self::Merged { .. } | Self::TargetMerged { .. } => "MERGED",
            Self::NoPromise => "NO_PROMISE",
            Self::IdentityConflict { .. } => "IDENTITY_CONFLICT",
            Self::NotClosed => "NOT_CLOSED",
            Self::MergeIntoItself => "SAME_PROSPECT",
            Self::MergeIntoOlder => "MERGE_INTO_OLDER",
            Self::Erased | Self::TargetErased => "ERASED",
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Invalid(cause) => cause.metadata(),
            Self::NotFound
            | Self::AlreadyExists(Thing::Prospect)
            | Self::AlreadyConverted
            | Self::Closed
            | Self::NoPromise
            | Self::NotClosed
            | Self::MergeIntoItself
            | Self::TargetNotFound
            | Self::MergeIntoOlder
            | Self::Erased
            | Self::TargetErased => vec![],
            Self::AlreadyExists(Thing::Touchpoint(id)) => vec![("touchpoint_id", id.to_string())],
            Self::Limit { what, limit } => {
                vec![("what", (*what).to_owned()), ("limit", limit.to_string())]
            }
            Self::AfterConversion { converted_at } => {
                vec![("converted_at", converted_at.to_string())]
            }
            Self::Merged { into } | Self::TargetMerged { into } => {
                vec![("into", format!("prospects/{into}"))]
            }
            Self::IdentityConflict { kind } => vec![("kind", kind.name().to_owned())],
        }
    }
}
