//! Maximum likelihood for BG/NBD and MBG/NBD, or the reason why there is none.

use super::likelihood::evaluate;
use super::{Model, Parameters, Variant};
use crate::linalg::{Matrix, form, inverse};
use crate::newton::{Maximum, maximize, to_logarithms};
use crate::sample::Sample;
use crate::special::real;
use crate::{MINIMUM_REPEATERS, Refusal};

/// A fitted model and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// The model at its maximum likelihood.
    pub model: Model,
    /// The standard error of each parameter, from the observed information.
    pub standard_errors: Parameters,
    /// Without the terms that do not depend on parameters.
    pub log_likelihood: f64,
    /// `8 - 2 log_likelihood`: the model with the lower one is preferred.
    pub aic: f64,
    /// How many customers it rests on.
    pub customers: u64,
    /// How many of them came back.
    pub repeaters: u64,
    /// The sum of x.
    pub repeat_purchases: u64,
    covariance: Matrix<4>,
}

/// A parameter outside this range is a boundary for all purposes: e^±12 is 6e-6 and 163,000. For alpha,
/// which has a unit, relative to the mean time of observation.
const BOUNDARY: f64 = 12.0;
/// A parameter that may as well be 20 times larger or smaller (e^3) is not determined. Fifty repeat buyers of a
/// real shop stay below 2.2; customers without differences that look fitted by chance are above 4.
const UNDETERMINED: f64 = 3.0;

/// Fits one model. Uses up to `threads` threads; the result has the same bits for any number of them.
pub fn fit(sample: &Sample, variant: Variant, threads: usize) -> Result<Fit, Refusal> {
    check(sample)?;
    // One purchase rate for all to begin with, and dropouts as most shops have them.
    let rate = real(sample.repeat_purchases()) / sample.exposure().max(f64::MIN_POSITIVE);
    let starts = [(0.5, 0.8, 2.5), (1.0, 0.2, 1.0), (0.1, 1.0, 1.0)];
    let mut outcome = Err(Refusal::AtBoundary);
    for (r, a, b) in starts {
        outcome = climb(sample, variant, [r, 2.0 * r / rate, a, b], threads);
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

/// Fits from a start of your own, only from there: to see that the optimum does not depend on it.
pub fn fit_from(
    sample: &Sample,
    variant: Variant,
    start: Parameters,
    threads: usize,
) -> Result<Fit, Refusal> {
    check(sample)?;
    if !start.are_positive() {
        return Err(Refusal::AtBoundary);
    }
    climb(sample, variant, start.to_array(), threads)
}

/// Fits both models and takes the one with the lower AIC; one is enough if the other is refused.
pub fn fit_best(sample: &Sample, threads: usize) -> Result<Fit, Refusal> {
    let (bg, mbg) = (
        fit(sample, Variant::BgNbd, threads),
        fit(sample, Variant::MbgNbd, threads),
    );
    match (bg, mbg) {
        (Ok(bg), Ok(mbg)) => Ok(if mbg.aic < bg.aic { mbg } else { bg }),
        (Ok(fit), Err(_)) | (Err(_), Ok(fit)) => Ok(fit),
        (Err(refusal), Err(_)) => Err(refusal),
    }
}

fn check(sample: &Sample) -> Result<(), Refusal> {
    if sample.repeaters() == 0 && sample.customers() > 0 {
        return Err(Refusal::NoRepeatPurchases);
    }
    if sample.repeaters() < MINIMUM_REPEATERS {
        return Err(Refusal::NotEnoughData);
    }
    if sample.cells.len() == 1 {
        return Err(Refusal::NoVariation);
    }
    Ok(())
}

fn climb(
    sample: &Sample,
    variant: Variant,
    start: [f64; 4],
    threads: usize,
) -> Result<Fit, Refusal> {
    let maximum = maximize(start.map(libm::log), |log| {
        let parameters = log.map(libm::exp);
        to_logarithms(evaluate(sample, variant, &parameters, threads), &parameters)
    })
    .map_err(|_| Refusal::AtBoundary)?;
    report(sample, variant, &maximum)
}

fn report(sample: &Sample, variant: Variant, maximum: &Maximum<4>) -> Result<Fit, Refusal> {
    let parameters = Parameters::from_array(maximum.point.map(libm::exp));
    let covariance = inverse(&maximum.factor);
    let [r, alpha, a, b] = std::array::from_fn(|k| {
        covariance
            .get(k)
            .and_then(|row| row.get(k))
            .map_or(f64::INFINITY, |variance| variance.sqrt())
    });
    let undetermined = [r, alpha, a, b].iter().any(|error| *error > UNDETERMINED);
    let mean_age = sample.exposure() / real(sample.customers());
    let [at_r, at_alpha, at_a, at_b] = maximum.point;
    let outside = [at_r, at_alpha - libm::log(mean_age), at_a, at_b]
        .iter()
        .any(|log| log.abs() > BOUNDARY);
    let model = Model::new(variant, parameters)
        .filter(|_| !undetermined && !outside)
        .ok_or(Refusal::AtBoundary)?;
    Ok(Fit {
        model,
        standard_errors: Parameters {
            r: r * parameters.r,
            alpha: alpha * parameters.alpha,
            a: a * parameters.a,
            b: b * parameters.b,
        },
        log_likelihood: maximum.value,
        aic: 8.0 - 2.0 * maximum.value,
        customers: sample.customers(),
        repeaters: sample.repeaters(),
        repeat_purchases: sample.repeat_purchases(),
        covariance,
    })
}

impl Fit {
    /// The standard error of any figure that depends on the parameters, by the delta method; the slopes
    /// are central differences in the logarithm of each parameter.
    pub fn standard_error_of(&self, figure: impl Fn(&Model) -> f64) -> f64 {
        const STEP: f64 = 1e-4;
        let point = self.model.parameters.to_array();
        let at = |k: usize, shift: f64| {
            let moved = std::array::from_fn(|i| {
                let p = point.get(i).copied().unwrap_or(f64::NAN);
                if i == k { p * libm::exp(shift) } else { p }
            });
            figure(&Model {
                variant: self.model.variant,
                parameters: Parameters::from_array(moved),
            })
        };
        let slopes: [f64; 4] = std::array::from_fn(|k| (at(k, STEP) - at(k, -STEP)) / (2.0 * STEP));
        form(&slopes, &self.covariance, &slopes).sqrt()
    }

    /// The largest standard error relative to its parameter.
    pub fn largest_relative_error(&self) -> f64 {
        let (errors, values) = (
            self.standard_errors.to_array(),
            self.model.parameters.to_array(),
        );
        errors
            .iter()
            .zip(values)
            .fold(0.0, |largest, (error, value)| largest.max(error / value))
    }
}
