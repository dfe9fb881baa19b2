//! Why a log cannot do what it is asked to.

use std::fmt::Display;

/// What kind of fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The log is away; it may come back.
    Unavailable,
    /// History is missing.
    Gap,
    /// Another process has it.
    InUse,
    /// It is set up in a way that would lose or change history.
    Misconfigured,
    /// It is another log than the one that is expected.
    Foreign,
    /// What is in it cannot be read.
    Unreadable,
    /// A name or number is out of bounds.
    Invalid,
    /// Anything else.
    Internal,
}

/// Why a log cannot do what it is asked to, as a sentence for the operator.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A fault of this kind; `message` says what to do.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// The same with what lies behind it. Drivers' types do not show.
    #[must_use]
    pub fn because(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// A fault that is none of the operator's.
    pub fn internal(topic: &str, what: impl Display) -> Self {
        Self::new(ErrorKind::Internal, format!("{topic}: {what}"))
    }

    /// What kind of fault it is.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same may work a moment later.
    pub const fn is_retryable(&self) -> bool {
        matches!(self.kind, ErrorKind::Unavailable)
    }
}
