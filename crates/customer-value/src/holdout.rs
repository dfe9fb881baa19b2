//! How wrong the model was when it could be checked: fitted on the past, compared with what came after.
//!
//! Every fit publishes this report. The comparison that counts is not with zero error but with the naive forecast
//! "everybody goes on at the same rate": a model that loses to it is never used for value.

mod tables;

pub(crate) use tables::LAST_CLASS;
pub use tables::{Decile, FrequencyRow, Week};

use std::collections::BTreeMap;

use crate::bg_nbd::{Fit, GivenAlive, Model};
use crate::gamma_gamma::SpendModel;
use crate::recency::{Cell, Recency, Unit};
use crate::special::real;
use crate::stats::spearman;
use crate::{BadRow, quality};

/// A customer as known at `as_of`, and what happened after.
#[derive(Debug, Clone, PartialEq)]
pub struct Followed {
    /// The history up to `as_of`.
    pub cell: Cell,
    /// What the repeat days up to `as_of` came to, in major units.
    pub repeat_spend: f64,
    /// The purchase days after `as_of` within the horizon, with what each came to in major units.
    pub later: Vec<(i32, f64)>,
}

/// The period that a model is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon {
    /// The last day that the model knew.
    pub as_of: i32,
    /// How many weeks of seven days follow.
    pub weeks: u32,
    /// The unit of the model's parameters.
    pub unit: Unit,
}

impl Horizon {
    fn length(self) -> f64 {
        self.unit.from_days(7.0 * f64::from(self.weeks))
    }
}

/// The figures of a holdout. Counts are purchase days.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// How many customers were followed.
    pub customers: u64,
    /// Expected in all.
    pub predicted: f64,
    /// Happened in all.
    pub actual: u64,
    /// `predicted/actual - 1`; absent when nothing happened.
    pub bias: Option<f64>,
    /// The standard error of `predicted` from the uncertainty of the parameters alone.
    pub predicted_error: f64,
    /// Mean absolute error per customer.
    pub mae: f64,
    /// Root mean square error per customer.
    pub rmse: f64,
    /// Rank correlation of expected and actual.
    pub spearman: Option<f64>,
    /// Mean absolute error of the weekly cumulative curve relative to the actual one; absent when a week has none.
    pub tracking_error: Option<f64>,
    /// Mean absolute error of "the same rate goes on", x/T for ever.
    pub naive_mae: f64,
    /// What "the same rate goes on" expects in all.
    pub naive_total: f64,
    /// Expected spend in major units; absent without a spend model.
    pub predicted_spend: Option<f64>,
    /// Actual spend in major units.
    pub actual_spend: f64,
    /// Brier score of P(buy within the horizon): mean squared error of the probability.
    pub brier: f64,
    /// The Brier score of giving everybody the share that bought.
    pub brier_base_rate: f64,
    /// Mean P(alive) at `as_of`.
    pub mean_p_alive: f64,
    /// Cumulative expected and actual purchases after each week.
    pub weekly: Vec<Week>,
    /// By purchases known at `as_of`: 0 to 6, and 7 or more.
    pub by_frequency: Vec<FrequencyRow>,
    /// Tenths of the customers, from the best expected to the worst.
    pub by_decile: Vec<Decile>,
    /// Tenths by P(buy), where `predicted` is the mean probability and `actual` the share that bought.
    pub p_buy_by_decile: Vec<Decile>,
}

/// What was expected of one customer, and what came.
struct Outcome {
    x: u32,
    predicted: f64,
    p_buy: f64,
    actual: u32,
}

/// A model with the expectations of customers alike kept.
struct Forecast<'a> {
    model: &'a Model,
    given_alive: BTreeMap<u32, GivenAlive>,
}

impl<'a> Forecast<'a> {
    fn new(model: &'a Model) -> Self {
        Self {
            model,
            given_alive: BTreeMap::new(),
        }
    }

    fn purchases(&mut self, seen: &Recency, horizon: f64) -> f64 {
        let given = self
            .given_alive
            .entry(seen.x())
            .or_insert_with(|| self.model.given_alive(seen.x()));
        self.model.p_alive(seen) * given.purchases(seen.t(), horizon)
    }
}

