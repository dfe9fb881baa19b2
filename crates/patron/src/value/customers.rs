//! The customers of a file as the models see them, from transactions or from a table.

use std::fs::File;
use std::path::PathBuf;

use customer_value::gamma_gamma::SpendTable;
use customer_value::{Cell, Histogram, Recency, Refusal, Sample, Unit};
use money::{Currency, Money};

use super::facts::{Fact, Facts, TWO_DECIMALS, known};
use super::rows::{Rejected, Rows};
use super::{table, text};

/// Where customers come from.
#[derive(Debug, clap::Args)]
pub(super) struct Source {
    /// A CSV file: transactions (`customer_id`, date, amount) or a table (`customer_id`, x, `tx_days`, `T_days`, `repeat_spend`)
    pub(super) file: PathBuf,
    /// The last day that is known: later transactions are left out [default: the last day in the file]
    #[arg(long, value_name = "DATE", value_parser = text::day)]
    pub(super) as_of: Option<i32>,
    /// The currency of files that do not say
    #[arg(long, value_name = "CODE")]
    pub(super) currency: Option<Currency>,
    /// The unit of time of the model, and of tables with the columns recency and T
    #[arg(long, value_enum, default_value_t = TimeUnit::Week)]
    pub(super) unit: TimeUnit,
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum TimeUnit {
    /// Seven days exactly
    Week,
    /// A day
    Day,
}

impl TimeUnit {
    pub(super) const fn unit(self) -> Unit {
        match self {
            Self::Week => Unit::Weeks,
            Self::Day => Unit::Days,
        }
    }
}

/// One customer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Customer {
    pub(super) id: String,
    /// Counted by the day; tables may have other times.
    pub(super) cell: Option<Cell>,
    pub(super) x: u32,
    pub(super) tx_days: f64,
    pub(super) t_days: f64,
    /// Absent when the file says nothing of money.
    pub(super) repeat_spend_minor: Option<i64>,
}

/// The customers of a file.
#[derive(Debug)]
pub(super) struct Customers {
    /// In the order of their ids.
    pub(super) list: Vec<Customer>,
    /// The last day that is known; tables have none.
    pub(super) as_of: Option<i32>,
    /// What each customer did, in the same order; empty for a table.
    pub(super) facts: Vec<(String, Vec<Fact>)>,
    /// The one currency, if the file or the caller says it.
    pub(super) currency: Option<Currency>,
    pub(super) mixed_currencies: bool,
    pub(super) rejected: Vec<Rejected>,
}

impl Source {
    /// Reads the file.
    pub(super) fn load(&self) -> anyhow::Result<Customers> {
        let rows = Rows::open(&self.file)?;
        if rows.columns.find(&["date", "occurred_at"]).is_some() {
            return Ok(self.customers_of_facts(Facts::read(rows, self.currency)?));
        }
        self.customers_of_table(rows)
    }

    fn customers_of_facts(&self, facts: Facts) -> Customers {
        let as_of = self.as_of.or(facts.last_day()).unwrap_or(0);
        let mixed_currencies = facts.currencies.len() > 1;
        let mut list = Vec::with_capacity(facts.customers.len());
        let mut kept = Vec::with_capacity(facts.customers.len());
        for (id, own) in facts.customers {
            // Whoever had not bought yet is no customer as of that day.
            let Ok(summary) = known(&own, as_of).as_of(as_of) else {
                continue;
            };
            let cell = summary.cell;
            list.push(Customer {
                id: id.clone(),
                cell: Some(cell),
                x: cell.x(),
                tx_days: f64::from(cell.last_day()) - f64::from(cell.first_day()),
                t_days: f64::from(as_of) - f64::from(cell.first_day()),
                // Amounts of different currencies are never added.
                repeat_spend_minor: (!mixed_currencies).then_some(summary.repeat_spend_minor),
            });
            kept.push((id, own));
        }
        Customers {
            list,
            as_of: Some(as_of),
            facts: kept,
            currency: facts
                .currencies
                .first()
                .copied()
                .filter(|_| !mixed_currencies),
            mixed_currencies,
            rejected: facts.rejected,
        }
    }

    fn customers_of_table(&self, rows: Rows<File>) -> anyhow::Result<Customers> {
        let silent = TWO_DECIMALS.parse()?;
        let days_of_unit = match self.unit {
            TimeUnit::Week => 7.0,
            TimeUnit::Day => 1.0,
        };
        let (list, rejected) = table::read(rows, self.currency.unwrap_or(silent), days_of_unit)?;
        Ok(Customers {
            list,
            as_of: self.as_of,
            facts: Vec::new(),
            currency: self.currency,
            mixed_currencies: false,
            rejected,
        })
    }
}

impl Customer {
    /// The customer in units of time.
    pub(super) fn seen(&self, unit: Unit) -> Recency {
        let (tx, t) = (unit.from_days(self.tx_days), unit.from_days(self.t_days));
        // Checked when the row was read.
        Recency::new(self.x, tx, t).unwrap_or(Recency::newcomer())
    }
}

impl Customers {
    /// The customers as the input of a fit. Those of a file of transactions are counted by the day first.
    pub(super) fn sample(&self, unit: Unit) -> Sample {
        if let Some(as_of) = self.as_of.filter(|_| !self.facts.is_empty()) {
            let cells = self.list.iter().filter_map(|customer| customer.cell);
            let histogram: Histogram = cells.collect();
            if let Ok(sample) = Sample::by_day(&histogram, as_of, unit) {
                return sample;
            }
        }
        let seen: Vec<Recency> = self
            .list
            .iter()
            .map(|customer| customer.seen(unit))
            .collect();
        Sample::continuous(&seen)
    }

    /// What the customers spent, as the input of a fit.
    pub(super) fn spends(&self) -> Result<SpendTable, Refusal> {
        if self.mixed_currencies {
            return Err(Refusal::MixedCurrency);
        }
        let currency = self.counted_in();
        SpendTable::of(self.list.iter().filter_map(|customer| {
            let spend = customer.repeat_spend_minor?;
            Some((customer.x, Money::new(currency?, spend)))
        }))
    }

    /// In words, when the customers are as they are shown; a table has no day.
    pub(super) fn when(&self) -> String {
        let day = self
            .as_of
            .map_or_else(|| "the table".to_owned(), text::date);
        let mixed = if self.mixed_currencies {
            ", currencies mixed"
        } else {
            ""
        };
        format!("as of {day}{mixed}")
    }

    /// An amount in major units.
    #[expect(clippy::cast_precision_loss, reason = "amounts below 2^53 minor units")]
    pub(super) fn major(&self, minor_units: i64) -> f64 {
        let decimals = self.counted_in().map_or(2, |currency| currency.decimals());
        let unit = (0..decimals).fold(1.0, |unit, _| unit * 10.0);
        minor_units as f64 / unit
    }

    fn counted_in(&self) -> Option<Currency> {
        self.currency.or_else(|| TWO_DECIMALS.parse().ok())
    }
}
