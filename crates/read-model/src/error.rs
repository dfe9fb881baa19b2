//! What can go wrong with a read model, and what its owner should do about it.

use std::path::PathBuf;

/// A failure of the store. Drivers' types do not show through.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process (or another store in this one) has the folder open.
    #[error(
        "the read model in {} is in use by another process; give this instance a folder of its own",
        folder.display()
    )]
    InUse {
        /// The folder asked for.
        folder: PathBuf,
    },
    /// The folder holds the read model of another service, which must not be overwritten.
    #[error(
        "the read model in {} belongs to the service {found}; give this service a folder of its own",
        folder.display()
    )]
    OtherService {
        /// The folder asked for.
        folder: PathBuf,
        /// The name of the service that owns it.
        found: String,
    },
    /// The file system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb that the path follows.
        doing: &'static str,
        /// The file or folder it was tried on.
        path: PathBuf,
        /// The reason of the operating system.
        source: std::io::Error,
    },
    /// What is stored cannot be trusted any more. The store answers nothing but this from now on:
    /// drop it, open it again (which verifies, and moves the folder aside) and rebuild from the log.
    #[error("the read model is damaged: {reason}")]
    Damaged {
        /// What was noticed.
        reason: String,
    },
    /// A transaction was begun before another one was committed: there must be one writer.
    #[error("a read model has one writer: this transaction began before another was committed")]
    Stale,
    /// A stored row cannot be read as its table says, or a value cannot be written.
    #[error("table {table}: {reason}")]
    Codec {
        /// The name of the table.
        table: &'static str,
        /// What the codec said.
        reason: String,
    },
}

impl Error {
    /// Whether the store must be opened again and rebuilt.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Codec { .. })
    }

    /// Whether the same call may succeed later, with nothing else changed than the world outside.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::InUse { .. } | Self::Io { .. } | Self::Stale)
    }

    pub(crate) fn damaged(reason: impl Into<String>) -> Self {
        Self::Damaged {
            reason: reason.into(),
        }
    }

    pub(crate) fn io<'a>(
        doing: &'static str,
        path: &'a std::path::Path,
    ) -> impl FnOnce(std::io::Error) -> Self + use<'a> {
        move |source| Self::Io {
            doing,
            path: path.to_path_buf(),
            source,
        }
    }
}
