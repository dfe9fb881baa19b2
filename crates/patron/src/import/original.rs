//! The text of a file as it was, so that a row that is rejected can be given back as it stood there.

use std::ops::Range;

use csv::{Position, StringRecord};

/// The columns that a file of rejects has before those of the original.
pub(super) const NOTES: [&str; 2] = ["line", "reason"];

/// The bytes of a file, and where its rows are.
#[derive(Debug, Default)]
pub(super) struct Original {
    bytes: Vec<u8>,
    heading: Range<usize>,
    /// By line.
    rows: Vec<(u64, Range<usize>)>,
    /// How many columns at the left are notes of an import before.
    notes: usize,
}

impl Original {
    /// How many columns at the left are notes: the file may be one of rejects that was corrected.
    pub(super) fn notes(names: &StringRecord) -> usize {
        let mut first = names.iter().map(|name| name.trim_start_matches('\u{feff}'));
        let is_noted = NOTES.iter().all(|note| first.next() == Some(*note));
        if is_noted { NOTES.len() } else { 0 }
    }

    /// A file with its heading and its rows, by line.
    pub(super) const fn new(
        bytes: Vec<u8>,
        heading: Range<usize>,
        rows: Vec<(u64, Range<usize>)>,
        notes: usize,
    ) -> Self {
        Self {
            bytes,
            heading,
            rows,
            notes,
        }
    }

    /// The heading without notes.
    pub(super) fn heading(&self) -> &[u8] {
        let bytes = self.text(&self.heading);
        behind(
            bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes),
            self.notes,
        )
    }

    /// The row in this line without notes.
    pub(super) fn at(&self, line: u64) -> &[u8] {
        let found = self.rows.binary_search_by_key(&line, |(line, _)| *line);
        let found = found.ok().and_then(|place| self.rows.get(place));
        found.map_or(&[], |(_, range)| behind(self.text(range), self.notes))
    }

    fn text(&self, range: &Range<usize>) -> &[u8] {
        let bytes = self.bytes.get(range.clone()).unwrap_or_default();
        let ends = bytes
            .iter()
            .rposition(|byte| !matches!(byte, b'\r' | b'\n'));
        bytes
            .get(..ends.map_or(0, |last| last + 1))
            .unwrap_or_default()
    }
}

/// The line of what was read between two positions, and where it is; blank lines before it are none of it.
pub(super) fn place(bytes: &[u8], from: &Position, to: &Position) -> (u64, Range<usize>) {
    let byte = |position: &Position| usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let (begins, ends) = (byte(from), byte(to));
    let read = bytes.get(begins..ends).unwrap_or_default();
    let is_blank = |byte: &&u8| matches!(byte, b'\r' | b'\n');
    let blank = read.iter().take_while(is_blank).count();
    let skipped = read.iter().take(blank).filter(|byte| **byte == b'\n');
    (from.line() + skipped.count() as u64, begins + blank..ends)
}

/// What stands behind so many fields.
fn behind(row: &[u8], fields: usize) -> &[u8] {
    let (mut is_quoted, mut left, mut begins) = (false, fields, 0);
    for (i, byte) in row.iter().enumerate() {
        if left == 0 {
            break;
        }
        is_quoted ^= *byte == b'"';
        if *byte == b',' && !is_quoted {
            left -= 1;
            begins = i + 1;
        }
    }
    row.get(begins..).unwrap_or_default()
}
