//! The customer equity statement: what customers were worth, what became of them, what they are worth now.
//!
//! For each customer, from its facts, with V as its value and LOST worth nothing:
//!
//! | at the start | at the end | line |
//! |---|---|---|
//! | not a customer | active | created `+= V1` |
//! | lost | active | won back `+= V1` |
//! | active | active | grown `+= max(V1 - V0, 0)`, eroded `+= min(V1 - V0, 0)` |
//! | active | lost | lost `-= V0` |
//!
//! `V0` is what it was worth at the start and `V1` at the end, both under the assumptions of the statement
//! before; `V1'` at the end under those of now, and remeasured `+= V1' - V1`. Every value is in whole minor
//! units before anything is added, so that
//!
//! **opening + created + won back + grown + eroded + lost + remeasured = closing**, exactly.
//!
//! What was known at the start is what had been recorded when the statement before was measured. A fact that
//! was recorded later counts as new, whenever it happened: it lands in the first statement measured after it,
//! and no closed one changes.

mod lines;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use customer_value::PurchaseDays;
use customer_value::rfm::Summary;
use eventsourcing::Time;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::lines::{Counts, Line, Lines};
use super::model::day;
use super::{ALGORITHM, Assumptions, Valuation};
use crate::margin::TRAILING;
use crate::relationship::State;

/// The version of the rules by which a purchase was no purchase any more, for a model, from the reversal on that
/// was told last. By the later ones it is none once reversals of all that was paid have happened.
const TOLD_LAST: u32 = 1;

/// The last version of the rules by which the year before an end began a moment too late: a purchase at the midnight
/// that begins its first day did not count, although it does in a value as of the last moment before the end.
const LATE_YEAR: u32 = 2;

/// What happened to a customer, as far as its value is concerned. Margins are in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// When it happened.
    pub at: Time,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// The relationship began.
    Opened,
    /// It ended.
    Lost,
    /// It was taken up again.
    WonBack,
    /// The customer gave notice: it is still active, and leaving.
    NoticeGiven,
    /// The customer stays after all.
    NoticeWithdrawn,
    /// Something was bought.
    Bought {
        /// What it left.
        margin: i64,
    },
    /// A purchase was taken back, in whole or in part.
    Reversed {
        /// What of its margin went with it.
        margin: i64,
        /// When it had been bought.
        bought_at: Time,
        /// Which purchase, among those of the customer.
        purchase: Uuid,
        /// What had been paid for it.
        paid: i64,
        /// What was paid back of that.
        amount: i64,
        /// Whether nothing of the purchase was left when it was told, of whatever date the others are.
        told_last: bool,
    },
}

/// What is compared with what.
#[derive(Debug, Clone)]
pub struct Period {
    /// Where it begins, and where the statement before ended.
    pub start: Time,
    /// Where it ends, excluded.
    pub end: Time,
    /// What customers were valued with in the statement before.
    pub before: Valuation,
    /// What they are valued with now.
    pub after: Valuation,
}

/// How a customer stood at a moment, as far as was known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Purchases later than this, and no others, count as present.
    since: Time,
    /// The last UTC day that it is about.
    until: i32,
    /// The days of all purchases with their margins, if somebody wants to know them.
    days: Option<PurchaseDays>,
    /// With days, what was paid back of each purchase.
    paid_back: BTreeMap<Uuid, i64>,
    /// By which rules of statements.
    algorithm: u32,
    /// Where the relationship stood; absent before it was opened.
    pub state: Option<State>,
    /// The margin of the trailing year, less what of it was taken back.
    pub margin: i64,
}

/// One customer on its way through a period.
#[derive(Debug, Clone)]
pub struct Account<'a> {
    period: &'a Period,
    start: Standing,
    end: Standing,
    counts: Counts,
    realised_margin: i64,
}

/// What one customer contributes to a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Movement {
    /// To the lines.
    pub lines: Lines,
    /// To the counts.
    pub counts: Counts,
    /// Margins of new purchases less those of new reversals.
    pub realised_margin: i64,
    /// What it is worth at the end, if it has given notice.
    pub under_notice: i64,
}

