//! Why something is not possible with a ledger, and what to do about it.

use customer_value::MINIMUM_REPEATERS;
use eventsourcing::{Class, Explain, Time};
use money::Rate;

use super::StatementId;
use super::model::Unfitted;

/// Why something is not possible with a ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A rate is none.
    #[error("{field} is {rate}: give a rate {wanted}")]
    RateOutOfRange {
        /// The field's path.
        field: &'static str,
        /// What was given.
        rate: Rate,
        /// What it should be, in words.
        wanted: &'static str,
    },
    /// A number is outside its scale.
    #[error("{field} is {value}: give a number from 1 to {max}")]
    OutOfRange {
        /// The field's path.
        field: &'static str,
        /// What was given.
        value: u32,
        /// The largest number it may be.
        max: u32,
    },
    /// A method needs a model, and none was fitted.
    #[error("no model was fitted to this ledger's customers: fit one, or keep the method SIMPLE")]
    NoModel,
    /// No model of this ledger did better than a guess.
    #[error(
        "model {number} does worse than \"everybody goes on at the same rate\", and no earlier one did better: keep the method SIMPLE"
    )]
    WorseThanNaive {
        /// The last model.
        number: u32,
    },
    /// The data do not carry a model.
    #[error("no model as of {}: {}; the method SIMPLE stays", .0.as_of, .0.why.advice())]
    Unfitted(Unfitted),
    /// What has not happened cannot be fitted to.
    #[error("as_of {as_of} has not come yet, it is {now}: fit as of a moment that has")]
    FitAhead {
        /// The moment that was asked for.
        as_of: Time,
        /// The present.
        now: Time,
    },
    /// A period is closed once.
    #[error("the period is closed by statement {statement_id} already: read that")]
    AlreadyClosed {
        /// Which statement.
        statement_id: StatementId,
    },
    /// A period has no length.
    #[error("end {end} is not later than start {start}: give a later end")]
    EndsBeforeItStarts {
        /// Where it should begin.
        start: Time,
        /// Where it should end.
        end: Time,
    },
    /// A period that goes on cannot be closed.
    #[error("end {end} has not come yet, it is {now}: close the period when it is over")]
    NotOver {
        /// Where it should end.
        end: Time,
        /// The present.
        now: Time,
    },
    /// Periods follow each other.
    #[error("start {start} is not where the last period ended: start at {expected}")]
    GapInPeriods {
        /// Where it should begin.
        start: Time,
        /// Where the last period ended.
        expected: Time,
    },
    /// The customer was none yet at the moment that was asked for, or it was not known.
    #[error("this customer was none as of {as_of}, by what was known: ask for a later moment")]
    NotFoundAsOf {
        /// The moment.
        as_of: Time,
    },
    /// Somebody else closed a period while this one was measured.
    #[error("the ledger moved on while the period was measured: look at its statements and retry")]
    Superseded,
}

impl Explain for Refusal {
    fn class(&self) -> Class {
        match *self {
            Self::RateOutOfRange { field, .. } | Self::OutOfRange { field, .. } => {
                Class::Invalid { field }
            }
            Self::EndsBeforeItStarts { .. } | Self::NotOver { .. } => {
                Class::Invalid { field: "end" }
            }
            Self::AlreadyClosed { .. } => Class::AlreadyExists,
            Self::FitAhead { .. } => Class::Invalid { field: "as_of" },
            Self::NoModel
            | Self::WorseThanNaive { .. }
            | Self::Unfitted(_)
            | Self::GapInPeriods { .. }
            | Self::NotFoundAsOf { .. } => Class::FailedPrecondition,
            Self::Superseded => Class::Conflict,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::RateOutOfRange { .. } | Self::OutOfRange { .. } => "OUT_OF_RANGE",
            Self::NoModel => "NO_MODEL",
            Self::WorseThanNaive { .. } => "WORSE_THAN_NAIVE",
            Self::Unfitted(unfitted) => unfitted.why.name(),
            Self::AlreadyClosed { .. } => "ALREADY_EXISTS",
            Self::EndsBeforeItStarts { .. } => "END_BEFORE_START",
            Self::NotOver { .. } | Self::FitAhead { .. } => "FUTURE_TIME",
            Self::GapInPeriods { .. } => "GAP_IN_PERIODS",
            Self::NotFoundAsOf { .. } => "NOT_FOUND_AS_OF",
            Self::Superseded => "SUPERSEDED",
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::RateOutOfRange { rate, .. } => vec![("value", rate.to_string())],
            Self::OutOfRange { value, max, .. } => {
                vec![("value", value.to_string()), ("max", max.to_string())]
            }
            Self::AlreadyClosed { statement_id } => {
                vec![("statement_id", statement_id.to_string())]
            }
            Self::EndsBeforeItStarts { start, end } => {
                vec![("start", start.to_string()), ("end", end.to_string())]
            }
            Self::NotOver { end, now } => {
                vec![("end", end.to_string()), ("now", now.to_string())]
            }
            Self::GapInPeriods { start, expected } => vec![
                ("start", start.to_string()),
                ("expected", expected.to_string()),
            ],
            Self::NotFoundAsOf { as_of } => vec![("as_of", as_of.to_string())],
            Self::FitAhead { as_of, now } => {
                vec![("as_of", as_of.to_string()), ("now", now.to_string())]
            }
            Self::WorseThanNaive { number } => vec![("model", number.to_string())],
            Self::Unfitted(unfitted) => vec![
                ("as_of", unfitted.as_of.to_string()),
                ("customers", unfitted.customers.to_string()),
                ("repeaters", unfitted.repeaters.to_string()),
                ("minimum", MINIMUM_REPEATERS.to_string()),
            ],
            Self::NoModel | Self::Superseded => vec![],
        }
    }
}
