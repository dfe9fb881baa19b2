//! Maximum likelihood for the Gamma-Gamma model.
//!
//! With s the spend of x days and m = s/x,
//! `ℓ = lnΓ(px+q) - lnΓ(px) - lnΓ(q) + q ln v + px ln s - ln m - (px+q) ln(v+s)`.

use super::table::SpendTable;
use super::{SpendModel, SpendParameters};
use crate::linalg::inverse;
use crate::newton::{Evaluation, maximize, to_logarithms};
use crate::special::{LnSum, digamma_trigamma, real};
use crate::stats::{counted_pearson, counted_spearman};
use crate::{MINIMUM_REPEATERS, Refusal};

/// A fitted spend model and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpendFit {
    /// The model at its maximum likelihood.
    pub model: SpendModel,
    /// The standard error of each parameter, from the observed information.
    pub standard_errors: SpendParameters,
    /// The log-likelihood of the mean spends.
    pub log_likelihood: f64,
    /// `6 - 2 log_likelihood`.
    pub aic: f64,
    /// How many customers with positive repeat spend it rests on.
    pub customers: u64,
    /// Correlation of x and mean spend; absent when either is constant.
    pub pearson: Option<f64>,
    /// Rank correlation of x and mean spend. The model assumes 0; above 0.2 either way it is flagged.
    pub spearman: Option<f64>,
}

/// A parameter outside e^±12, relative to its scale, is a boundary.
const BOUNDARY: f64 = 12.0;
/// A parameter that may as well be 20 times larger or smaller (e^3) is not determined.
const UNDETERMINED: f64 = 3.0;

/// All customers of one x: the sums that need no parameters, and the spends that do.
struct Frequency {
    x: f64,
    customers: f64,
    sum_ln_spend: f64,
    /// (spend, count)
    spends: Vec<(f64, f64)>,
}

/// Fits the model.
///
/// Refused: [`Refusal::NotEnoughData`] below 50 customers with positive repeat spend,
/// [`Refusal::InfiniteMeanSpend`] for q <= 1, [`Refusal::AtBoundary`].
pub fn fit(table: &SpendTable) -> Result<SpendFit, Refusal> {
    let customers = table.customers();
    if customers < MINIMUM_REPEATERS {
        return Err(Refusal::NotEnoughData);
    }
    let frequencies = by_frequency(table);
    let (days, spend) = frequencies.iter().fold((0.0, 0.0), |(days, spend), f| {
        let own: f64 = f.spends.iter().map(|(spend, count)| spend * count).sum();
        (days + f.x * f.customers, spend + own)
    });
    // What the data alone contribute to the density of the mean spends: Σ ln m.
    let sum_ln_means: f64 = frequencies
        .iter()
        .map(|f| f.sum_ln_spend - f.customers * libm::log(f.x))
        .sum();
    // Two measures of the scale: the mean says nothing of it where the right tail is heavy, and the mean of the
    // logarithms nothing where the left one is.
    let scales = [libm::log(spend / days), sum_ln_means / real(customers)];
    let climb = |scale: f64| {
        let start = [libm::log(2.0), libm::log(3.0), scale];
        maximize(start, |log| {
            let parameters = log.map(libm::exp);
            to_logarithms(evaluate(&frequencies, &parameters), &parameters)
        })
    };
    let maximum = scales.into_iter().find_map(|scale| climb(scale).ok());
    let maximum = maximum.ok_or(Refusal::AtBoundary)?;
    let [p, q, v] = maximum.point.map(libm::exp);
    let covariance = inverse(&maximum.factor);
    let [error_p, error_q, error_v] = std::array::from_fn(|k| {
        let variance = covariance.get(k).and_then(|row| row.get(k));
        variance.map_or(f64::INFINITY, |variance| variance.sqrt())
    });
    let [at_p, at_q, at_v] = maximum.point;
    let nearest = scales.map(|scale| (at_v - scale).abs());
    let nearest = nearest.into_iter().fold(f64::INFINITY, f64::min);
    let outside = [at_p.abs(), at_q.abs(), nearest]
        .iter()
        .any(|distance| *distance > BOUNDARY);
    let undetermined = [error_p, error_q, error_v]
        .iter()
        .any(|e| *e > UNDETERMINED);
    if outside || undetermined {
        return Err(Refusal::AtBoundary);
    }
    let model = SpendModel::new(SpendParameters { p, q, v }).ok_or(Refusal::InfiniteMeanSpend)?;
    let (frequency, mean_spend, counts) = columns(table);
    let log_likelihood = maximum.value - sum_ln_means;
    Ok(SpendFit {
        model,
        standard_errors: SpendParameters {
            p: error_p * p,
            q: error_q * q,
            v: error_v * v,
        },
        log_likelihood,
        aic: 6.0 - 2.0 * log_likelihood,
        customers,
        pearson: counted_pearson(&frequency, &mean_spend, &counts),
        spearman: counted_spearman(&frequency, &mean_spend, &counts),
    })
}