/// Compares `fit` with what `customers` did in the horizon. `customers` are in the order that breaks ties
/// between equal expectations: by id.
pub fn report(
    fit: &Fit,
    spend: Option<&SpendModel>,
    customers: &[Followed],
    horizon: Horizon,
) -> Result<Report, BadRow> {
    let alike = count_alike(customers, horizon)?;
    let outcomes = outcomes(fit, customers, horizon)?;
    let weekly = tables::weekly(fit, &alike, customers, horizon);
    let n = real(u64::try_from(outcomes.len()).unwrap_or(u64::MAX)).max(1.0);
    let mean = |figure: &dyn Fn(&Outcome) -> f64| outcomes.iter().map(figure).sum::<f64>() / n;
    let actual: u64 = outcomes.iter().map(|o| u64::from(o.actual)).sum();
    let predicted: f64 = outcomes.iter().map(|o| o.predicted).sum();
    let bought = |o: &Outcome| if o.actual > 0 { 1.0 } else { 0.0 };
    let share = mean(&bought);
    let naive = naive(&alike, customers, horizon)?;
    let (of_predicted, of_actual): (Vec<f64>, Vec<f64>) = outcomes
        .iter()
        .map(|o| (o.predicted, f64::from(o.actual)))
        .unzip();
    Ok(Report {
        customers: u64::try_from(outcomes.len()).unwrap_or(u64::MAX),
        predicted,
        actual,
        bias: (actual > 0).then(|| predicted / real(actual) - 1.0),
        predicted_error: fit.standard_error_of(|model| total(model, &alike, horizon.length())),
        mae: mean(&|o| (o.predicted - f64::from(o.actual)).abs()),
        rmse: mean(&|o| (o.predicted - f64::from(o.actual)).powi(2)).sqrt(),
        spearman: spearman(&of_predicted, &of_actual),
        tracking_error: tables::tracking_error(&weekly),
        naive_mae: naive.0 / n,
        naive_total: naive.1,
        predicted_spend: spend.map(|spend| predicted_spend(spend, customers, &outcomes)),
        actual_spend: customers
            .iter()
            .flat_map(|c| &c.later)
            .map(|(_, spend)| spend)
            .sum(),
        brier: mean(&|o| (o.p_buy - bought(o)).powi(2)),
        brier_base_rate: share * (1.0 - share),
        mean_p_alive: alike
            .iter()
            .map(|(seen, count)| fit.model.p_alive(seen) * count)
            .sum::<f64>()
            / n,
        weekly,
        by_frequency: tables::by_frequency(&outcomes),
        by_decile: tables::by_decile(&outcomes),
        p_buy_by_decile: tables::p_buy_by_decile(&outcomes),
    })
}

impl Report {
    /// Whether "the same rate goes on" was closer to the truth, customer by customer.
    pub fn is_worse_than_naive(&self) -> bool {
        self.mae > self.naive_mae
    }

    /// Whether the total was wrong by more than [`quality::LARGEST_BIAS`].
    pub fn is_biased(&self) -> bool {
        self.bias
            .is_none_or(|bias| bias.abs() > quality::LARGEST_BIAS)
    }
}

/// Customers that the model cannot tell apart, with their number.
fn count_alike(customers: &[Followed], horizon: Horizon) -> Result<Vec<(Recency, f64)>, BadRow> {
    let histogram: crate::Histogram = customers.iter().map(|c| c.cell).collect();
    histogram
        .iter()
        .map(|(cell, count)| Ok((cell.seen(horizon.as_of, horizon.unit)?, real(count))))
        .collect()
}

fn outcomes(fit: &Fit, customers: &[Followed], horizon: Horizon) -> Result<Vec<Outcome>, BadRow> {
    let mut forecast = Forecast::new(&fit.model);
    let length = horizon.length();
    customers
        .iter()
        .map(|customer| {
            let seen = customer.cell.seen(horizon.as_of, horizon.unit)?;
            Ok(Outcome {
                x: seen.x(),
                predicted: forecast.purchases(&seen, length),
                p_buy: fit.model.p_buy_within(&seen, length),
                actual: u32::try_from(customer.later.len()).unwrap_or(u32::MAX),
            })
        })
        .collect()
}

fn total(model: &Model, alike: &[(Recency, f64)], horizon: f64) -> f64 {
    let mut forecast = Forecast::new(model);
    alike
        .iter()
        .map(|(seen, count)| count * forecast.purchases(seen, horizon))
        .sum()
}

/// The summed absolute error and the total of x/T going on. A customer of age 0 has no rate yet: 0.
fn naive(
    alike: &[(Recency, f64)],
    customers: &[Followed],
    horizon: Horizon,
) -> Result<(f64, f64), BadRow> {
    let rate = |seen: &Recency| {
        if seen.t() > 0.0 {
            f64::from(seen.x()) / seen.t()
        } else {
            0.0
        }
    };
    let length = horizon.length();
    let mut error = 0.0;
    for customer in customers {
        let seen = customer.cell.seen(horizon.as_of, horizon.unit)?;
        let actual = f64::from(u32::try_from(customer.later.len()).unwrap_or(u32::MAX));
        error += (rate(&seen) * length - actual).abs();
    }
    let total = alike
        .iter()
        .map(|(seen, count)| count * rate(seen) * length)
        .sum();
    Ok((error, total))
}

fn predicted_spend(spend: &SpendModel, customers: &[Followed], outcomes: &[Outcome]) -> f64 {
    customers
        .iter()
        .zip(outcomes)
        .map(|(customer, outcome)| {
            outcome.predicted * spend.expected_spend(outcome.x, customer.repeat_spend)
        })
        .sum()
}
