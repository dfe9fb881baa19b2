//! One row of a purchases file: read, checked, and given an id that is the same at every import.

use std::collections::HashMap;

use csv::StringRecord;
use eventsourcing::Time;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use money::{Currency, Money};
use rust_decimal::Decimal;

use super::columns::Columns;

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

impl PurchaseRow {
    /// The row in words, for the rejects file.
    pub(crate) fn text(&self) -> String {
        format!("{},{},{}", self.customer_id, self.occurred_at, self.amount)
    }
}

/// Turns records into rows.
#[derive(Debug)]
pub(crate) struct RowReader {
    columns: Columns,
    /// For files that do not say.
    currency: Option<Currency>,
    /// How often each row stood in the file so far.
    seen: HashMap<[u8; 16], u32>,
}

const LONGEST_ID: usize = 100;

impl RowReader {
    pub(crate) fn new(columns: Columns, currency: Option<Currency>) -> Self {
        Self {
            columns,
            currency,
            seen: HashMap::new(),
        }
    }

    /// Reads one record.
    ///
    /// # Errors
    /// Why the row cannot be used.
    pub(crate) fn read(&mut self, line: u64, record: &StringRecord) -> Result<PurchaseRow, String> {
        let columns = &self.columns;
        let field = |at: usize| record.get(at).unwrap_or_default().trim();
        let optional = |at: Option<usize>| at.map(field).filter(|text| !text.is_empty());
        let customer_id = field(columns.customer_id);
        if customer_id.is_empty() || customer_id.len() > LONGEST_ID {
            return Err(format!(
                "customer_id must have 1 to {LONGEST_ID} characters"
            ));
        }
        let occurred_at = moment(field(columns.occurred_at))?;
        let currency = match optional(columns.currency).or(columns.currency_in_heading.as_deref()) {
            Some(code) => code
                .parse()
                .map_err(|unknown: money::UnknownCurrency| unknown.to_string())?,
            None => self
                .currency
                .ok_or("no currency: add a column or give --currency")?,
        };
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

    /// An id made of the row's content and of how often it stood in the file before: two identical rows
    /// are two purchases, and the same file read again gives the same ids, in whatever order it is.
    fn derived_id(&mut self, row: &PurchaseRow) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(row.customer_id.as_bytes()).update(&[0]);
        hasher.update(&row.occurred_at.micros().to_le_bytes());
        hasher.update(row.amount.currency.code().as_bytes());
        hasher.update(&row.amount.minor_units.to_le_bytes());
        hasher.update(&row.contribution_margin.unwrap_or(i64::MIN).to_le_bytes());
        let mut hash = [0; 16];
        hasher.finalize_xof().fill(&mut hash);
        let nth = self.seen.entry(hash).or_default();
        *nth += 1;
        format!("row-{:032x}-{nth}", u128::from_be_bytes(hash))
    }
}

/// A day (its 00:00 UTC) or a moment in RFC 3339.
fn moment(text: &str) -> Result<Time, String> {
    let wrong = || {
        format!(
            "{text:?} is neither a date such as 1997-01-31 nor a time such as 1997-01-31T12:00:00Z"
        )
    };
    if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
        return Ok(Time::from_micros(timestamp.as_microsecond()));
    }
    let civil: DateTime = match text.parse::<Date>() {
        Ok(date) if text.len() == 10 => date.at(0, 0, 0, 0),
        _ => return Err(wrong()),
    };
    let zoned = civil.to_zoned(TimeZone::UTC).map_err(|_| wrong())?;
    Ok(Time::from_micros(zoned.timestamp().as_microsecond()))
}

/// A decimal in major units as minor units, if it is exact.
fn minor_units(column: &str, text: &str, currency: Currency) -> Result<i64, String> {
    let decimals = currency.decimals();
    let wrong = || {
        format!("{column} {text:?} is not an amount with at most {decimals} decimals in {currency}")
    };
    let decimal = Decimal::from_str_exact(text).map_err(|_| wrong())?;
    let scale = Decimal::from(10_u64.pow(decimals));
    let minor = decimal.checked_mul(scale).ok_or_else(wrong)?;
    if !minor.fract().is_zero() {
        return Err(wrong());
    }
    i64::try_from(minor.trunc().mantissa() / 10_i128.pow(minor.trunc().scale()))
        .map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use csv::StringRecord;
    use eventsourcing::Time;

    use super::{Columns, PurchaseRow, RowReader};

    fn reader(heading: &str) -> RowReader {
        RowReader::new(Columns::read(heading.split(',')).unwrap(), None)
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
