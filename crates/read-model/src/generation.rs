//! The folder: who holds it, one generation per schema, and where damaged ones go.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use crate::Error;

/// How many damaged generations are kept for somebody to look at.
const DAMAGED_KEPT: usize = 2;

/// The folder of a read model, held by this process until dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    dir: PathBuf,
    _lock: File,
}

/// What a name in the folder stands for.
#[derive(Debug, PartialEq, Eq)]
enum Entry {
    Generation(u32),
    Damaged(u64),
}

impl Folder {
    /// Creates the folder if need be and takes hold of it.
    pub(crate) fn claim(dir: &Path) -> Result<Self, Error> {
        fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
        let path = dir.join("LOCK");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path);
        let lock = lock.map_err(Error::io("open", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                dir: dir.to_path_buf(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse {
                folder: dir.to_path_buf(),
            }),
            Err(TryLockError::Error(error)) => Err(Error::io("lock", &path)(error)),
        }
    }

    /// The folder of a generation, which exists afterwards.
    pub(crate) fn generation(&self, schema: u32) -> Result<PathBuf, Error> {
        let path = self.dir.join(format!("generation-{schema}"));
        fs::create_dir_all(&path).map_err(Error::io("create", &path))?;
        Ok(path)
    }

    /// Moves a damaged generation out of the way; the newest few stay to be looked at.
    pub(crate) fn move_aside(&self, generation: &Path) -> Result<PathBuf, Error> {
        let mut damaged: Vec<_> = self.entries()?.into_iter().filter_map(as_damaged).collect();
        damaged.sort();
        let number = damaged.last().map_or(1, |(last, _)| last.saturating_add(1));
        let aside = generation.with_extension(format!("damaged-{number}"));
        fs::rename(generation, &aside).map_err(Error::io("move aside", generation))?;
        let excess = damaged.len().saturating_add(1).saturating_sub(DAMAGED_KEPT);
        for (_, path) in damaged.iter().take(excess) {
            fs::remove_dir_all(path).map_err(Error::io("remove", path))?;
        }
        Ok(aside)
    }

    /// Deletes every generation but this one; gives back how many there were.
    pub(crate) fn retire_others(&self, schema: u32) -> Result<usize, Error> {
        let mut retired = 0;
        for (entry, path) in self.entries()? {
            if matches!(entry, Entry::Generation(other) if other != schema) {
                fs::remove_dir_all(&path).map_err(Error::io("remove", &path))?;
                retired += 1;
            }
        }
        Ok(retired)
    }

    fn entries(&self) -> Result<Vec<(Entry, PathBuf)>, Error> {
        let mut entries = Vec::new();
        for found in fs::read_dir(&self.dir).map_err(Error::io("list", &self.dir))? {
            let path = found.map_err(Error::io("list", &self.dir))?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            if let Some(entry) = name.and_then(Entry::parse) {
                entries.push((entry, path));
            }
        }
        Ok(entries)
    }
}

impl Entry {
    fn parse(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("generation-")?;
        match rest.split_once(".damaged-") {
            Some((_, number)) => number.parse().ok().map(Self::Damaged),
            None => rest.parse().ok().map(Self::Generation),
        }
    }
}

fn as_damaged((entry, path): (Entry, PathBuf)) -> Option<(u64, PathBuf)> {
    match entry {
        Entry::Damaged(number) => Some((number, path)),
        Entry::Generation(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "LOCK")
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_has_one_holder_and_the_message_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let first = Folder::claim(dir.path()).unwrap();
        let refused = Folder::claim(dir.path()).unwrap_err();
        assert!(matches!(&refused, Error::InUse { folder } if folder == dir.path()));
        assert!(refused.to_string().contains(dir.path().to_str().unwrap()));
        drop(first);
        Folder::claim(dir.path()).unwrap();
    }

    #[test]
    fn the_two_newest_damaged_generations_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::claim(dir.path()).unwrap();
        for schema in [3, 3, 3, 4] {
            let generation = folder.generation(schema).unwrap();
            folder.move_aside(&generation).unwrap();
        }
        assert_eq!(
            names(dir.path()),
            ["generation-3.damaged-3", "generation-4.damaged-4"]
        );
    }

    #[test]
    fn retiring_leaves_the_own_generation_and_the_damaged_ones() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::claim(dir.path()).unwrap();
        let damaged = folder.generation(1).unwrap();
        folder.move_aside(&damaged).unwrap();
        for schema in [1, 2, 3] {
            folder.generation(schema).unwrap();
        }
        assert_eq!(folder.retire_others(2).unwrap(), 2);
        assert_eq!(
            names(dir.path()),
            ["generation-1.damaged-1", "generation-2"]
        );
    }
}
