//! What a customer is worth, and how sure that figure is.

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
pub mod simple;
pub mod simulate;
pub mod stats;
pub mod wilson;

pub use discount::Terms;
pub use histogram::Histogram;
pub use recency::{Cell, Recency, Unit};
pub use refusal::{BadRow, MINIMUM_REPEATERS, Refusal};
pub use rfm::PurchaseDays;
pub use sample::Sample;
pub use simple::Simple;
pub use simulate::Simulator;
pub use wilson::Interval;
