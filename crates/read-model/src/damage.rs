//! The first reason not to trust the store any more; from then on nothing else is answered.

use std::any::Any;
use std::sync::OnceLock;

use crate::Error;

/// Set once, by whoever notices first.
#[derive(Debug, Default)]
pub(crate) struct Damage(OnceLock<String>);

impl Damage {
    pub(crate) fn reason(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        self.reason()
            .map_or(Ok(()), |reason| Err(Error::damaged(reason)))
    }

    /// Remembers the reason, logs it the first time, and gives it back as an error.
    pub(crate) fn note(&self, reason: String) -> Error {
        let error = Error::damaged(reason.clone());
        if self.0.set(reason).is_ok() {
            tracing::warn!(%error, "read model can no longer be trusted; it must be opened again");
        }
        error
    }
}

/// What a caught panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}
