//! What became of customers month by month after they were acquired.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::rc::Rc;

use eventsourcing::Time;
use money::Currency;
use read_model::{Error, Rows};
use retention_domain::ledger::statement::What;
use server::Moment;

use super::{NONE, known};
use crate::read_model::equity::facts::{self, Kept};
use crate::read_model::lives::{Life, Walk};
use crate::read_model::month::Month;
use crate::read_model::scoreboard::Period;

/// What a cell counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Not lost at the end of the month.
    Relationship,
    /// Bought in the month.
    Purchase,
    /// Paid in the month.
    Revenue,
    /// Left in the month.
    Margin,
}

/// What the rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Month,
    Campaign,
    Presentation,
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) measure: Measure,
    pub(crate) by: By,
    pub(crate) currency: Option<Currency>,
    /// Of the acquisition.
    pub(crate) period: Period,
    /// Columns behind column 0.
    pub(crate) months: u32,
}

/// Customers who began alike.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Row {
    pub(crate) customers: i64,
    pub(crate) cells: Vec<Cell>,
}

/// One month of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Cell {
    /// Customers for whom this month has ended.
    pub(crate) complete: i64,
    /// How many of these, or what they brought in minor units.
    pub(crate) sum: i64,
}

/// The table: its rows by name, and all together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Cohorts {
    pub(crate) rows: BTreeMap<String, Row>,
    pub(crate) total: Row,
}

impl Row {
    fn count(&mut self, values: &[Option<i64>]) {
        self.customers += 1;
        self.cells.resize(values.len(), Cell::default());
        for (cell, value) in self.cells.iter_mut().zip(values) {
            if let Some(value) = value {
                cell.complete += 1;
                cell.sum = cell.sum.saturating_add(*value);
            }
        }
    }
}

/// Makes the table.
pub(crate) fn cohorts(
    rows: &dyn Rows,
    question: &Question,
    moment: &Moment,
) -> Result<Cohorts, Error> {
    let mut table = Table::new(question, moment);
    let mut lives = Walk::new(rows);
    if question.measure == Measure::Relationship {
        while let Some((_, life)) = lives.next()? {
            table.count(life, &[]);
        }
        return Ok(table.cohorts);
    }
    let currencies = match question.currency {
        Some(currency) => vec![currency],
        None => facts::currencies(rows)?,
    };
    for currency in currencies {
        // Lives and facts stand in the same order of customers, so both are read once, side by side.
        let mut lives = Walk::new(rows);
        let mut outcome = Ok(());
        facts::visit(rows, currency, None, |customer, facts| {
            outcome = lives.of(customer).map(|life| {
                if let Some(life) = life {
                    table.count(life, facts);
                }
            });
            match outcome {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        })?;
        outcome?;
    }
    Ok(table.cohorts)
}

/// The table while customers are counted.
struct Table<'a> {
    question: &'a Question,
    moment: &'a Moment,
    cohorts: Cohorts,
    /// The complete months after that of an acquisition, from their starts to their ends.
    months: BTreeMap<Month, Rc<[(Time, Time)]>>,
    /// What a customer comes to in each month.
    values: Vec<Option<i64>>,
}

impl<'a> Table<'a> {
    const fn new(question: &'a Question, moment: &'a Moment) -> Self {
        Self {
            question,
            moment,
            cohorts: Cohorts {
                rows: BTreeMap::new(),
                total: Row {
                    customers: 0,
                    cells: Vec::new(),
                },
            },
            months: BTreeMap::new(),
            values: Vec::new(),
        }
    }

    /// Counts a customer, if it is one that was asked for and known. The facts may be of all time.
    fn count(&mut self, life: Life, facts: &[Kept]) {
        let question = self.question;
        let asked = question.period.contains(life.acquired_at)
            && question.currency.is_none_or(|it| it == life.currency);
        if !asked {
            return;
        }
        let Some(life) = known(life, self.moment) else {
            return;
        };
        let first = Month::of(life.acquired_at);
        let months = self.complete(first);
        self.values.clear();
        self.values.resize(question.months as usize, None);
        let mut complete = self.values.iter_mut().take(months.len());
        if question.measure == Measure::Relationship {
            for (value, (_, end)) in complete.zip(months.iter()) {
                *value = Some(i64::from(life.is_active_before(*end)));
            }
        } else {
            complete.by_ref().for_each(|value| *value = Some(0));
            for kept in facts {
                self.bring_in(&months, kept);
            }
        }
        let name = match question.by {
            By::Month => first.to_string(),
            By::Campaign => life.campaign,
            By::Presentation => life.presentation,
        };
        let name = if name.is_empty() {
            NONE.to_owned()
        } else {
            name
        };
        let row = self.cohorts.rows.entry(name).or_default();
        row.count(&self.values);
        self.cohorts.total.count(&self.values);
    }

    /// The months after the first one that have ended.
    fn complete(&mut self, first: Month) -> Rc<[(Time, Time)]> {
        let (months, as_of) = (self.question.months, self.moment.as_of);
        let known = self.months.entry(first).or_insert_with(|| {
            let months = (1..=months).map(|number| first.plus(number));
            let spans = months.map(|month| (month.start(), month.plus(1).start()));
            spans.take_while(|(_, end)| *end <= as_of).collect()
        });
        Rc::clone(known)
    }

    /// Adds what a fact brought in to the month in which it happened.
    fn bring_in(&mut self, months: &[(Time, Time)], kept: &Kept) {
        let at = kept.fact.at;
        let month = months.partition_point(|(_, end)| *end <= at);
        let within = months.get(month).is_some_and(|(start, _)| *start <= at);
        if !(within && self.moment.includes(at, &kept.recorded)) {
            return;
        }
        let (margin, is_purchase) = match kept.fact.what {
            What::Bought { margin } => (margin, true),
            What::Reversed { margin, .. } => (margin.saturating_neg(), false),
            What::Opened
            | What::Lost
            | What::WonBack
            | What::NoticeGiven
            | What::NoticeWithdrawn => return,
        };
        if let Some(Some(value)) = self.values.get_mut(month) {
            *value = match self.question.measure {
                Measure::Revenue => value.saturating_add(kept.revenue),
                Measure::Margin => value.saturating_add(margin),
                Measure::Purchase => (*value).max(i64::from(is_purchase)),
                Measure::Relationship => *value,
            };
        }
    }
}
