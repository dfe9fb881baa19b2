//! Whether the fitted model would have produced the counts it was fitted on.

use crate::bg_nbd::{Fit, Model};
use crate::holdout::LAST_CLASS;
use crate::sample::Sample;

/// Customers with one number of repeat purchases: how many there are and how many the model expects.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Class {
    /// The number, or the lowest one of the last class (7 or more).
    pub x: u32,
    /// How many customers there are.
    pub observed: f64,
    /// How many the model expects, given each customer's age.
    pub expected: f64,
}

/// Observed and expected customers with 0 to 6, and with 7 or more repeat purchases.
pub fn by_frequency(fit: &Fit, sample: &Sample) -> Vec<Class> {
    let mut classes: Vec<Class> = (0..LAST_CLASS)
        .map(|x| Class {
            x,
            observed: observed(sample, |other| other == x),
            expected: expected(&fit.model, sample, x),
        })
        .collect();
    let below: f64 = classes.iter().map(|class| class.expected).sum();
    let all: f64 = sample.exposures.iter().map(|e| e.customers).sum();
    classes.push(Class {
        x: LAST_CLASS,
        observed: observed(sample, |other| other >= LAST_CLASS),
        expected: all - below,
    });
    classes
}

/// The chi-square distance of the classes: `Σ (observed - expected)²/expected`.
pub fn chi_square(classes: &[Class]) -> f64 {
    classes
        .iter()
        .map(|class| (class.observed - class.expected).powi(2) / class.expected)
        .sum()
}

fn observed(sample: &Sample, belongs: impl Fn(u32) -> bool) -> f64 {
    let own = sample.frequencies.iter().filter(|(x, _)| belongs(*x));
    own.map(|(_, customers)| customers).sum()
}

fn expected(model: &Model, sample: &Sample, x: u32) -> f64 {
    sample
        .exposures
        .iter()
        .filter_map(|e| Some(e.customers * model.p_frequency(x, *sample.times.get(e.t as usize)?)))
        .sum()
}