impl Standing {
    /// Nothing is known yet, and purchases count that are later than a year before `moment`, which is
    /// included.
    pub fn at(moment: Time) -> Self {
        Self {
            since: moment.minus_days(TRAILING),
            until: day(moment),
            days: None,
            paid_back: BTreeMap::new(),
            algorithm: ALGORITHM,
            state: None,
            margin: 0,
        }
    }

    /// As of the last moment before `end`, by the rules of this version of statements: what happens at the
    /// midnight that ends a day is of the next one.
    pub fn before(end: Time, algorithm: u32) -> Self {
        let last = Self::at(Time::from_micros(end.micros().saturating_sub(1)));
        let since = if algorithm <= LATE_YEAR {
            end.minus_days(TRAILING)
        } else {
            last.since
        };
        Self {
            since,
            algorithm,
            ..last
        }
    }

    /// The same, for a valuation: one by a model wants to know the days of purchases.
    #[must_use]
    pub fn for_valuation(self, valuation: &Valuation) -> Self {
        Self {
            days: valuation.needs_days().then(PurchaseDays::default),
            ..self
        }
    }

    /// The same, with the days of purchases.
    #[must_use]
    pub fn with_days(self) -> Self {
        Self {
            days: Some(PurchaseDays::default()),
            ..self
        }
    }

    /// How often and for how much the customer has bought, and the last day that it is about; nothing
    /// before the first purchase, and without days.
    pub fn summary(&self) -> Option<(Summary, i32)> {
        let summary = self.days.as_ref()?.as_of(self.until).ok()?;
        Some((summary, self.until))
    }

    /// The days of purchases with their margins, if they were asked for.
    pub const fn days(&self) -> Option<&PurchaseDays> {
        self.days.as_ref()
    }

    /// Takes a fact into account. Those of one customer come in the order in which they were recorded.
    pub fn take(&mut self, fact: &Fact) {
        match fact.what {
            What::Opened | What::WonBack | What::NoticeWithdrawn => {
                self.state = Some(State::Active);
            }
            What::NoticeGiven => self.state = Some(State::Leaving),
            What::Lost => self.state = Some(State::Lost),
            What::Bought { margin } => {
                if fact.at > self.since {
                    self.margin = self.margin.saturating_add(margin);
                }
                if let Some(days) = &mut self.days {
                    days.record(day(fact.at), margin);
                }
            }
            What::Reversed {
                margin,
                bought_at,
                purchase,
                paid,
                amount,
                told_last,
            } => {
                if bought_at > self.since {
                    self.margin = self.margin.saturating_sub(margin);
                }
                if let Some(days) = &mut self.days {
                    let back = self.paid_back.entry(purchase).or_default();
                    *back = back.saturating_add(amount);
                    let whole = if self.algorithm == TOLD_LAST {
                        told_last
                    } else {
                        *back >= paid
                    };
                    // A reversal comes after its purchase; if that is not known, there is nothing to take back.
                    let bought_on = day(bought_at);
                    let _ = if whole {
                        days.reverse_whole(bought_on, margin)
                    } else {
                        days.reverse_part(bought_on, margin)
                    };
                }
            }
        }
    }

    /// Whether the relationship goes on, notice given or not.
    pub const fn is_active(&self) -> bool {
        matches!(self.state, Some(State::Active | State::Leaving))
    }
}

impl Assumptions {
    /// The rates of the method SIMPLE.
    pub const fn simple(&self) -> customer_value::Simple {
        customer_value::Simple {
            retention: self.annual_retention_rate,
            discount: self.annual_discount_rate,
        }
    }
}

