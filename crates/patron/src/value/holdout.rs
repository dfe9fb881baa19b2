//! The check of a fit: what a fit of some weeks ago says about the weeks since.

use customer_value::bg_nbd::{self, Variant};
use customer_value::gamma_gamma::{self, SpendTable};
use customer_value::holdout::{Decile, Followed, Horizon, Report, report};
use customer_value::{Histogram, Sample, Unit};
use money::Money;
use serde::Serialize;

use super::customers::Customers;
use super::facts::known;
use super::text;

/// A holdout report with the names that programs read.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Holdout {
    pub(super) as_of: String,
    pub(super) weeks: u32,
    n: u64,
    pub(super) predicted: f64,
    pub(super) actual: u64,
    pub(super) bias: Option<f64>,
    predicted_error: f64,
    pub(super) mae: f64,
    rmse: f64,
    spearman: Option<f64>,
    tracking_error: Option<f64>,
    pub(super) naive_mae: f64,
    naive_total: f64,
    predicted_spend: Option<f64>,
    pub(super) actual_spend: Option<f64>,
    brier: f64,
    brier_base_rate: f64,
    mean_p_alive: f64,
    weekly: Vec<WeekRow>,
    by_frequency: Vec<FrequencyRow>,
    by_decile: Vec<DecileRow>,
    p_buy_by_decile: Vec<DecileRow>,
}

#[derive(Debug, Clone, Serialize)]
struct WeekRow {
    week: usize,
    predicted_cumulative: f64,
    actual_cumulative: u64,
}

#[derive(Debug, Clone, Serialize)]
struct FrequencyRow {
    x: u32,
    customers: u64,
    predicted_mean: f64,
    actual_mean: f64,
}

#[derive(Debug, Clone, Serialize)]
struct DecileRow {
    decile: usize,
    customers: u64,
    predicted: f64,
    actual: f64,
}

/// Fits `variant` as of `weeks` before, follows those customers since, and compares. The day of that fit comes
/// with the report; the error is why there is none.
pub(super) fn refit(
    customers: &Customers,
    unit: Unit,
    variant: Variant,
    weeks: u32,
    threads: usize,
) -> Result<(i32, Report), String> {
    if weeks == 0 {
        return Err("skipped".to_owned());
    }
    let now = customers
        .as_of
        .filter(|_| !customers.facts.is_empty())
        .ok_or("a table does not say what happened when")?;
    let days = i32::try_from(weeks)
        .ok()
        .and_then(|weeks| weeks.checked_mul(7));
    let as_of = days
        .and_then(|days| now.checked_sub(days))
        .ok_or("the holdout is too long")?;
    let followed: Vec<(Followed, i64)> = customers
        .facts
        .iter()
        .filter_map(|(_, own)| {
            let summary = known(own, as_of).as_of(as_of).ok()?;
            let whole = known(own, now);
            let later = whole.between(as_of, now);
            let followed = Followed {
                cell: summary.cell,
                repeat_spend: customers.major(summary.repeat_spend_minor),
                later: later
                    .map(|(day, amount)| (day, customers.major(amount)))
                    .collect(),
            };
            Some((followed, summary.repeat_spend_minor))
        })
        .collect();
    let histogram: Histogram = followed.iter().map(|(customer, _)| customer.cell).collect();
    let sample = Sample::by_day(&histogram, as_of, unit).map_err(|bad| bad.to_string())?;
    let fit = bg_nbd::fit(&sample, variant, threads)
        .map_err(|refusal| format!("{refusal} as of {}", text::date(as_of)))?;
    let spend = customers
        .currency
        .filter(|_| !customers.mixed_currencies)
        .and_then(|currency| {
            let rows = followed
                .iter()
                .map(|(c, spend)| (c.cell.x(), Money::new(currency, *spend)));
            gamma_gamma::fit(&SpendTable::of(rows).ok()?).ok()
        });
    let followed: Vec<Followed> = followed.into_iter().map(|(customer, _)| customer).collect();
    let horizon = Horizon { as_of, weeks, unit };
    let spend = spend.map(|fit| fit.model);
    let report = report(&fit, spend.as_ref(), &followed, horizon).map_err(|bad| bad.to_string())?;
    Ok((as_of, report))
}

impl Holdout {
    pub(super) fn of(as_of: i32, weeks: u32, report: &Report) -> Self {
        Self {
            as_of: text::date(as_of),
            weeks,
            n: report.customers,
            predicted: report.predicted,
            actual: report.actual,
            bias: report.bias,
            predicted_error: report.predicted_error,
            mae: report.mae,
            rmse: report.rmse,
            spearman: report.spearman,
            tracking_error: report.tracking_error,
            naive_mae: report.naive_mae,
            naive_total: report.naive_total,
            predicted_spend: report.predicted_spend,
            actual_spend: Some(report.actual_spend),
            brier: report.brier,
            brier_base_rate: report.brier_base_rate,
            mean_p_alive: report.mean_p_alive,
            weekly: (1..)
                .zip(&report.weekly)
                .map(|(week, w)| WeekRow {
                    week,
                    predicted_cumulative: w.predicted,
                    actual_cumulative: w.actual,
                })
                .collect(),
            by_frequency: report
                .by_frequency
                .iter()
                .map(|f| FrequencyRow {
                    x: f.x,
                    customers: f.customers,
                    predicted_mean: f.predicted_mean,
                    actual_mean: f.actual_mean,
                })
                .collect(),
            by_decile: deciles(&report.by_decile),
            p_buy_by_decile: deciles(&report.p_buy_by_decile),
        }
    }
}

fn deciles(tenths: &[Decile]) -> Vec<DecileRow> {
    (1..)
        .zip(tenths)
        .map(|(decile, d)| DecileRow {
            decile,
            customers: d.customers,
            predicted: d.predicted,
            actual: d.actual,
        })
        .collect()
}
