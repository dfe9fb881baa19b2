//! A CSV file, record by record; what cannot be read is noted and does not stop the rest.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use csv::StringRecord;

use super::original::{self, Original};
use super::rejects::Rejects;
use crate::sheet;

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

/// Reads all rows of a file, and what becomes of those that cannot be used. `heading` makes the reader from
/// the names of the columns.
pub(crate) fn read<R: Reader>(
    file: &Path,
    heading: impl FnOnce(&[&str]) -> Result<R, String>,
) -> anyhow::Result<(Vec<R::Row>, Rejects)> {
    let context = || format!("reading {}", file.display());
    let bytes = std::fs::read(file).with_context(context)?;
    let mut csv = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(bytes.as_slice());
    let wrong = |error: String| anyhow!("{}: {error}", file.display());
    sheet::check(csv.byte_headers().with_context(context)?).map_err(wrong)?;
    let names = csv.headers().with_context(context)?.clone();
    let notes = Original::notes(&names);
    let (_, head) = original::place(&bytes, &csv::Position::new(), csv.position());
    let known: Vec<&str> = names.iter().skip(notes).collect();
    let mut reader = heading(&known).map_err(wrong)?;
    if !reader.ignored().is_empty() {
        let columns = reader.ignored().join(", ");
        tracing::info!(columns, "columns that mean nothing here");
    }
    let (mut rows, mut refused, mut places) = (Vec::new(), Vec::new(), Vec::new());
    let mut record = StringRecord::new();
    loop {
        let begins = csv.position().clone();
        let found = csv.read_record(&mut record);
        if matches!(found, Ok(false)) {
            break;
        }
        let (line, place) = original::place(&bytes, &begins, csv.position());
        places.push((line, place));
        let read = match found {
            Ok(_) => sheet::same_width(record.len(), names.len()).and_then(|()| {
                let record: StringRecord = record.iter().skip(notes).collect();
                reader.read(line, &record)
            }),
            Err(_) => Err("the row is not text in UTF-8".to_owned()),
        };
        match read {
            Ok(row) => rows.push(row),
            Err(reason) => refused.push((line, reason)),
        }
    }
    let original = Original::new(bytes, head, places, notes);
    Ok((rows, Rejects::of(file, original, refused)?))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Reader, Rejects, StringRecord, read};

    /// Takes any text but `bad`.
    struct Texts(Vec<String>);

    impl Reader for Texts {
        type Row = (u64, String);

        fn read(&mut self, line: u64, record: &StringRecord) -> Result<Self::Row, String> {
            let text: Vec<&str> = record.iter().collect();
            if text.contains(&"bad") {
                return Err("it is, \"bad\"".to_owned());
            }
            Ok((line, text.join("|")))
        }

        fn ignored(&self) -> &[String] {
            &self.0
        }
    }

    fn texts(folder: &tempfile::TempDir, text: &[u8]) -> (Vec<(u64, String)>, Rejects) {
        let file: PathBuf = folder.path().join("texts.csv");
        std::fs::write(&file, text).unwrap();
        read(&file, |_| Ok(Texts(Vec::new()))).unwrap()
    }

    #[test]
    fn a_row_of_another_width_is_rejected_and_kept_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let file =
            "\u{feff}id,text\r\n1,5,50\r\n\r\n2,\"two\nlines, a comma\"\r\n3\r\n4,\"bad\"\r\n";
        let (rows, rejects) = texts(&folder, file.as_bytes());
        assert_eq!(rows, [(4, "2|two\nlines, a comma".to_owned())]);
        assert_eq!(rejects.count(), 3);
        let written = std::fs::read_to_string(rejects.finish().unwrap().unwrap()).unwrap();
        let lines: Vec<&str> = written.lines().collect();
        assert_eq!(lines[0], "line,reason,id,text");
        assert!(
            lines[1].starts_with("2,\"the row has 3 fields") && lines[1].ends_with("\",1,5,50")
        );
        assert!(lines[2].starts_with("6,") && lines[2].ends_with(",3"));
        assert_eq!(lines[3], "7,\"it is, \"\"bad\"\"\",4,\"bad\"");
    }

    #[test]
    fn a_file_of_rejects_that_was_corrected_reads_as_the_original_does() {
        let folder = tempfile::tempdir().unwrap();
        let corrected = "line,reason,id,text\n7,\"it is, \"\"bad\"\"\",4,good\n8,why,5,\"bad\"\n";
        let (rows, rejects) = texts(&folder, corrected.as_bytes());
        assert_eq!(rows, [(2, "4|good".to_owned())]);
        let written = std::fs::read_to_string(rejects.finish().unwrap().unwrap()).unwrap();
        let again = "line,reason,id,text\n3,\"it is, \"\"bad\"\"\",5,\"bad\"\n";
        assert_eq!(written, again, "the notes do not pile up");
    }

    #[test]
    fn a_row_that_is_not_text_is_kept_byte_by_byte() {
        let folder = tempfile::tempdir().unwrap();
        let (rows, rejects) = texts(&folder, b"id,text\n1,\xff\n2,b\n");
        assert_eq!(rows, [(3, "2|b".to_owned())]);
        let written = std::fs::read(rejects.finish().unwrap().unwrap()).unwrap();
        assert!(written.ends_with(b"2,the row is not text in UTF-8,1,\xff\n"));
    }
}
