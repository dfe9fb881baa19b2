//! The rows that did not go in, with line number and reason, in a file beside the import.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Writes a rejects file, which exists only if something was rejected.
#[derive(Debug)]
pub(crate) struct Rejects {
    path: PathBuf,
    writer: Option<csv::Writer<File>>,
    count: u64,
}

impl Rejects {
    /// For the file `import`: beside it, as `<import>.rejects.csv`. One of an earlier run goes away.
    pub(crate) fn beside(import: &Path) -> anyhow::Result<Self> {
        let mut name = import.file_name().unwrap_or_default().to_owned();
        name.push(".rejects.csv");
        let path = import.with_file_name(name);
        if path.exists() {
            std::fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        }
        Ok(Self {
            path,
            writer: None,
            count: 0,
        })
    }

    /// Notes one row.
    pub(crate) fn add(&mut self, line: u64, reason: &str, row: &str) -> anyhow::Result<()> {
        let path = &self.path;
        let context = || format!("writing {}", path.display());
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => {
                let mut writer = csv::Writer::from_path(path).with_context(context)?;
                writer
                    .write_record(["line", "reason", "row"])
                    .with_context(context)?;
                none.insert(writer)
            }
        };
        self.count += 1;
        writer
            .write_record([&line.to_string(), reason, row])
            .with_context(context)
    }

    /// How many there are.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// The file, if there is one, written out.
    pub(crate) fn finish(mut self) -> anyhow::Result<Option<PathBuf>> {
        let Some(mut writer) = self.writer.take() else {
            return Ok(None);
        };
        writer
            .flush()
            .with_context(|| format!("writing {}", self.path.display()))?;
        Ok(Some(self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::Rejects;

    #[test]
    fn the_file_exists_only_if_something_was_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let import = folder.path().join("purchases.csv");
        assert_eq!(Rejects::beside(&import).unwrap().finish().unwrap(), None);
        let mut rejects = Rejects::beside(&import).unwrap();
        rejects
            .add(7, "amount is negative", "1,1997-01-18,-1")
            .unwrap();
        let path = rejects.finish().unwrap().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            "line,reason,row\n7,amount is negative,\"1,1997-01-18,-1\"\n"
        );
        assert_eq!(Rejects::beside(&import).unwrap().count(), 0);
        assert!(!path.exists(), "rejects of an earlier run would mislead");
    }
}
