//! What kind of data is in a box: a name cannot be passed off as an address.

/// A kind of personal data. Each box is bound to its kind, so that it may travel into another event as the
/// same thing, and as nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// What people call somebody.
    Name,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// The id in another system.
    ExternalId,
    /// A mark of a device.
    Cookie,
    /// Somebody's words.
    Note,
    /// What shows that a promise was kept or broken.
    Evidence,
}

impl Field {
    /// Its name, which stands in what a box is bound to: it never changes.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Name => "display_name",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::ExternalId => "external_id",
            Self::Cookie => "cookie",
            Self::Note => "note",
            Self::Evidence => "evidence",
        }
    }
}
