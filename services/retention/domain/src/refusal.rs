//! Why something is not possible with a customer, and what to do about it.

use std::fmt;

use eventsourcing::{Class, Explain, Time};
use money::Money;

use crate::action::Outcome;
use crate::id::{ActionId, PromiseId, PurchaseId, ReversalId};
use crate::input::Invalid;
use crate::promise;
use crate::relationship;

/// Something that has an id of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thing {
    /// The customer itself.
    Customer,
    /// One of its promises.
    Promise(PromiseId),
    /// One of its purchases.
    Purchase(PurchaseId),
    /// One of the reversals of a purchase.
    Reversal(ReversalId),
    /// One of the actions for it.
    Action(ActionId),
}

/// Why something is not possible with a customer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A field is missing or wrong by itself.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// What the command names does not exist.
    #[error("there is no such {0}: correct the id, or record it first")]
    NotFound(Thing),
    /// The id that the client chose is taken, by other content.
    #[error("there is another {0} already: choose another id, or repeat the same content")]
    AlreadyExists(Thing),
    /// There are too many of something.
    #[error("there are {limit} {what} already, and no room for more: keep further ones elsewhere")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: u32,
    },
    /// The customer is lost, and this is only possible with one who is not.
    #[error("the customer was lost at {ended_at}: win the customer back first")]
    WinBackFirst {
        /// When the relationship ended.
        ended_at: Time,
    },
    /// A relationship ends once.
    #[error("the customer was lost at {ended_at} already: there is no relationship to end")]
    AlreadyLost {
        /// When the relationship ended.
        ended_at: Time,
    },
    /// Only a lost customer can be won back.
    #[error("the customer is {state} and not lost: there is nobody to win back")]
    NotLost {
        /// Where the relationship stands.
        state: relationship::State,
    },
    /// Notice is given by who is active.
    #[error("the customer is {state} and not ACTIVE: notice was given already, or is too late")]
    NotActive {
        /// Where the relationship stands.
        state: relationship::State,
    },
    /// Only a notice that was given can be withdrawn.
    #[error("the customer is {state} and not LEAVING: there is no notice to withdraw")]
    NotLeaving {
        /// Where the relationship stands.
        state: relationship::State,
    },
    /// Nobody asks a customer back who does not want to be asked.
    #[error("the customer has not agreed to `contact`: record the consent first, if there is one")]
    NoConsent,
    /// Nobody who was erased becomes known again, or is asked back.
    #[error("the customer is erased: who it was is not kept any more, and nobody asks it back")]
    Erased,
    /// An action comes to an end once.
    #[error("action {action_id} is {outcome} already: propose another one")]
    ActionClosed {
        /// Which action.
        action_id: ActionId,
        /// How it came to its end.
        outcome: Outcome,
    },
    /// A broken promise was named as the reason of a loss, and there is none.
    #[error("no promise to this customer was broken: record what broke, or give another reason")]
    NoBrokenPromise,
    /// A purchase cannot be taken back by more than is left of it.
    #[error("of purchase {purchase_id} only {remaining} is left: reverse no more than that")]
    OverReversed {
        /// Which purchase.
        purchase_id: PurchaseId,
        /// What is left of it.
        remaining: Money,
    },
    /// Whether a promise was kept is asked while it is open, and again while it is kept.
    #[error("promise {promise_id} is {state}: only an open or kept promise can be assessed")]
    NotAssessable {
        /// Which promise.
        promise_id: PromiseId,
        /// Where it stands.
        state: promise::State,
    },
    /// Only what is broken can be repaired.
    #[error("promise {promise_id} is {state}: only a broken promise can be repaired")]
    NotBroken {
        /// Which promise.
        promise_id: PromiseId,
        /// Where it stands.
        state: promise::State,
    },
    /// A customer can only waive what is still to come.
    #[error("promise {promise_id} is {state}: only an open promise can be waived")]
    NotOpen {
        /// Which promise.
        promise_id: PromiseId,
        /// Where it stands.
        state: promise::State,
    },
}

