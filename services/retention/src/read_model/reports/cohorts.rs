//! What became of customers month by month after they were acquired.

use std::collections::BTreeMap;

use eventsourcing::Time;
use money::Currency;
use read_model::{Error, Rows};
use server::Moment;
use uuid::Uuid;

use super::{NONE, known};
use crate::read_model::lives::{self, Life};
use crate::read_model::margins::{self, Margin};
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
    let mut cohorts = Cohorts::default();
    for (customer, life) in lives::all(rows)? {
        let currency = question.currency;
        let asked = question.period.contains(life.acquired_at)
            && currency.is_none_or(|currency| currency == life.currency);
        let Some(life) = known(life, moment).filter(|_| asked) else {
            continue;
        };
        let values = values(rows, customer, &life, question, moment)?;
        let name = match question.by {
            By::Month => Month::of(life.acquired_at).to_string(),
            By::Campaign => life.campaign,
            By::Presentation => life.presentation,
        };
        let name = if name.is_empty() {
            NONE.to_owned()
        } else {
            name
        };
        cohorts.rows.entry(name).or_default().count(&values);
        cohorts.total.count(&values);
    }
    Ok(cohorts)
}

/// A customer's value in each month after the acquisition; nothing for months that have not ended.
fn values(
    rows: &dyn Rows,
    customer: Uuid,
    life: &Life,
    question: &Question,
    moment: &Moment,
) -> Result<Vec<Option<i64>>, Error> {
    let first = Month::of(life.acquired_at);
    let months = (1..=question.months).map(|number| first.plus(number));
    let spans: Vec<(Time, Time)> = months.map(|it| (it.start(), it.plus(1).start())).collect();
    let bought = match (question.measure, spans.first(), spans.last()) {
        (Measure::Relationship, ..) | (_, None, _) | (.., None) => Vec::new(),
        // What was taken back in a month may belong to any purchase before it.
        (_, Some(_), Some((_, end))) => {
            let until = Time::from_micros(end.micros().saturating_sub(1));
            let all = margins::bought(rows, customer, life.acquired_at, until, usize::MAX)?;
            let counts = |margin: &Margin| moment.includes(margin.at, &margin.recorded);
            all.into_iter().filter(counts).collect()
        }
    };
    let value = |(start, end): &(Time, Time)| {
        let within = bought.iter().filter(|it| *start <= it.at && it.at < *end);
        match question.measure {
            Measure::Relationship => i64::from(life.is_active_before(*end)),
            Measure::Purchase => i64::from(within.clone().any(Margin::is_purchase)),
            Measure::Revenue => within.fold(0, |sum: i64, it| sum.saturating_add(it.revenue)),
            Measure::Margin => margins::sum(within),
        }
    };
    let ended = |end: Time| end <= moment.as_of;
    let spans = spans.iter();
    Ok(spans
        .map(|span| ended(span.1).then(|| value(span)))
        .collect())
}
