//! The folder: one owner at a time, and a file that is whole from its first moment.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use journal::{Error, ErrorKind};
use redb::{Builder, Database, DatabaseError, StorageError};

pub(crate) const FILE: &str = "journal.redb";
const UNFINISHED: &str = "journal.redb.new";
const LOCK: &str = "journal.lock";

/// A folder that nobody else may use as long as this lives.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder, if it is missing, and takes it.
    pub(crate) fn take(path: &Path) -> Result<Self, Error> {
        let taken = make(path).and_then(|()| File::create(path.join(LOCK)));
        let lock = taken.map_err(|error| {
            let message = format!("the folder {} cannot be made or used", path.display());
            Error::new(ErrorKind::Misconfigured, message)
                .with_page("journal-folder")
                .with_source(error)
        })?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(in_use(path)),
            Err(TryLockError::Error(error)) => {
                let message = format!("the folder {} cannot be locked", path.display());
                Err(Error::new(ErrorKind::Misconfigured, message).with_source(error))
            }
        }
    }

    /// Opens the file; makes it if it is missing.
    ///
    /// redb cannot open a file whose making a power cut has interrupted. So it is made under another
    /// name, and gets its own only when it is on the disk.
    pub(crate) fn database(&self, builder: &Builder) -> Result<Database, Error> {
        let file = self.path.join(FILE);
        if !file.exists() {
            let unfinished = self.path.join(UNFINISHED);
            remove(&unfinished).map_err(|error| self.not_made(error))?;
            let made = builder.create(&unfinished).and_then(Database::close);
            made.map_err(|error| not_opened(&self.path, error))?;
            std::fs::rename(&unfinished, &file)
                .and_then(|()| sync(&self.path))
                .map_err(|error| self.not_made(error))?;
        }
        let opened = builder.open(&file);
        opened.map_err(|error| not_opened(&self.path, error))
    }

    /// Makes a file that is to take the place of the present one.
    pub(crate) fn renew(
        &self,
        builder: &Builder,
        fill: impl FnOnce(&Database) -> Result<(), redb::Error>,
    ) -> Result<(), Error> {
        let unfinished = self.path.join(UNFINISHED);
        remove(&unfinished).map_err(|error| self.not_made(error))?;
        let made = builder.create(&unfinished);
        let made = made.map_err(|error| not_opened(&self.path, error))?;
        let filled = fill(&made).and_then(|()| Ok(made.close()?));
        filled.map_err(|error| {
            let message = format!("the journal in {} cannot be rewritten", self.path.display());
            Error::new(ErrorKind::Unavailable, message).with_source(error)
        })
    }

    /// Lets it take that place, and wipes the present one, as far as the disk writes where it is told to.
    pub(crate) fn replace(&self) -> Result<(), Error> {
        let replaced = || {
            let (file, unfinished) = (self.path.join(FILE), self.path.join(UNFINISHED));
            let mut old = File::options().write(true).open(&file)?;
            std::fs::rename(&unfinished, &file)?;
            sync(&self.path)?;
            let length = old.metadata()?.len();
            io::copy(&mut io::repeat(0).take(length), &mut old)?;
            old.sync_all()
        };
        replaced().map_err(|error: io::Error| self.not_made(error))
    }

    fn not_made(&self, error: io::Error) -> Error {
        let message = format!("no journal can be made in {}", self.path.display());
        Error::new(ErrorKind::Unavailable, message).with_source(error)
    }
}

/// Makes the folder and all above it that are missing; after a power cut they are still there.
fn make(folder: &Path) -> io::Result<()> {
    let missing = folder.ancestors().take_while(|above| !above.exists());
    let missing: Vec<&Path> = missing.collect();
    std::fs::create_dir_all(folder)?;
    for made in missing {
        match made.parent() {
            Some(above) if above.as_os_str().is_empty() => sync(Path::new("."))?,
            Some(above) => sync(above)?,
            None => {}
        }
    }
    Ok(())
}

/// The names in the folder are on the disk. Only Unix opens a folder to sync it.
fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn remove(file: &Path) -> io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn in_use(folder: &Path) -> Error {
    let message = format!(
        "the journal in {} is in use by another process: stop that one, or use another folder",
        folder.display()
    );
    Error::new(ErrorKind::InUse, message).with_page("journal-in-use")
}

/// What redb says when it does not open, in our words.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "redb's enum may grow; what is new to us is a disk that fails"
)]
pub(crate) fn not_opened(folder: &Path, error: DatabaseError) -> Error {
    let shown = folder.display();
    let (kind, page, message) = match &error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            return in_use(folder).with_source(error);
        }
        DatabaseError::UpgradeRequired(version) => (
            ErrorKind::Misconfigured,
            "journal-damaged",
            format!("the journal in {shown} has the old file format {version}"),
        ),
        DatabaseError::Storage(StorageError::Corrupted(what)) => (
            ErrorKind::Unreadable,
            "journal-damaged",
            format!("the journal in {shown} is damaged: {what}"),
        ),
        _ => (
            ErrorKind::Unavailable,
            "journal-not-opened",
            format!("the journal in {shown} cannot be opened: {error}"),
        ),
    };
    Error::new(kind, message).with_page(page).with_source(error)
}
