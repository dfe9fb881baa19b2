//! What a customer is worth, and how sure that figure is.

pub mod simple;
pub mod wilson;

pub use simple::Simple;
pub use wilson::Interval;
