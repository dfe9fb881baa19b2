//! The acquisition service: creates customers.
