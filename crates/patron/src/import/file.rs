//! A CSV file, record by record; what cannot be read is noted and does not stop the rest.

use std::fs::File;
use std::path::Path;

use anyhow::Context as _;
use csv::StringRecord;

use super::rejects::Rejects;

/// A reader of one kind of rows.
pub(crate) trait Reader: Sized {
    /// What a row is read into.
    type Row;

    /// Reads a record that stands in this line.
    ///
    /// # Errors
    /// Why the row cannot be used.
    fn read(&mut self, line: u64, record: &StringRecord) -> Result<Self::Row, String>;

    /// The columns that mean nothing to it.
    fn ignored(&self) -> &[String];
}

/// Reads all rows of a file. `heading` makes the reader from the names of the columns.
pub(crate) fn read<R: Reader>(
    file: &Path,
    rejects: &mut Rejects,
    heading: impl FnOnce(&[&str]) -> Result<R, String>,
) -> anyhow::Result<Vec<R::Row>> {
    let context = || format!("reading {}", file.display());
    let opened = File::open(file).with_context(context)?;
    let mut csv = csv::ReaderBuilder::new().flexible(true).from_reader(opened);
    let names: Vec<&str> = csv.headers().with_context(context)?.iter().collect();
    let reader = heading(&names);
    let mut reader = reader.map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
    if !reader.ignored().is_empty() {
        let columns = reader.ignored().join(", ");
        tracing::info!(columns, "columns that mean nothing here");
    }
    let mut rows = Vec::new();
    for record in csv.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                match reader.read(line, &record) {
                    Ok(row) => rows.push(row),
                    Err(reason) => {
                        let text: Vec<&str> = record.iter().collect();
                        rejects.add(line, &reason, &text.join(","))?;
                    }
                }
            }
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                rejects.add(line, &error.to_string(), "")?;
            }
        }
    }
    Ok(rows)
}
