//! A part of a message that cannot be read, whether a client sent it or the journal holds it.

use tonic::Status;

use crate::status::field_violation;

/// A field that cannot be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The field's path.
    pub field: String,
    /// What it should be.
    pub what: String,
}

impl Wrong {
    /// `field` is wrong: `what`.
    pub fn new(field: &str, what: impl std::fmt::Display) -> Self {
        Self {
            field: field.to_owned(),
            what: what.to_string(),
        }
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.what)
    }
}

impl From<Wrong> for Status {
    fn from(wrong: Wrong) -> Self {
        field_violation(&wrong.field, "INVALID_FIELD", &wrong.what)
    }
}

impl From<Wrong> for runtime::ApplyError {
    fn from(wrong: Wrong) -> Self {
        Self::Unreadable(wrong.to_string())
    }
}

/// Reads a text of some form, or says that `field` has another.
pub fn parse<T>(field: &str, text: &str) -> Result<T, Wrong>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error| Wrong::new(field, error))
}

/// Reads a text of some form that may be left out.
pub fn parse_optional<T>(field: &str, text: &str) -> Result<Option<T>, Wrong>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    if text.is_empty() {
        Ok(None)
    } else {
        parse(field, text).map(Some)
    }
}

/// What must be there.
pub fn present<T>(field: &str, value: Option<T>) -> Result<T, Wrong> {
    value.ok_or_else(|| Wrong::new(field, "is required"))
}

/// Pairs the variants of a domain enum with those of the contract's, in both directions.
///
/// Both directions are exhaustive on the domain's side, so a new variant does not compile until it has
/// its pair; a number that is in no pair is `None`.
#[macro_export]
macro_rules! pairs {
    ($out:ident, $read:ident: $ours:ty = $theirs:ty { $($a:ident = $b:ident),* $(,)? }) => {
        pub(crate) const fn $out(ours: $ours) -> i32 {
            match ours {
                $(<$ours>::$a => <$theirs>::$b as i32,)*
            }
        }

        pub(crate) fn $read(field: &str, number: i32) -> Result<$ours, $crate::Wrong> {
            $(if number == <$theirs>::$b as i32 {
                return Ok(<$ours>::$a);
            })*
            Err($crate::Wrong::new(field, format!("{number} is no value of it that means anything here")))
        }
    };
}
