//! A running pair, a clock that stands still, a history checker and its mutants.
