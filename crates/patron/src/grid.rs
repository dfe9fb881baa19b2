//! Tables of a hundred columns: texts are wrapped between words, long names at their joints, ids and figures never.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use uuid::Uuid;

/// How wide a table may be.
pub(crate) const WIDTH: usize = 100;

/// What a column takes beside its text: a blank on each side, and one to the next column.
pub(crate) const PADDING: usize = 3;

/// Words up to this are never broken.
const SHORT: usize = 16;

/// One line below the headings and one at the end: figures need no cage.
const STYLE: TableStyle = TableStyle::new()
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

/// Lines with headings; the first column is text, the others are figures.
pub(crate) fn table(headings: &[&str], lines: Vec<Vec<String>>) -> String {
    let mut table = plain(headings, lines);
    for i in 1..headings.len() {
        if let Some(column) = table.column_mut(i) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

/// Lines with headings, all of them text.
pub(crate) fn words(headings: &[&str], lines: Vec<Vec<String>>) -> String {
    plain(headings, lines).to_string()
}

fn plain(headings: &[&str], lines: Vec<Vec<String>>) -> Table {
    let headings: Vec<String> = headings.iter().map(|&heading| heading.to_owned()).collect();
    let columns = (0..headings.len()).map(|place| {
        let cells = lines.iter().filter_map(move |line| line.get(place));
        Column::of(headings.get(place).into_iter().chain(cells))
    });
    let mut columns: Vec<Column> = columns.collect();
    fit(&mut columns);
    let wrapped = |cells: Vec<String>| -> Vec<String> {
        let cells = cells.into_iter().zip(&columns);
        cells
            .map(|(cell, column)| wrap(&cell, column.width))
            .collect()
    };
    let mut table = Table::new();
    table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(wrapped(headings))
        .add_rows(lines.into_iter().map(wrapped));
    table
}

/// How wide a column is, and how narrow it may become without breaking what should stay whole.
struct Column {
    width: usize,
    least: usize,
}

impl Column {
    fn of<'a>(cells: impl Iterator<Item = &'a String>) -> Self {
        let mut column = Self { width: 1, least: 1 };
        for line in cells.flat_map(|cell| cell.split('\n')) {
            column.width = column.width.max(length(line));
            let pieces = line.split(' ').flat_map(pieces);
            column.least = pieces.map(length).fold(column.least, usize::max);
        }
        column
    }
}

/// Takes from the widest column that can give, until all fit; if none can, from the widest.
fn fit(columns: &mut [Column]) {
    let room = (WIDTH + 1)
        .saturating_sub(PADDING * columns.len())
        .max(columns.len());
    while columns.iter().map(|column| column.width).sum::<usize>() > room {
        let widest = |column: &&mut Column| column.width;
        let can_give = columns
            .iter_mut()
            .filter(|column| column.width > column.least);
        if let Some(column) = can_give.max_by_key(widest) {
            column.width -= 1;
        } else if let Some(column) = columns.iter_mut().max_by_key(widest) {
            column.width -= 1;
            column.least = column.width;
        }
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// A word as the pieces that it may be broken into: behind a slash, a hyphen or an underscore of a long name.
fn pieces(word: &str) -> Vec<&str> {
    let is_name = word.chars().any(char::is_alphabetic) && word.parse::<Uuid>().is_err();
    if length(word) <= SHORT || !is_name {
        return vec![word];
    }
    word.split_inclusive(['/', '-', '_']).collect()
}

/// A text in lines of at most this many characters.
fn wrap(text: &str, width: usize) -> String {
    let mut lines = Vec::new();
    for line in text.split('\n') {
        if length(line) <= width {
            lines.push(line.to_owned());
        } else {
            wrap_line(line, width, &mut lines);
        }
    }
    lines.join("\n")
}

fn wrap_line(line: &str, width: usize, lines: &mut Vec<String>) {
    let words = line.trim_start();
    let mut now = line.strip_suffix(words).unwrap_or_default().to_owned();
    let mut is_first = true;
    for word in words.split(' ') {
        let gap = if is_first { "" } else { " " };
        if length(&now) + length(gap) + length(word) <= width {
            now += gap;
            now += word;
        } else if length(word) <= width && !is_first {
            lines.push(std::mem::replace(&mut now, word.to_owned()));
        } else {
            now += if length(&now) < width { gap } else { "" };
            for piece in pieces(word) {
                if length(&now) + length(piece) > width && !now.trim().is_empty() {
                    lines.push(std::mem::take(&mut now).trim_end().to_owned());
                }
                now += piece;
                while length(&now) > width {
                    let cut = now
                        .char_indices()
                        .nth(width)
                        .map_or(now.len(), |(at, _)| at);
                    let rest = now.split_off(cut);
                    lines.push(std::mem::replace(&mut now, rest));
                }
            }
        }
        is_first = false;
    }
    lines.push(now);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{WIDTH, table, wrap};

    fn fits(text: &str) -> bool {
        text.lines().all(|line| line.chars().count() <= WIDTH)
    }

    #[test]
    fn a_table_fits_a_hundred_columns() {
        let long = "a very long sentence ".repeat(20);
        let shown = table(&["what", "figure"], vec![vec![long, "1".to_owned()]]);
        assert!(fits(&shown), "{shown}");
    }

    #[test]
    fn ids_stay_whole_beside_long_amounts() {
        let id = "0b0e6f5e-7c55-4d0c-9f50-3f3ad5b3a2c1";
        let line = [
            id,
            "Ada Lovelace of London",
            "active",
            "2026-01-02",
            "1,234",
            "9,876,543,210.99 EUR",
        ];
        let headings = ["customer", "name", "state", "since", "purchases", "revenue"];
        let shown = table(&headings, vec![line.map(str::to_owned).into()]);
        assert!(shown.contains(id) && fits(&shown), "{shown}");
        assert!(shown.contains("2026-01-02"), "{shown}");
    }

    #[test]
    fn names_are_broken_at_their_joints() {
        let name = "office-coffee/fresh-in-the-morning-of-the-third-quarter-of-2025";
        let mut line = vec![name.to_owned()];
        line.extend(vec!["123,456,789.00 EUR".to_owned(); 3]);
        let shown = table(&["credited to", "value", "spend", "cost"], vec![line]);
        assert!(fits(&shown), "{shown}");
        let first = shown
            .lines()
            .filter_map(|line| line.split_whitespace().next());
        let parts: Vec<&str> = first.filter(|part| name.contains(*part)).collect();
        assert_eq!(parts.concat(), name, "{shown}");
        assert!(
            parts.len() > 1
                && parts
                    .iter()
                    .rev()
                    .skip(1)
                    .all(|part| part.ends_with(['-', '/']))
        );
    }

    #[test]
    fn texts_are_wrapped_between_words_and_keep_their_indent() {
        assert_eq!(wrap("one two three", 7), "one two\nthree");
        assert_eq!(wrap("  one two", 6), "  one\ntwo");
        assert_eq!(wrap("abcdefghij", 4), "abcd\nefgh\nij");
        assert_eq!(wrap("a\nb", 4), "a\nb");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_too_wide(text in "[a-z0-9/ é-]{0,80}", width in 1_usize..40) {
            let wrapped = wrap(&text, width);
            prop_assert!(wrapped.lines().all(|line| line.chars().count() <= width));
            let plain = |text: &str| text.chars().filter(|it| !it.is_whitespace()).collect::<String>();
            prop_assert_eq!(plain(&wrapped), plain(&text));
        }

        #[test]
        fn any_table_fits(cells in prop::collection::vec("[a-z0-9/ ,.-]{0,60}", 1..12)) {
            let headings = vec!["heading"; cells.len()];
            prop_assert!(fits(&table(&headings, vec![cells])));
        }
    }
}
