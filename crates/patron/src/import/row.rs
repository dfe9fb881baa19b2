//! One row of a purchases file: read, checked, and given an id that is the same at every import.

use csv::StringRecord;
use eventsourcing::Time;
use money::{Currency, Money};

use super::columns::Columns;
use super::file::Reader;
use super::send::Row;
use super::values::{self, DerivedIds, field, minor_units, moment};

/// A purchase as the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PurchaseRow {
    /// The line in the file.
    pub(crate) line: u64,
    /// The customer's id in the system that the file comes from.
    pub(crate) customer_id: String,
    pub(crate) occurred_at: Time,
    pub(crate) amount: Money,
    pub(crate) contribution_margin: Option<i64>,
    pub(crate) purchase_id: String,
}

impl Row for PurchaseRow {
    fn line(&self) -> u64 {
        self.line
    }
}

/// Turns records into rows.
#[derive(Debug)]
pub(crate) struct RowReader {
    columns: Columns,
    /// For files that do not say.
    currency: Option<Currency>,
    ids: DerivedIds,
}

const LONGEST_ID: usize = 100;

impl RowReader {
    pub(crate) fn new(columns: Columns, currency: Option<Currency>) -> Self {
        Self {
            columns,
            currency,
            ids: DerivedIds::default(),
        }
    }
}

impl Reader for RowReader {
    type Row = PurchaseRow;

    fn read(&mut self, line: u64, record: &StringRecord) -> Result<PurchaseRow, String> {
        let columns = &self.columns;
        let field = |at: usize| field(record, at);
        let optional = |at: Option<usize>| values::optional(record, at);
        let customer_id = field(columns.customer_id);
        if customer_id.is_empty() || customer_id.len() > LONGEST_ID {
            return Err(format!(
                "customer_id must have 1 to {LONGEST_ID} characters"
            ));
        }
        let occurred_at = moment(field(columns.occurred_at))?;
        let said = optional(columns.currency);
        let in_heading = columns.currency_in_heading.as_deref();
        let currency = values::currency(said, in_heading, self.currency)?;
        let amount = minor_units("amount", field(columns.amount), currency)?;
        if amount < 0 {
            return Err("amount is negative: a refund is a reversal of its purchase".to_owned());
        }
        let margin = optional(columns.contribution_margin);
        let contribution_margin = margin
            .map(|margin| minor_units("contribution_margin", margin, currency))
            .transpose()?;
        let given = optional(columns.purchase_id).map(str::to_owned);
        let customer_id = customer_id.to_owned();
        let mut row = PurchaseRow {
            line,
            customer_id,
            occurred_at,
            amount: Money::new(currency, amount),
            contribution_margin,
            purchase_id: String::new(),
        };
        row.purchase_id = match given {
            Some(id) if id.len() > LONGEST_ID => {
                return Err(format!("purchase_id has more than {LONGEST_ID} characters"));
            }
            Some(id) => id,
            None => self.derived_id(&row),
        };
        Ok(row)
    }

    fn ignored(&self) -> &[String] {
        &self.columns.ignored
    }
}

impl RowReader {
    fn derived_id(&mut self, row: &PurchaseRow) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(row.customer_id.as_bytes()).update(&[0]);
        hasher.update(&row.occurred_at.micros().to_le_bytes());
        hasher.update(row.amount.currency.code().as_bytes());
        hasher.update(&row.amount.minor_units.to_le_bytes());
        hasher.update(&row.contribution_margin.unwrap_or(i64::MIN).to_le_bytes());
        self.ids.next(&hasher)
    }
}

#[cfg(test)]
mod tests {
    use csv::StringRecord;
    use eventsourcing::Time;

    use super::{Columns, PurchaseRow, Reader as _, RowReader};

    fn reader(heading: &str) -> RowReader {
        let names: Vec<&str> = heading.split(',').collect();
        RowReader::new(Columns::read(&names).unwrap(), None)
    }

    fn read(reader: &mut RowReader, row: &str) -> Result<PurchaseRow, String> {
        reader.read(2, &StringRecord::from(row.split(',').collect::<Vec<_>>()))
    }

    #[test]
    fn a_row_is_read_to_the_cent_and_the_day() {
        let row = read(
            &mut reader("customer_id,date,amount_usd"),
            "1,1997-01-18,29.73",
        )
        .unwrap();
        assert_eq!(row.amount.to_string(), "29.73 USD");
        assert_eq!(row.occurred_at.to_string(), "1997-01-18T00:00:00Z");
        let yen = read(
            &mut reader("customer_id,occurred_at,amount,currency"),
            "1,1997-01-18T10:00:00+02:00,500,JPY",
        );
        let yen = yen.unwrap();
        assert_eq!(yen.amount.minor_units, 500);
        assert_eq!(yen.occurred_at, Time::from_seconds(853_574_400));
    }

    #[test]
    fn what_a_row_says_of_its_currency_may_not_contradict_its_heading() {
        let mut reader = reader("customer_id,date,amount_eur,currency");
        assert!(read(&mut reader, "1,1997-01-18,5.00,EUR").is_ok());
        assert!(read(&mut reader, "1,1997-01-18,5.00,").is_ok());
        let said = read(&mut reader, "1,1997-01-18,5.00,USD").unwrap_err();
        assert!(said.contains("USD") && said.contains("EUR"), "{said}");
    }

    #[test]
    fn identical_rows_are_different_purchases_with_ids_that_stay() {
        let ids = || {
            let mut reader = reader("customer_id,date,amount_usd");
            ["1,1997-01-18,5.00", "1,1997-01-18,5.0", "1,1997-01-18,5.01"]
                .map(|row| read(&mut reader, row).unwrap().purchase_id)
        };
        let [first, second, third] = ids();
        assert!(first.ends_with("-1") && second.ends_with("-2") && third.ends_with("-1"));
        assert_ne!(first, second);
        assert_eq!(ids(), [first, second, third]);
    }

    #[test]
    fn every_bad_row_says_why() {
        let mut reader = reader("customer_id,date,amount,currency");
        for (row, why) in [
            (",1997-01-18,1,USD", "customer_id"),
            ("1,18.01.1997,1,USD", "neither a date"),
            ("1,1997-02-30,1,USD", "neither a date"),
            ("1,1997-01-18,1.001,USD", "at most 2 decimals"),
            ("1,1997-01-18,1.5,JPY", "at most 0 decimals"),
            ("1,1997-01-18,one,USD", "is not an amount"),
            ("1,1997-01-18,99999999999999999999,USD", "is not an amount"),
            ("1,1997-01-18,-1,USD", "negative"),
            ("1,1997-01-18,1,XXZ", "ISO 4217"),
            ("1,1997-01-18,1,", "--currency"),
            ("1,1997-01-18", "--currency"),
            ("1,1997-01-18,,USD", "is not an amount"),
        ] {
            let said = read(&mut reader, row).unwrap_err();
            assert!(said.contains(why), "{row}: {said}");
        }
    }
}
