//! A model, fitted to the purchases of a ledger's customers as they were known.
//!
//! What is read of the rows are whole numbers, customer by customer in the order of their ids; the rest is
//! arithmetic that has the same bits on every machine. So all instances fit the same model to the same
//! journal.

use std::collections::BTreeMap;

use customer_value::bg_nbd::{self, Fit};
use customer_value::gamma_gamma::{self, SpendModel, SpendTable};
use customer_value::holdout::{self, Followed, Horizon};
use customer_value::{BadRow, Histogram, Refusal, Sample, quality};
use eventsourcing::{Days, Time};
use money::{Currency, Money};
use read_model::{Error, Rows};
use retention_domain::ledger::model::{
    Fitted, Holdout, PurchaseFit, Purchasing, SpendFit, Spending, Tenth, UNIT, Unfitted, Variant,
};
use retention_domain::ledger::statement::{Standing, What};
use server::Known;

use super::facts;
use super::measure::cut;

/// How many threads work on a fit. The result has the same bits for any number.
const THREADS: usize = 2;

/// What is fitted to.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    currency: Currency,
    as_of: Time,
    /// Where the check begins, and how many weeks it takes.
    then: Time,
    weeks: u32,
    known: Known,
    /// Of each customer, the history, and what the repeat days left, in minor units.
    seen: Vec<(customer_value::Cell, i64)>,
    /// The histories as of then, with what followed.
    followed: Vec<Followed>,
    /// What their repeat days had left, in minor units.
    spent_then: Vec<i64>,
    purchases: u64,
}

/// Reads what a model as of a moment is fitted to, and what it is checked on. Lost customers are among them:
/// their silence is what the model learns from.
pub(crate) fn input(
    rows: &dyn Rows,
    currency: Currency,
    (as_of, weeks): (Time, u32),
    known: Known,
) -> Result<Input, Error> {
    let then = as_of.minus_days(Days(weeks.saturating_mul(7)));
    let (mut seen, mut purchases) = (Vec::new(), 0);
    let (mut followed, mut spent_then) = (Vec::new(), Vec::new());
    facts::visit(rows, currency, None, |_, facts| {
        let mut now = Standing::at(as_of).with_days();
        let mut before = Standing::at(then).with_days();
        for kept in facts {
            if !known.includes(&kept.recorded) || kept.fact.at > as_of {
                continue;
            }
            now.take(&kept.fact);
            if kept.fact.at <= then {
                before.take(&kept.fact);
            }
            purchases += u64::from(matches!(kept.fact.what, What::Bought { .. }));
        }
        if let Some((summary, today)) = now.summary() {
            seen.push((summary.cell, summary.repeat_spend_minor));
            if let Some((summary, since)) = before.summary() {
                let later = now.days().into_iter().flat_map(|d| d.between(since, today));
                let later = later.map(|(day, minor)| (day, major(currency, minor)));
                followed.push(Followed {
                    cell: summary.cell,
                    repeat_spend: major(currency, summary.repeat_spend_minor),
                    later: later.collect(),
                });
                spent_then.push(summary.repeat_spend_minor);
            }
        }
        std::ops::ControlFlow::Continue(())
    })?;
    Ok(Input {
        currency,
        as_of,
        then,
        weeks,
        known,
        seen,
        followed,
        spent_then,
        purchases,
    })
}

/// Fits what there is. This is work for a processor, and needs no rows.
pub(crate) fn fit(input: &Input) -> Result<Fitted, Unfitted> {
    let (customers, repeaters) = (count(input.seen.len()), repeaters(input));
    let refuse = |why| Unfitted {
        why,
        as_of: input.as_of,
        customers,
        repeaters,
    };
    let histogram: Histogram = input.seen.iter().map(|(cell, _)| *cell).collect();
    let sample = sample(&histogram, input.as_of).map_err(|_| refuse(Refusal::NotEnoughData))?;
    let [bg, mbg] = [bg_nbd::Variant::BgNbd, bg_nbd::Variant::MbgNbd]
        .map(|variant| bg_nbd::fit(&sample, variant, THREADS));
    let mbg_is_better = match (&bg, &mbg) {
        (Ok(bg), Ok(mbg)) => mbg.aic < bg.aic,
        (bg, _) => bg.is_err(),
    };
    let (best, other) = if mbg_is_better { (mbg, bg) } else { (bg, mbg) };
    // If there is neither, the reason of the first is given.
    let best = best.map_err(|why| refuse(other.err().unwrap_or(why)))?;
    let spends = input.seen.iter().map(|(cell, minor)| (cell.x(), *minor));
    let spend = SpendTable::of(spends.map(|(x, minor)| (x, Money::new(input.currency, minor))));
    let spend = spend.and_then(|table| gamma_gamma::fit(&table));
    let spend = spend.map_err(refuse)?;
    let checked = check(input, best.model.variant());
    let report = checked.as_ref().ok();
    let flags = quality::flags(&best, Some(&spend), report);
    let digest = digest(&histogram, input);
    let parameters = |it: gamma_gamma::SpendParameters| Spending {
        p: it.p,
        q: it.q,
        v: it.v,
    };
    Ok(Fitted {
        as_of: input.as_of,
        purchases: of_purchases(&best),
        other: other
            .map(|fit| of_purchases(&fit))
            .map_err(|why| why.to_string()),
        spend: SpendFit {
            parameters: parameters(spend.model.parameters()),
            standard_errors: parameters(spend.standard_errors),
            log_likelihood: spend.log_likelihood,
            aic: spend.aic,
            customers: spend.customers,
            spearman: spend.spearman,
        },
        customers,
        repeaters,
        repeat_purchases: best.repeat_purchases,
        purchase_count: input.purchases,
        histogram_digest: digest,
        holdout: checked.map(|report| of_report(input, report)),
        flags: flags.into_iter().map(Into::into).collect(),
        cut: cut(&input.known),
    })
}

