//! The tables of a holdout report: by week, by frequency, by tenth.

use super::{Fit, Followed, Forecast, Horizon, Outcome, Recency};
use crate::special::real;

/// Cumulative purchases after a week.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Week {
    /// Expected.
    pub predicted: f64,
    /// Happened.
    pub actual: u64,
}

/// Customers with the same number of repeat purchases at `as_of`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrequencyRow {
    /// The number, or the lowest one of the last class.
    pub x: u32,
    /// How many customers.
    pub customers: u64,
    /// Mean expected purchases.
    pub predicted_mean: f64,
    /// Mean actual purchases.
    pub actual_mean: f64,
}

/// A tenth of the customers, best first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decile {
    /// How many customers.
    pub customers: u64,
    /// Expected: a sum of purchases, or a mean probability.
    pub predicted: f64,
    /// Happened: a sum of purchases, or the share that bought.
    pub actual: f64,
}

/// Customers with this many repeat purchases or more are one class.
pub(crate) const LAST_CLASS: u32 = 7;

pub(super) fn weekly(
    fit: &Fit,
    alike: &[(Recency, f64)],
    customers: &[Followed],
    horizon: Horizon,
) -> Vec<Week> {
    let mut forecast = Forecast::new(&fit.model);
    let mut days: Vec<i32> = customers
        .iter()
        .flat_map(|customer| customer.later.iter().map(|(day, _)| *day))
        .collect();
    days.sort_unstable();
    (1..=horizon.weeks)
        .map(|week| {
            let until = horizon.unit.from_days(7.0 * f64::from(week));
            let last = i64::from(horizon.as_of) + 7 * i64::from(week);
            let actual = days.partition_point(|day| i64::from(*day) <= last);
            Week {
                predicted: alike
                    .iter()
                    .map(|(seen, count)| count * forecast.purchases(seen, until))
                    .sum(),
                actual: u64::try_from(actual).unwrap_or(u64::MAX),
            }
        })
        .collect()
}

pub(super) fn tracking_error(weekly: &[Week]) -> Option<f64> {
    let errors: Option<Vec<f64>> = weekly
        .iter()
        .map(|week| {
            let actual = real(week.actual);
            (week.actual > 0).then(|| (week.predicted - actual).abs() / actual)
        })
        .collect();
    crate::stats::mean(&errors?)
}

pub(super) fn by_frequency(outcomes: &[Outcome]) -> Vec<FrequencyRow> {
    (0..=LAST_CLASS)
        .filter_map(|x| {
            let own = || outcomes.iter().filter(|o| o.x.min(LAST_CLASS) == x);
            let customers = u64::try_from(own().count()).unwrap_or(u64::MAX);
            (customers > 0).then(|| FrequencyRow {
                x,
                customers,
                predicted_mean: own().map(|o| o.predicted).sum::<f64>() / real(customers),
                actual_mean: own().map(|o| f64::from(o.actual)).sum::<f64>() / real(customers),
            })
        })
        .collect()
}

pub(super) fn by_decile(outcomes: &[Outcome]) -> Vec<Decile> {
    tenths(
        outcomes,
        |o| o.predicted,
        |tenth| Decile {
            customers: size(tenth),
            predicted: tenth.iter().map(|o| o.predicted).sum(),
            actual: tenth.iter().map(|o| f64::from(o.actual)).sum(),
        },
    )
}

pub(super) fn p_buy_by_decile(outcomes: &[Outcome]) -> Vec<Decile> {
    tenths(
        outcomes,
        |o| o.p_buy,
        |tenth| {
            let n = real(size(tenth));
            let bought = tenth.iter().filter(|o| o.actual > 0).map(|_| 1.0);
            Decile {
                customers: size(tenth),
                predicted: tenth.iter().map(|o| o.p_buy).sum::<f64>() / n,
                actual: bought.sum::<f64>() / n,
            }
        },
    )
}

fn size(tenth: &[&Outcome]) -> u64 {
    u64::try_from(tenth.len()).unwrap_or(u64::MAX)
}

/// Tenth i holds the places floor((i-1)N/10) to floor(iN/10) - 1 in descending order, ties as they came.
fn tenths(
    outcomes: &[Outcome],
    key: impl Fn(&Outcome) -> f64,
    row: impl Fn(&[&Outcome]) -> Decile,
) -> Vec<Decile> {
    let mut order: Vec<&Outcome> = outcomes.iter().collect();
    order.sort_by(|a, b| key(b).total_cmp(&key(a)));
    let n = order.len();
    (0..10)
        .filter_map(|i| order.get(i * n / 10..(i + 1) * n / 10))
        .filter(|tenth| !tenth.is_empty())
        .map(row)
        .collect()
}
