//! A period is closed: once, without a gap to the one before, and never earlier than its end.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use eventsourcing::Time;
use serde::{Deserialize, Serialize};

use super::statement::{Counts, Lines};
use super::{Assumptions, Event, Last, Ledger, Refusal};

/// The version of the rules by which statements are measured. Another one is another number.
pub const ALGORITHM: u32 = 3;

/// How many characters the id of a statement may have.
const MAX_STATEMENT_ID: usize = 40;

/// How far each partition of the journal was taken into account: the next offset.
pub type Cut = BTreeMap<u32, u64>;

/// The id of a statement within its ledger, chosen by the client: `2026-q2`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StatementId(String);

/// A text that cannot be the id of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the id of a statement is made of 1 to {MAX_STATEMENT_ID} of the characters a-z, 0-9 and '-'"
)]
pub struct IllFormedStatementId;

/// Closes a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosePeriod {
    /// The id that the client chose.
    pub statement_id: StatementId,
    /// Where it begins, included.
    pub start: Time,
    /// Where it ends, excluded.
    pub end: Time,
    /// The present.
    pub now: Time,
    /// What was measured; absent when there seemed to be nothing to measure.
    pub measured: Option<Measured>,
}

/// What the facts of all customers came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// The statement that the measurement follows; absent for the first.
    pub follows: Option<StatementId>,
    /// What came out.
    pub figures: Figures,
    /// What customers are valued with at the end.
    pub assumptions: Assumptions,
    /// By which model, if their method is one.
    pub model: Option<u32>,
    /// Facts recorded before this were taken into account, and no others.
    pub cut: Cut,
    /// A digest of every customer's movements.
    pub movements_digest: [u8; 32],
}

/// The figures of a statement. Money is in minor units of the ledger's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Figures {
    /// Customers.
    pub counts: Counts,
    /// What they are worth.
    pub lines: Lines,
    /// What stands beside it.
    pub memo: Memo,
}

/// What stands beside a statement and is never added to it, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Memo {
    /// What was spent to win customers.
    pub acquisition_spend: i64,
    /// Margins of purchases less those of reversals.
    pub realised_margin: i64,
    /// What the customers are worth at the end who have given notice.
    pub under_notice: i64,
}

/// A period that was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// The id of its statement.
    pub statement_id: StatementId,
    /// When it was closed.
    pub closed_at: Time,
    /// Where it begins, included.
    pub start: Time,
    /// Where it ends, excluded.
    pub end: Time,
    /// What came out.
    pub figures: Figures,
    /// What customers are valued with at the end.
    pub assumptions: Assumptions,
    /// By which model, if their method is one.
    pub model: Option<u32>,
    /// Facts recorded before this were taken into account, and no others.
    pub cut: Cut,
    /// By which rules it was measured.
    pub algorithm: u32,
    /// A digest of every customer's movements.
    pub movements_digest: [u8; 32],
}

impl Ledger {
    /// Whether a period could be closed now, as far as the ledger alone can say.
    pub fn may_close(&self, command: &ClosePeriod) -> Result<(), Refusal> {
        let ClosePeriod {
            ref statement_id,
            start,
            end,
            now,
            ..
        } = *command;
        let by_span = || self.closed.iter().find(|(_, span)| **span == (start, end));
        let taken = self.closed.get_key_value(statement_id).or_else(by_span);
        if let Some((statement_id, _)) = taken {
            let statement_id = statement_id.clone();
            return Err(Refusal::AlreadyClosed { statement_id });
        }
        if end <= start {
            return Err(Refusal::EndsBeforeItStarts { start, end });
        }
        if end > now {
            return Err(Refusal::NotOver { end, now });
        }
        match &self.last {
            Some(last) if last.end != start => Err(Refusal::GapInPeriods {
                start,
                expected: last.end,
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn close_period(&self, command: ClosePeriod) -> Result<Vec<Event>, Refusal> {
        self.may_close(&command)?;
        let measured = command
            .measured
            .filter(|measured| self.is_followed_by(measured))
            .ok_or(Refusal::Superseded)?;
        Ok(vec![Event::PeriodClosed(Box::new(Closed {
            statement_id: command.statement_id,
            closed_at: command.now,
            start: command.start,
            end: command.end,
            figures: measured.figures,
            assumptions: measured.assumptions,
            model: measured.model,
            cut: measured.cut,
            algorithm: ALGORITHM,
            movements_digest: measured.movements_digest,
        }))])
    }

    pub(super) fn period_closed(&mut self, closed: &Closed) {
        let statement_id = closed.statement_id.clone();
        self.closed
            .insert(statement_id.clone(), (closed.start, closed.end));
        self.last = Some(Last {
            statement_id,
            end: closed.end,
            cut: closed.cut.clone(),
        });
    }

    /// Whether the measurement begins where the last statement ended, and takes no fact back.
    fn is_followed_by(&self, measured: &Measured) -> bool {
        let Some(last) = &self.last else {
            return measured.follows.is_none();
        };
        let covers = |(partition, next): (&u32, &u64)| measured.cut.get(partition) >= Some(next);
        measured.follows.as_ref() == Some(&last.statement_id) && last.cut.iter().all(covers)
    }
}

impl StatementId {
    /// The id as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StatementId {
    type Err = IllFormedStatementId;

    fn from_str(text: &str) -> Result<Self, IllFormedStatementId> {
        let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if (1..=MAX_STATEMENT_ID).contains(&text.len()) && text.bytes().all(fits) {
            Ok(Self(text.to_owned()))
        } else {
            Err(IllFormedStatementId)
        }
    }
}

impl fmt::Display for StatementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