fn sample(histogram: &Histogram, as_of: Time) -> Result<Sample, BadRow> {
    Sample::by_day(histogram, day(as_of), UNIT)
}

/// Fits the model as it would have been, follows its customers since, and compares; or the reason why not.
fn check(input: &Input, variant: bg_nbd::Variant) -> Result<holdout::Report, String> {
    let histogram: Histogram = input.followed.iter().map(|who| who.cell).collect();
    let sample = sample(&histogram, input.then).map_err(|bad| bad.to_string())?;
    let fit = bg_nbd::fit(&sample, variant, THREADS).map_err(|why| why.to_string())?;
    let horizon = Horizon {
        as_of: day(input.then),
        weeks: input.weeks,
        unit: UNIT,
    };
    let spend = spend_then(input);
    holdout::report(&fit, spend.as_ref(), &input.followed, horizon).map_err(|bad| bad.to_string())
}

/// The model of spend as it would have been, if there would have been one.
fn spend_then(input: &Input) -> Option<SpendModel> {
    let spends = input.followed.iter().zip(&input.spent_then);
    let spends = spends.map(|(who, minor)| (who.cell.x(), Money::new(input.currency, *minor)));
    let fit = gamma_gamma::fit(&SpendTable::of(spends).ok()?).ok()?;
    Some(fit.model)
}

fn of_purchases(fit: &Fit) -> PurchaseFit {
    let parameters = |it: bg_nbd::Parameters| Purchasing {
        r: it.r,
        alpha: it.alpha,
        a: it.a,
        b: it.b,
    };
    PurchaseFit {
        variant: match fit.model.variant() {
            bg_nbd::Variant::BgNbd => Variant::BgNbd,
            bg_nbd::Variant::MbgNbd => Variant::MbgNbd,
        },
        parameters: parameters(fit.model.parameters()),
        standard_errors: parameters(fit.standard_errors),
        log_likelihood: fit.log_likelihood,
        aic: fit.aic,
    }
}

fn of_report(input: &Input, report: holdout::Report) -> Holdout {
    let tenths = |deciles: Vec<holdout::Decile>| {
        let tenth = |decile: holdout::Decile| Tenth {
            customers: decile.customers,
            predicted: decile.predicted,
            actual: decile.actual,
        };
        deciles.into_iter().map(tenth).collect()
    };
    Holdout {
        as_of: input.then,
        weeks: input.weeks,
        customers: report.customers,
        predicted: report.predicted,
        actual: report.actual,
        bias: report.bias,
        predicted_error: report.predicted_error,
        mae: report.mae,
        naive_mae: report.naive_mae,
        naive_total: report.naive_total,
        brier: report.brier,
        brier_base_rate: report.brier_base_rate,
        predicted_spend: report.predicted_spend,
        actual_spend: report.actual_spend,
        by_decile: tenths(report.by_decile),
        p_buy_by_decile: tenths(report.p_buy_by_decile),
    }
}

/// A digest of the histograms; its contract is in `model.proto`.
fn digest(histogram: &Histogram, input: &Input) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let mut put = |number: i64| {
        hasher.update(&number.to_be_bytes());
    };
    for (cell, customers) in histogram.iter() {
        put(i64::from(cell.first_day()));
        put(i64::from(cell.last_day()));
        put(i64::from(cell.x()));
        put(i64::try_from(customers).unwrap_or(i64::MAX));
    }
    let mut spends: BTreeMap<(u32, i64), i64> = BTreeMap::new();
    for (cell, minor) in &input.seen {
        if cell.x() > 0 && *minor > 0 {
            *spends.entry((cell.x(), *minor)).or_default() += 1;
        }
    }
    for ((x, minor), customers) in spends {
        put(i64::from(x));
        put(minor);
        put(customers);
    }
    *hasher.finalize().as_bytes()
}

fn repeaters(input: &Input) -> u64 {
    count(input.seen.iter().filter(|(cell, _)| cell.x() > 0).count())
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// The UTC day of a moment, in the numbers that models count with.
fn day(at: Time) -> i32 {
    i32::try_from(at.day()).unwrap_or(i32::MAX)
}

/// Minor units as major ones, for a model.
#[expect(
    clippy::cast_precision_loss,
    reason = "exact below 2^53 minor units, and the model is not exacter than that"
)]
fn major(currency: Currency, minor_units: i64) -> f64 {
    let unit = (0..currency.decimals()).fold(1.0, |unit, _| unit * 10.0);
    minor_units as f64 / unit
}
