//! The equity ledger of one currency: what customers are valued with, and the periods that were closed.
//!
//! A period is closed once and for ever. What it says is measured elsewhere, from the facts of all customers
//! ([`statement`]); here is decided whether it may stand: that periods follow each other without a gap, and
//! that what was measured follows the statement before.

mod assumptions;
mod close;
pub mod model;
mod refusal;
pub mod statement;
#[cfg(test)]
mod tests;
mod valuation;

use std::collections::BTreeMap;

use eventsourcing::{Aggregate, Time};
use serde::{Deserialize, Serialize};

pub use assumptions::{
    Assumptions, MAX_HORIZON_MONTHS, MAX_INACTIVITY_DAYS, Method, SetAssumptions,
};
pub use close::{
    ALGORITHM, ClosePeriod, Closed, Cut, Figures, IllFormedStatementId, Measured, Memo, StatementId,
};
pub use model::{FitModel, Model};
pub use refusal::Refusal;
pub use valuation::{Score, Valuation};

/// The equity ledger of one currency.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// What customers are valued with.
    pub assumptions: Assumptions,
    /// When they were last set; absent while they are the defaults.
    pub assumptions_set_at: Option<Time>,
    /// The periods that were closed: start, included, and end, excluded.
    pub closed: BTreeMap<StatementId, (Time, Time)>,
    /// Where the next period begins.
    pub last: Option<Last>,
    /// How many models were fitted: the number of the last one.
    pub models: u32,
    /// The last model that may be used for value.
    pub usable_model: Option<u32>,
}

/// What the next statement follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Last {
    /// The last statement.
    pub statement_id: StatementId,
    /// Where it ends, and the next period begins.
    pub end: Time,
    /// What had been recorded of it.
    pub cut: Cut,
}

/// What somebody wants of a ledger.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Value customers with other assumptions from now on.
    SetAssumptions(SetAssumptions),
    /// Close a period.
    ClosePeriod(Box<ClosePeriod>),
    /// Record a model that was fitted to the customers.
    FitModel(FitModel),
}

/// What has happened to a ledger.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Customers are valued with these assumptions from now on.
    AssumptionsSet {
        /// All of them, those that did not change included.
        assumptions: Assumptions,
        /// When they were set.
        set_at: Time,
    },
    /// A period was closed.
    PeriodClosed(Box<Closed>),
    /// A model was fitted to the customers.
    ModelFitted(Box<Model>),
}

impl Aggregate for Ledger {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, command: Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::SetAssumptions(command) => self.set_assumptions(command),
            Command::ClosePeriod(command) => self.close_period(*command),
            Command::FitModel(command) => self.fit_model(command),
        }
    }

    fn evolve(&mut self, event: &Event) {
        match event {
            Event::AssumptionsSet {
                assumptions,
                set_at,
            } => {
                self.assumptions = *assumptions;
                self.assumptions_set_at = Some(*set_at);
            }
            Event::PeriodClosed(closed) => self.period_closed(closed),
            Event::ModelFitted(model) => self.model_fitted(model),
        }
    }
}