impl<'a> Account<'a> {
    /// A customer of whom nothing is known yet.
    pub fn new(period: &'a Period) -> Self {
        let needs_days = period.before.needs_days() || period.after.needs_days();
        let before = |moment, valuation: &Valuation| {
            let standing = Standing::before(moment, valuation.algorithm);
            if needs_days {
                standing.with_days()
            } else {
                standing
            }
        };
        Self {
            period,
            // It begins as the statement before ended, whatever the rules are now.
            start: before(period.start, &period.before),
            end: before(period.end, &period.after),
            counts: Counts::default(),
            realised_margin: 0,
        }
    }

    /// Takes a fact into account, which had been recorded when the statement before was measured, or had
    /// not. The facts of one customer come in the order in which they were recorded.
    pub fn take(&mut self, fact: &Fact, recorded_before: bool) {
        if fact.at >= self.period.end {
            return;
        }
        if recorded_before && fact.at < self.period.start {
            self.start.take(fact);
        } else {
            self.take_news(fact);
        }
        self.end.take(fact);
    }

    fn take_news(&mut self, fact: &Fact) {
        match fact.what {
            What::Opened => self.counts.created += 1,
            What::WonBack => self.counts.won_back += 1,
            What::Lost => self.counts.lost += 1,
            What::Bought { margin } => {
                self.realised_margin = self.realised_margin.saturating_add(margin);
            }
            What::Reversed { margin, .. } => {
                self.realised_margin = self.realised_margin.saturating_sub(margin);
            }
            What::NoticeGiven | What::NoticeWithdrawn => {}
        }
    }

    /// What the customer contributes.
    pub fn movement(&self) -> Movement {
        let Period { before, after, .. } = self.period;
        let opening = before.value(&self.start);
        let unchanged = before.value(&self.end);
        let closing = after.value(&self.end);
        let mut lines = Lines {
            opening,
            closing,
            remeasured: closing - unchanged,
            ..Lines::default()
        };
        match (self.start.state, self.end.is_active()) {
            (None, true) => lines.created = unchanged,
            (Some(State::Lost), true) => lines.won_back = unchanged,
            (Some(State::Active | State::Leaving), true) => {
                lines.grown = (unchanged - opening).max(0);
                lines.eroded = (unchanged - opening).min(0);
            }
            (Some(State::Active | State::Leaving), false) => lines.lost = -opening,
            (None | Some(State::Lost), false) => {}
        }
        let leaving = self.end.state == Some(State::Leaving);
        Movement {
            lines,
            counts: Counts {
                opening: i64::from(self.start.is_active()),
                closing: i64::from(self.end.is_active()),
                ..self.counts
            },
            realised_margin: self.realised_margin,
            under_notice: if leaving { closing } else { 0 },
        }
    }
}

impl Movement {
    /// What it contributes to a line: how many customers of the counts, and how much money.
    pub const fn of(&self, line: Line) -> (i64, i64) {
        let (counts, lines) = (&self.counts, &self.lines);
        match line {
            Line::Opening => (counts.opening, lines.opening),
            Line::Created => (counts.created, lines.created),
            Line::WonBack => (counts.won_back, lines.won_back),
            Line::Grown => (0, lines.grown),
            Line::Eroded => (0, lines.eroded),
            Line::Lost => (counts.lost, lines.lost),
            Line::Remeasured => (0, lines.remeasured),
            Line::Closing => (counts.closing, lines.closing),
        }
    }

    /// The lines that it is listed under, with what it contributes: also those that only count it.
    pub fn entries(&self) -> impl Iterator<Item = (Line, i64, i64)> {
        let entry = |line| {
            let (count, amount) = self.of(line);
            (count != 0 || amount != 0).then_some((line, count, amount))
        };
        Line::ALL.into_iter().filter_map(entry)
    }

    /// Both together; `None` when a sum is beyond 64 bits.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Option<Self> {
        Some(Self {
            lines: self.lines.plus(&other.lines)?,
            counts: self.counts.plus(&other.counts)?,
            realised_margin: self.realised_margin.checked_add(other.realised_margin)?,
            under_notice: self.under_notice.checked_add(other.under_notice)?,
        })
    }
}
