//! Reading the tables of `tests/data` and comparing within a stated tolerance.

use std::collections::{BTreeMap, HashMap};

use customer_value::{Cell, Histogram, PurchaseDays, Recency, Sample, Unit};

/// A row of a table by column name.
pub(crate) type Row = HashMap<String, String>;

/// All rows of `tests/data/<name>.csv`.
pub(crate) fn table(name: &str) -> Vec<Row> {
    let path = format!("{}/tests/data/{name}.csv", env!("CARGO_MANIFEST_DIR"));
    csv::Reader::from_path(&path)
        .unwrap_or_else(|error| panic!("{path}: {error}"))
        .deserialize()
        .map(|row| row.unwrap())
        .collect()
}

/// The number in a column.
pub(crate) fn number(row: &Row, column: &str) -> f64 {
    row[column]
        .parse()
        .unwrap_or_else(|_| panic!("{column} of {row:?} is no number"))
}

/// The whole number in a column.
pub(crate) fn whole<T: std::str::FromStr>(row: &Row, column: &str) -> T {
    row[column]
        .parse()
        .unwrap_or_else(|_| panic!("{column} of {row:?} is no whole number"))
}

/// An amount in minor units, read from its decimal digits.
pub(crate) fn cents(text: &str) -> i64 {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{places:0<2}").parse().unwrap()
}

/// Asserts a relative error of at most `tolerance`.
#[track_caller]
pub(crate) fn close(what: &str, computed: f64, expected: f64, tolerance: f64) {
    let error = (computed - expected).abs();
    assert!(
        error <= tolerance * expected.abs() || error < 1e-300,
        "{what}: {computed} instead of {expected}, relative error {:e}",
        error / expected.abs()
    );
}

/// The value of (model, quantity) in `given_params.csv`, and its standard error.
pub(crate) fn parameter(model: &str, quantity: &str) -> (f64, f64) {
    let rows = table("given_params");
    let row = rows
        .iter()
        .find(|row| row["model"] == model && row["quantity"] == quantity)
        .unwrap();
    let error = row["std_error"].parse().unwrap_or(f64::NAN);
    (number(row, "value"), error)
}

/// Days since 1970-01-01 of a date `YYYY-MM-DD`.
pub(crate) fn day(date: &str) -> i32 {
    let parts: Vec<i32> = date.split('-').map(|part| part.parse().unwrap()).collect();
    let (year, month, day) = (parts[0], parts[1], parts[2]);
    // Count years from March, so that the leap day is the last of its year.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leaps = year / 4 - year / 100 + year / 400;
    365 * year + leaps + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// The end of the calibration period of CDNOW.
pub(crate) const AS_OF: &str = "1997-09-30";

/// The purchase days of every CDNOW customer, by customer.
pub(crate) fn cdnow_histories() -> BTreeMap<u32, PurchaseDays> {
    let mut histories: BTreeMap<u32, PurchaseDays> = BTreeMap::new();
    for row in table("given_cdnow_transactions") {
        histories
            .entry(whole(&row, "customer_id"))
            .or_default()
            .record(day(&row["date"]), cents(&row["amount_usd"]));
    }
    histories
}

/// The cells of CDNOW as of the end of the calibration period.
pub(crate) fn cdnow_cells() -> Vec<Cell> {
    cdnow_histories()
        .values()
        .filter_map(|days| Some(days.as_of(day(AS_OF)).ok()?.cell))
        .collect()
}

/// CDNOW as a sample in weeks.
pub(crate) fn cdnow_sample() -> Sample {
    let histogram: Histogram = cdnow_cells().into_iter().collect();
    Sample::by_day(&histogram, day(AS_OF), Unit::Weeks).unwrap()
}

/// (x, tx, T) of a row with times in days, as weeks.
pub(crate) fn weeks(row: &Row) -> Recency {
    Recency::new(
        whole(row, "x"),
        number(row, "tx_days") / 7.0,
        number(row, "T_days") / 7.0,
    )
    .unwrap()
}
