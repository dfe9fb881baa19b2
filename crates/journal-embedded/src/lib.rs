//! A log in one file for one machine: redb behind the journal port.
