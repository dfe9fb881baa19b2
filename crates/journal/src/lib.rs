//! The port to a conditional journal: the promise a log keeps, and the acceptance rule.
