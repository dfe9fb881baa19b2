//! Reading a CSV file row by row: columns by name, a progress bar for long files, bad rows set aside.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use csv::StringRecord;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::import::heading::Heading;
use crate::sheet;

/// A row that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Rejected {
    /// In the file, the heading being line 1.
    pub(super) line: u64,
    /// As the row has it; empty where a table has no customers.
    pub(super) customer_id: String,
    pub(super) reason: String,
}

/// The columns of a file by name, in small letters.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    names: Vec<String>,
}

impl Columns {
    /// The place of the column with one of these names.
    pub(super) fn find(&self, names: &[&str]) -> Option<usize> {
        self.names
            .iter()
            .position(|name| names.contains(&name.as_str()))
    }

    /// The place of a column that must be there.
    pub(super) fn need(&self, names: &[&str]) -> anyhow::Result<usize> {
        match self.find(names) {
            Some(place) => Ok(place),
            None => bail!(
                "there is no column {}; the file has {}",
                names.join(" or "),
                self.names.join(", ")
            ),
        }
    }

    /// The place of the customers' ids; `id` may be the one of a row where there are both.
    pub(super) fn customer(&self) -> Option<usize> {
        self.find(&["customer_id"]).or_else(|| self.find(&["id"]))
    }

    /// The names as a heading in which none may mean the same as another; `expected` says what there should be.
    pub(super) fn heading(&self, expected: &'static str) -> Heading {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        Heading::new(&names, expected)
    }
}

/// A row with the columns that it belongs to.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) line: u64,
    record: &'a StringRecord,
}

impl<'a> Row<'a> {
    /// The text in a column, without the space around it; empty if the row is short.
    pub(super) fn text(&self, column: usize) -> &'a str {
        self.record.get(column).unwrap_or_default().trim()
    }

    /// A number of any kind in a column.
    pub(super) fn number<T: std::str::FromStr>(
        &self,
        column: usize,
        name: &str,
    ) -> Result<T, String> {
        let text = self.text(column);
        text.parse()
            .map_err(|_| format!("{name} {text:?} is not a number it can be"))
    }
}

/// A file that is being read.
#[derive(Debug)]
pub(super) struct Rows<R> {
    reader: csv::Reader<R>,
    pub(super) columns: Columns,
    progress: Progress,
}

impl Rows<File> {
    /// Opens a file and reads its heading.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
        let length = file.metadata().map_or(0, |about| about.len());
        Self::read(file, length).with_context(|| format!("reading {}", path.display()))
    }
}

impl<R: Read> Rows<R> {
    /// Reads the heading of something that is `length` bytes long.
    pub(super) fn read(source: R, length: u64) -> anyhow::Result<Self> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(source);
        sheet::check(reader.byte_headers()?).map_err(|wrong| anyhow!(wrong))?;
        let names = reader
            .headers()?
            .iter()
            .map(|name| {
                name.trim_start_matches('\u{feff}')
                    .trim()
                    .to_ascii_lowercase()
            })
            .collect();
        Ok(Self {
            reader,
            columns: Columns { names },
            progress: Progress {
                length,
                bar: None,
                rows: 0,
            },
        })
    }

    /// Calls `each` for every row; what it returns as an error is why the row is left out.
    pub(super) fn for_each(
        &mut self,
        mut each: impl FnMut(&Row<'_>) -> Result<(), String>,
    ) -> anyhow::Result<Vec<Rejected>> {
        let customer = self.columns.customer();
        let width = self.columns.names.len();
        let mut rejected = Vec::new();
        let mut record = StringRecord::new();
        loop {
            let line = self.reader.position().line();
            let outcome = match self.reader.read_record(&mut record) {
                Ok(false) => break,
                Ok(true) => {
                    let line = record.position().map_or(line, csv::Position::line);
                    let row = Row {
                        line,
                        record: &record,
                    };
                    sheet::same_width(record.len(), width).and_then(|()| each(&row))
                }
                Err(error) if error.is_io_error() => return Err(error.into()),
                Err(_) => Err("the row is not text in UTF-8".to_owned()),
            };
            if let Err(reason) = outcome {
                let line = record.position().map_or(line, csv::Position::line);
                let customer_id = customer.and_then(|place| record.get(place));
                let customer_id = customer_id.unwrap_or_default().trim().to_owned();
                rejected.push(Rejected {
                    line,
                    customer_id,
                    reason,
                });
            }
            self.progress.row(self.reader.position().byte());
        }
        self.progress.finish();
        Ok(rejected)
    }
}

/// Shown from this many rows on.
const LONG: u64 = 100_000;

#[derive(Debug)]
struct Progress {
    length: u64,
    bar: Option<ProgressBar>,
    rows: u64,
}

impl Progress {
    fn row(&mut self, byte: u64) {
        self.rows += 1;
        if self.rows < LONG || !self.rows.is_multiple_of(1_024) {
            return;
        }
        let length = self.length;
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::new(length);
            if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {percent:>3} % {eta}")
            {
                bar.set_style(style);
            }
            bar
        });
        bar.set_message(format!("{} rows", self.rows));
        bar.set_position(byte);
    }

    fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Rows;

    #[test]
    fn bad_rows_are_set_aside_with_their_line_and_customer() {
        let text: &[u8] = b"\xef\xbb\xbfCustomer_ID, X\n1,2\n7,many\n\xff,3\n4\n5,5,50\n";
        let mut rows = Rows::read(text, 0).unwrap();
        let x = rows.columns.need(&["x"]).unwrap();
        let mut sum = 0_u32;
        let rejected = rows
            .for_each(|row| {
                sum += row.number::<u32>(x, "x")?;
                Ok(())
            })
            .unwrap();
        assert_eq!(sum, 2);
        let found: Vec<_> = rejected
            .iter()
            .map(|r| (r.line, r.customer_id.as_str()))
            .collect();
        assert_eq!(found.first(), Some(&(3, "7")));
        assert_eq!(found[2..], [(5, "4"), (6, "5")]);
        assert_eq!(found.len(), 4);
        assert!(rejected[3].reason.contains("3 fields"), "{rejected:?}");
        assert!(
            rows.columns
                .need(&["y"])
                .unwrap_err()
                .to_string()
                .contains("no column y")
        );
    }

    #[test]
    fn a_file_without_commas_is_refused_by_its_name() {
        let refused = |text: &[u8]| Rows::read(text, 0).unwrap_err().to_string();
        assert!(refused(b"customer_id;date;amount\n1;2;3\n").contains("semicolons"));
        assert!(refused(b"\xff\xfea\0").contains("UTF-16"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_hang(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(mut rows) = Rows::read(bytes.as_slice(), 0) {
                let _rejected = rows.for_each(|row| Err(row.text(0).to_owned()));
            }
        }
    }
}
