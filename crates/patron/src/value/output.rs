//! Printing: a table for people, JSON or CSV for programs.

use std::io::{self, BufWriter, Write as _};

use customer_value::bg_nbd::Variant;
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
    done(
        written
            .map_err(io::Error::from)
            .and_then(|()| writer.flush()),
    )
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