impl Explain for Refusal {
    fn class(&self) -> Class {
        match self {
            Self::Invalid(cause) => cause.class(),
            Self::NotFound(_) => Class::NotFound,
            Self::AlreadyExists(_) => Class::AlreadyExists,
            Self::Limit { .. } => Class::Exhausted,
            Self::WinBackFirst { .. }
            | Self::AlreadyLost { .. }
            | Self::NotLost { .. }
            | Self::NotActive { .. }
            | Self::NotLeaving { .. }
            | Self::NoConsent
            | Self::Erased
            | Self::ActionClosed { .. }
            | Self::NoBrokenPromise
            | Self::OverReversed { .. }
            | Self::NotAssessable { .. }
            | Self::NotBroken { .. }
            | Self::NotOpen { .. } => Class::FailedPrecondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(cause) => cause.reason(),
            Self::NotFound(_) => "NOT_FOUND",
            Self::AlreadyExists(_) => "ALREADY_EXISTS",
            Self::Limit { .. } => "LIMIT_EXCEEDED",
            Self::WinBackFirst { .. } => "WIN_BACK_FIRST",
            Self::AlreadyLost { .. } => "ALREADY_LOST",
            Self::NotLost { .. } => "NOT_LOST",
            Self::NotActive { .. } => "NOT_ACTIVE",
            Self::NotLeaving { .. } => "NOT_LEAVING",
            Self::NoConsent => "NO_CONSENT",
            Self::Erased => "ERASED",
            Self::ActionClosed { .. } => "ACTION_CLOSED",
            Self::NoBrokenPromise => "NO_BROKEN_PROMISE",
            Self::OverReversed { .. } => "OVER_REVERSED",
            Self::NotAssessable { .. } => "NOT_ASSESSABLE",
            Self::NotBroken { .. } => "NOT_BROKEN",
            Self::NotOpen { .. } => "NOT_OPEN",
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Invalid(cause) => cause.metadata(),
            Self::NotFound(thing) | Self::AlreadyExists(thing) => thing.metadata(),
            Self::Limit { what, limit } => {
                vec![("what", (*what).to_owned()), ("limit", limit.to_string())]
            }
            Self::WinBackFirst { ended_at } | Self::AlreadyLost { ended_at } => {
                vec![("ended_at", ended_at.to_string())]
            }
            Self::NotLost { state } | Self::NotActive { state } | Self::NotLeaving { state } => {
                vec![("state", state.to_string())]
            }
            Self::NoConsent | Self::Erased | Self::NoBrokenPromise => vec![],
            Self::ActionClosed { action_id, outcome } => vec![
                ("action_id", action_id.to_string()),
                ("outcome", outcome.to_string()),
            ],
            Self::OverReversed {
                purchase_id,
                remaining,
            } => vec![
                ("purchase_id", purchase_id.to_string()),
                ("remaining", remaining.to_string()),
            ],
            Self::NotAssessable { promise_id, state }
            | Self::NotBroken { promise_id, state }
            | Self::NotOpen { promise_id, state } => {
                vec![
                    ("promise_id", promise_id.to_string()),
                    ("state", state.to_string()),
                ]
            }
        }
    }
}

impl Thing {
    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Customer => vec![],
            Self::Promise(id) => vec![("promise_id", id.to_string())],
            Self::Purchase(id) => vec![("purchase_id", id.to_string())],
            Self::Reversal(id) => vec![("reversal_id", id.to_string())],
            Self::Action(id) => vec![("action_id", id.to_string())],
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customer => f.write_str("customer"),
            Self::Promise(id) => write!(f, "promise {id}"),
            Self::Purchase(id) => write!(f, "purchase {id}"),
            Self::Reversal(id) => write!(f, "reversal {id}"),
            Self::Action(id) => write!(f, "action {id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use eventsourcing::{Class, Explain, Time};

    use super::{Refusal, Thing};
    use crate::input::Invalid;

    #[test]
    fn a_refusal_says_what_to_do() {
        let lost = Refusal::WinBackFirst {
            ended_at: Time::from_days(1),
        };
        assert_eq!(
            lost.to_string(),
            "the customer was lost at 1970-01-02T00:00:00Z: win the customer back first"
        );
        assert_eq!(lost.class(), Class::FailedPrecondition);
        assert_eq!(lost.reason(), "WIN_BACK_FIRST");
        assert_eq!(
            lost.metadata(),
            [("ended_at", "1970-01-02T00:00:00Z".to_owned())]
        );
    }

    #[test]
    fn a_wrong_field_is_named() {
        let refusal = Refusal::from(Invalid::NoReason);
        assert_eq!(refusal.class(), Class::Invalid { field: "reason" });
        assert_eq!(refusal.reason(), "NO_REASON");
    }

    #[test]
    fn what_is_not_found_is_named() {
        let refusal = Refusal::NotFound(Thing::Purchase("2026/7".parse().unwrap()));
        assert_eq!(refusal.class(), Class::NotFound);
        assert_eq!(refusal.metadata(), [("purchase_id", "2026/7".to_owned())]);
    }
}
