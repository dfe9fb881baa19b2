//! Which touches earn the credit for a conversion.
