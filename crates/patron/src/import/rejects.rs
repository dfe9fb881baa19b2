//! The rows that did not go in, as they were, with line and reason, in a file beside the import: one corrects
//! it and imports it.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::original::{NOTES, Original};

/// The rejects of one file.
#[derive(Debug)]
pub(crate) struct Rejects {
    import: PathBuf,
    path: PathBuf,
    original: Original,
    /// Line and reason.
    found: Vec<(u64, String)>,
}

impl Rejects {
    /// For the file `import`: beside it, as `<import>.rejects.csv`. One of an earlier run goes away.
    pub(super) fn of(
        import: &Path,
        original: Original,
        found: Vec<(u64, String)>,
    ) -> anyhow::Result<Self> {
        let mut name = import.file_name().unwrap_or_default().to_owned();
        name.push(".rejects.csv");
        let path = import.with_file_name(name);
        if path.exists() {
            std::fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        }
        Ok(Self {
            import: import.to_owned(),
            path,
            original,
            found,
        })
    }

    /// Notes one row.
    pub(crate) fn add(&mut self, line: u64, reason: String) {
        self.found.push((line, reason));
    }

    /// How many there are.
    pub(crate) const fn count(&self) -> u64 {
        self.found.len() as u64
    }

    /// The file, which exists only if something was rejected; its rows are in the order of the import.
    pub(crate) fn finish(mut self) -> anyhow::Result<Option<PathBuf>> {
        if self.found.is_empty() {
            return Ok(None);
        }
        self.found.sort();
        self.write()
            .with_context(|| format!("writing {}", self.path.display()))?;
        Ok(Some(self.path))
    }

    fn write(&self) -> anyhow::Result<()> {
        let file = File::create_new(&self.path)?;
        // Whoever may not read the import may not read its rows here.
        if let Ok(import) = std::fs::metadata(&self.import) {
            file.set_permissions(import.permissions())?;
        }
        let mut out = BufWriter::new(file);
        line(&mut out, &NOTES, self.original.heading())?;
        for (number, reason) in &self.found {
            line(
                &mut out,
                &[&number.to_string(), reason],
                self.original.at(*number),
            )?;
        }
        Ok(out.flush()?)
    }
}

/// Notes, and the row as it was.
fn line(out: &mut impl Write, notes: &[&str], row: &[u8]) -> anyhow::Result<()> {
    let mut noted = csv::Writer::from_writer(Vec::new());
    noted.write_record(notes)?;
    let noted = noted.into_inner().context("a line of the rejects")?;
    out.write_all(noted.trim_ascii_end())?;
    out.write_all(b",")?;
    out.write_all(row)?;
    Ok(out.write_all(b"\n")?)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Original, Rejects};

    fn rejects(import: &Path) -> Rejects {
        Rejects::of(import, Original::default(), Vec::new()).unwrap()
    }

    #[test]
    fn the_file_exists_only_if_something_was_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let import = folder.path().join("purchases.csv");
        assert_eq!(rejects(&import).finish().unwrap(), None);
        let mut some = rejects(&import);
        some.add(7, "amount is negative".to_owned());
        let path = some.finish().unwrap().unwrap();
        assert!(path.ends_with("purchases.csv.rejects.csv") && path.exists());
        assert_eq!(rejects(&import).count(), 0);
        assert!(!path.exists(), "rejects of an earlier run would mislead");
    }

    #[test]
    fn rows_come_in_the_order_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut some = rejects(&folder.path().join("purchases.csv"));
        for line in [9, 10, 2] {
            some.add(line, "why".to_owned());
        }
        let written = std::fs::read_to_string(some.finish().unwrap().unwrap()).unwrap();
        assert_eq!(written, "line,reason,\n2,why,\n9,why,\n10,why,\n");
    }

    #[cfg(unix)]
    #[test]
    fn who_may_not_read_the_import_may_not_read_its_rejects() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let import = folder.path().join("people.csv");
        std::fs::write(&import, "prospect_id\n").unwrap();
        std::fs::set_permissions(&import, std::fs::Permissions::from_mode(0o600)).unwrap();
        let mut some = rejects(&import);
        some.add(2, "why".to_owned());
        let path = some.finish().unwrap().unwrap();
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
