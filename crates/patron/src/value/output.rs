//! Printing: a table for people, JSON or CSV for programs.

use std::io::{self, BufWriter, Write as _};

use customer_value::bg_nbd::Variant;
use money::Currency;
use serde::Serialize;

use super::rows::Rejected;
use crate::show::{counted, grouped, note};

/// How the answer is written.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Format {
    /// Print one JSON object for programs
    #[arg(long)]
    pub(super) json: bool,
    /// Print CSV for programs
    #[arg(long, conflicts_with = "json")]
    pub(super) csv: bool,
}

/// Prints one JSON object.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let written = serde_json::to_writer_pretty(&mut out, value).map_err(io::Error::from);
    done(
        written
            .and_then(|()| writeln!(out))
            .and_then(|()| out.flush()),
    )
}

/// Prints CSV with a heading.
pub(super) fn csv(
    heading: &[String],
    mut rows: impl Iterator<Item = Vec<String>>,
) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(BufWriter::new(io::stdout().lock()));
    let written = writer.write_record(heading);
    let written = written.and_then(|()| rows.try_for_each(|row| writer.write_record(row)));
    done(written.map_err(cause).and_then(|()| writer.flush()))
}

/// What the writer of CSV stumbled over, as what it is.
fn cause(error: csv::Error) -> io::Error {
    let said = error.to_string();
    if let csv::ErrorKind::Io(error) = error.into_kind() {
        return error;
    }
    io::Error::other(said)
}

/// Prints lines of text.
pub(super) fn text(lines: &str) -> anyhow::Result<()> {
    done(writeln!(io::stdout().lock(), "{lines}"))
}

/// A reader that has seen enough, such as `head`, is no error.
fn done(written: io::Result<()>) -> anyhow::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// The model as people call it.
pub(super) fn spoken(variant: Variant) -> &'static str {
    match variant {
        Variant::BgNbd => "BG/NBD",
        Variant::MbgNbd => "MBG/NBD",
    }
}

/// At most so many rejected rows are listed for people; programs get them all.
const LISTED: usize = 10;

/// What was left out, for people; empty if nothing was.
pub(super) fn rejected(rows: &[Rejected]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let more = (rows.len() > LISTED).then(|| "\n  … (--json lists them all)".to_owned());
    let were = if rows.len() == 1 { "was" } else { "were" };
    let number = counted(rows.len() as u64, "rows");
    let listed = rows.iter().take(LISTED).map(|row| {
        let Rejected {
            line,
            customer_id,
            reason,
        } = row;
        format!("\n  line {line}, customer {customer_id:?}: {reason}")
    });
    std::iter::once(format!("\n{number} {were} left out:"))
        .chain(listed)
        .chain(more)
        .collect()
}

/// The same beside an answer that has no place for it.
pub(super) fn note_rejected(rows: &[Rejected]) {
    if !rows.is_empty() {
        note(rejected(rows).trim_start());
    }
}

/// An amount in major units, with its currency where it is known.
pub(super) fn amount(major: f64, currency: Option<Currency>) -> String {
    let decimals = currency.map_or(2, |currency| currency.decimals() as usize);
    let number = grouped(&figure(major, decimals));
    currency.map_or_else(|| number.clone(), |currency| format!("{number} {currency}"))
}

/// A figure with so many decimals.
pub(super) fn figure(value: f64, decimals: usize) -> String {
    format!("{value:.decimals$}")
}

/// A share in per cent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::{amount, cause, rejected};
    use crate::value::rows::Rejected;

    #[test]
    fn a_broken_pipe_is_known_for_what_it_is() {
        let broken = csv::Error::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(cause(broken).kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn an_amount_has_its_currency_and_as_many_decimals() {
        assert_eq!(amount(1_234.5, "USD".parse().ok()), "1,234.50 USD");
        assert_eq!(amount(1_234.5, "JPY".parse().ok()), "1,234 JPY");
        assert_eq!(amount(0.125, None), "0.12");
    }

    #[test]
    fn one_row_was_left_out_and_two_were() {
        let row = Rejected {
            line: 2,
            customer_id: "k".to_owned(),
            reason: "why".to_owned(),
        };
        let one = rejected(std::slice::from_ref(&row));
        assert!(one.contains("1 row was left out") && one.contains("line 2"));
        assert!(rejected(&[row.clone(), row]).contains("2 rows were left out"));
    }
}
