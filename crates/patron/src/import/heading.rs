//! The heading of a file: which column is where.

use money::Currency;

/// The names of a file's columns, and which of them were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heading {
    names: Vec<String>,
    used: Vec<usize>,
    /// What the file should have, in words, for complaints.
    expected: &'static str,
}

impl Heading {
    /// Reads the names; their case and the blanks around them do not matter.
    pub(crate) fn new(names: &[&str], expected: &'static str) -> Self {
        let plain = |name: &&str| {
            name.trim_start_matches('\u{feff}')
                .trim()
                .to_ascii_lowercase()
        };
        Self {
            names: names.iter().map(plain).collect(),
            used: Vec::new(),
            expected,
        }
    }

    /// The place of a column that may have any of these names.
    ///
    /// # Errors
    /// If several columns do.
    pub(crate) fn find(&mut self, wanted: &[&str]) -> Result<Option<usize>, String> {
        let names = self.names.iter().enumerate();
        let mut found = names.filter(|(_, name)| wanted.contains(&name.as_str()));
        match (found.next(), found.next()) {
            (Some((place, _)), None) => {
                self.used.push(place);
                Ok(Some(place))
            }
            (None, _) => Ok(None),
            (Some((_, first)), Some((_, second))) => Err(self.doubled(first, second)),
        }
    }

    /// The same for a column that must be there.
    ///
    /// # Errors
    /// If none or several are.
    pub(crate) fn need(&mut self, wanted: &[&str]) -> Result<usize, String> {
        let name = wanted.first().copied().unwrap_or_default();
        self.find(wanted)?.ok_or_else(|| self.missing(name))
    }

    /// The place of the amounts, and their currency if the heading says it, as `amount_eur` does.
    ///
    /// # Errors
    /// If there is none, or two.
    pub(crate) fn amount(&mut self) -> Result<(usize, Option<String>), String> {
        let plain = self.find(&["amount"])?;
        let names = self.names.iter().enumerate();
        let mut with_currency = names.filter_map(|(place, name)| {
            let code = name.strip_prefix("amount_")?.to_ascii_uppercase();
            code.parse::<Currency>().ok().map(|_| (place, name, code))
        });
        match (plain, with_currency.next(), with_currency.next()) {
            (_, Some((_, first, _)), Some((_, second, _))) => Err(self.doubled(first, second)),
            (Some(_), Some((_, other, _)), None) => Err(self.doubled("amount", other)),
            (Some(place), None, _) => Ok((place, None)),
            (None, Some((place, _, code)), None) => {
                self.used.push(place);
                Ok((place, Some(code)))
            }
            (None, None, _) => Err(self.missing("amount")),
        }
    }

    /// The names of the columns that nobody asked for.
    pub(crate) fn ignored(&self) -> Vec<String> {
        let rest = self.names.iter().enumerate();
        let rest = rest.filter(|(place, _)| !self.used.contains(place));
        rest.map(|(_, name)| name.clone()).collect()
    }

    fn missing(&self, name: &str) -> String {
        format!("there is no column {name}; {}", self.expected)
    }

    fn doubled(&self, first: &str, second: &str) -> String {
        format!(
            "the columns {first} and {second} mean the same; {}",
            self.expected
        )
    }
}
