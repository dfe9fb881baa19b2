//! Printing: a table for people, JSON or CSV for programs.

use std::io::{self, BufWriter, Write as _};

use comfy_table::{Cell, CellAlignment, Table, presets};
use serde::Serialize;

use super::rows::Rejected;

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
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)?;
    out.flush()?;
    Ok(())
}

/// Prints CSV with a heading.
pub(super) fn csv(
    heading: &[String],
    rows: impl Iterator<Item = Vec<String>>,
) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(BufWriter::new(io::stdout().lock()));
    writer.write_record(heading)?;
    for row in rows {
        writer.write_record(row)?;
    }
    writer.flush()?;
    Ok(())
}

/// Prints lines of text.
pub(super) fn text(lines: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{lines}")?;
    Ok(())
}

/// A table whose first column is words and whose others are figures.
pub(super) fn table<S: AsRef<str>>(heading: &[S], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(heading.iter().map(AsRef::as_ref));
    for row in rows {
        table.add_row(row.iter().enumerate().map(|(column, text)| {
            let alignment = if column == 0 {
                CellAlignment::Left
            } else {
                CellAlignment::Right
            };
            Cell::new(text).set_alignment(alignment)
        }));
    }
    table.to_string()
}

/// At most so many rejected rows are listed for people; programs get them all.
const LISTED: usize = 10;

/// What was left out, for people; empty if nothing was.
pub(super) fn rejected(rows: &[Rejected]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let more = (rows.len() > LISTED).then(|| "\n  … (--json lists them all)".to_owned());
    let listed = rows.iter().take(LISTED).map(|row| {
        let Rejected {
            line,
            customer_id,
            reason,
        } = row;
        format!("\n  line {line}, customer {customer_id:?}: {reason}")
    });
    std::iter::once(format!("\n{} rows were left out:", rows.len()))
        .chain(listed)
        .chain(more)
        .collect()
}

/// A figure with so many decimals.
pub(super) fn figure(value: f64, decimals: usize) -> String {
    format!("{value:.decimals$}")
}

/// A share in per cent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
