//! What a customer is worth, and how sure that figure is.
//!
//! Pure mathematics without I/O, clock or randomness: the same input gives the same bits on every machine, for any
//! split of the customers over partitions and any number of threads. The way of a figure:
//!
//! ```text
//! purchases ── rfm ──> Cell (first day, last day, x) ── counted ──> Histogram ── as_of ──> Sample
//!                │                                                                          │ fit
//!                └──> (x, repeat spend) ──> SpendTable ── fit ──> SpendModel                v
//!                                                            │                bg_nbd::Model + errors
//!                                                            └─> value <── Terms ── P(alive), purchases
//! ```
//!
//! - [`bg_nbd`]: how often, and whether still (BG/NBD and MBG/NBD); [`gamma_gamma`]: how much; [`sbg`]: contracts;
//!   [`simple`]: a value without a model.
//! - [`holdout`], [`calibration`], [`quality`]: how far to trust a fit. [`wilson`]: how far to trust a share.
//! - [`Refusal`]: why a figure does not exist. A number is never put in its place.

mod linalg;
mod newton;
mod special;

pub mod bg_nbd;
pub mod calibration;
pub mod discount;
pub mod gamma_gamma;
pub mod histogram;
pub mod holdout;
pub mod quality;
pub mod recency;
pub mod refusal;
pub mod rfm;
pub mod sample;
pub mod sbg;
pub mod scorer;
pub mod simple;
pub mod simulate;
pub mod stats;
pub mod wilson;

pub use discount::{Terms, Valuer};
pub use histogram::Histogram;
pub use recency::{Cell, Recency, Unit};
pub use refusal::{BadRow, MINIMUM_REPEATERS, Refusal};
pub use rfm::PurchaseDays;
pub use sample::Sample;
pub use scorer::Scorer;
pub use simple::Simple;
pub use simulate::Simulator;
pub use wilson::Interval;