fn by_frequency(table: &SpendTable) -> Vec<Frequency> {
    let rows: Vec<(u32, f64, u64)> = table.iter().collect();
    rows.chunk_by(|a, b| a.0 == b.0)
        .map(|alike| Frequency {
            x: alike.first().map_or(0.0, |(x, ..)| f64::from(*x)),
            customers: alike.iter().map(|(.., count)| real(*count)).sum(),
            sum_ln_spend: alike
                .iter()
                .fold(LnSum::default(), |mut sum, (_, spend, count)| {
                    sum.add(*spend, real(*count));
                    sum
                })
                .total(),
            spends: alike
                .iter()
                .map(|(_, spend, count)| (*spend, real(*count)))
                .collect(),
        })
        .collect()
}

fn evaluate(frequencies: &[Frequency], [p, q, v]: &[f64; 3]) -> Evaluation<3> {
    let (at_q, ln_gamma_q, ln_v) = (digamma_trigamma(*q), libm::lgamma(*q), libm::log(*v));
    let mut value = 0.0;
    let (mut by_p, mut by_q, mut by_v) = (0.0, 0.0, 0.0);
    let (mut pp, mut pq, mut pv, mut qq, mut qv, mut vv) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    for Frequency {
        x,
        customers: n,
        sum_ln_spend,
        spends,
    } in frequencies
    {
        let (shape, power) = (p * x, p * x + q);
        let (at_shape, at_power) = (digamma_trigamma(shape), digamma_trigamma(power));
        let (mut ln, mut inverse, mut square) = (LnSum::default(), 0.0, 0.0);
        for (spend, count) in spends {
            let one = 1.0 / (v + spend);
            ln.add(v + spend, *count);
            inverse += count * one;
            square += count * one * one;
        }
        let ln = ln.total();
        let ln_gammas = libm::lgamma(power) - libm::lgamma(shape) - ln_gamma_q;
        value += n * (ln_gammas + q * ln_v) + shape * sum_ln_spend - power * ln;
        by_p += x * (n * (at_power.0 - at_shape.0) + sum_ln_spend - ln);
        by_q += n * (at_power.0 - at_q.0 + ln_v) - ln;
        by_v += n * q / v - power * inverse;
        pp += n * x * x * (at_power.1 - at_shape.1);
        pq += n * x * at_power.1;
        pv -= x * inverse;
        qq += n * (at_power.1 - at_q.1);
        qv += n / v - inverse;
        vv += power * square - n * q / (v * v);
    }
    Evaluation {
        value,
        gradient: [by_p, by_q, by_v],
        hessian: [[pp, pq, pv], [pq, qq, qv], [pv, qv, vv]],
    }
}

/// x, mean spend and number of customers. Dividing whole minor units, mean spends that are equal are equal to the
/// last bit, as ranks need them.
fn columns(table: &SpendTable) -> (Vec<f64>, Vec<f64>, Vec<u64>) {
    let rows = table.in_minor_units();
    rows.map(|(x, minor, count)| (f64::from(x), minor / f64::from(x), count))
        .collect()
}
