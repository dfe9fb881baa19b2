//! What can go wrong with a log, told without the driver's types.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::{MAX_RECORD_BYTES, Offset, Partition};

/// A fault of a log: its kind, a text that stands alone, and where an operator reads on.
#[derive(Debug, Clone)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    page: Option<&'static str>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// Kinds of faults, told apart by what can be done about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The log cannot be reached or asked now; the same question may be answered later.
    Unavailable,
    /// A record in the middle is missing: history was deleted.
    Gap,
    /// The log ends before a place that was read or named: history was cut off.
    Truncated,
    /// Somebody else has the log open and it serves one only.
    InUse,
    /// The log or what was asked of it is set up in a way that cannot work.
    Misconfigured,
    /// The log, or a record in it, belongs to another journal.
    Foreign,
    /// Bytes that should be readable are not: damaged, or written by a newer release.
    Unreadable,
    /// A fault of this program.
    Internal,
}

impl Error {
    /// A fault of `kind`; `message` is a sentence that stands alone, without a full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            page: None,
            source: None,
        }
    }

    /// Names the page of `docs/errors/`, without its ending, that tells an operator what to do.
    #[must_use]
    pub fn with_page(mut self, page: &'static str) -> Self {
        self.page = Some(page);
        self
    }

    /// Keeps what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// There is no such partition.
    pub fn no_partition(topic: &str, partition: Partition) -> Self {
        Self::new(
            ErrorKind::Misconfigured,
            format!("the topic {topic} has no partition {partition}"),
        )
    }

    /// The log ends at `end`, before the place `from` that somebody has read up to.
    pub fn beyond_end(topic: &str, partition: Partition, from: Offset, end: Offset) -> Self {
        Self::new(
            ErrorKind::Truncated,
            format!(
                "partition {partition} of {topic} ends at offset {end}, but it was read up to {from}: \
                 its last records are gone"
            ),
        )
        .with_page("journal-truncated")
    }

    /// After the record before `expected` the log handed out the one at `found`.
    pub fn gap(topic: &str, partition: Partition, expected: Offset, found: Offset) -> Self {
        Self::new(
            ErrorKind::Gap,
            format!(
                "partition {partition} of {topic} goes on at offset {found} instead of {expected}: \
                 history was deleted"
            ),
        )
        .with_page("journal-gap")
    }

    /// A record of `bytes` bytes is larger than any log takes.
    pub fn too_large(bytes: usize) -> Self {
        Self::new(
            ErrorKind::Misconfigured,
            format!("a record of {bytes} bytes is larger than the {MAX_RECORD_BYTES} a log takes"),
        )
    }

    /// What kind it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The text alone, without the hint at a page.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The page of `docs/errors/` for it, without its ending.
    pub fn page(&self) -> Option<&'static str> {
        self.page
    }

    /// Whether the same question may be answered when it is asked again.
    pub fn is_retryable(&self) -> bool {
        self.kind.is_retryable()
    }
}

impl ErrorKind {
    /// Whether the same question may be answered when it is asked again.
    pub fn is_retryable(self) -> bool {
        match self {
            Self::Unavailable => true,
            Self::Gap
            | Self::Truncated
            | Self::InUse
            | Self::Misconfigured
            | Self::Foreign
            | Self::Unreadable
            | Self::Internal => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.page {
            Some(page) => write!(f, " (see docs/errors/{page}.md)"),
            None => Ok(()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::{Error, ErrorKind};

    #[test]
    fn it_names_the_page_and_keeps_the_cause() {
        let error = Error::new(ErrorKind::InUse, "the folder is taken")
            .with_page("journal-in-use")
            .with_source(std::io::Error::other("locked"));
        assert_eq!(
            error.to_string(),
            "the folder is taken (see docs/errors/journal-in-use.md)"
        );
        assert_eq!(error.source().unwrap().to_string(), "locked");
    }

    #[test]
    fn only_an_unavailable_log_is_asked_again() {
        assert!(Error::new(ErrorKind::Unavailable, "").is_retryable());
        assert!(!Error::new(ErrorKind::Truncated, "").is_retryable());
    }
}
