//! `patron value contracts`: how long contracts last, from cohorts of survivors.

use std::io::Read;
use std::path::PathBuf;

use anyhow::bail;
use customer_value::sbg::{Contracts, SbgFit};
use serde::Serialize;

use super::output::{self, figure, percent};
use super::rows::{Rejected, Rows};
use crate::show;

/// Fit how long contracts last from cohorts of survivors.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A CSV file: period (0, 1, 2, …), customers (who are still there), and optionally cohort
    file: PathBuf,
    /// Fit the first so many periods only; later ones are for comparison
    #[arg(long, value_name = "N")]
    periods: Option<usize>,
    /// How many periods ahead to project
    #[arg(long, value_name = "N", default_value_t = 12)]
    ahead: u32,
    /// The rate per period at which later payments count less
    #[arg(
        long,
        value_name = "RATE",
        default_value_t = 0.15,
        allow_negative_numbers = true
    )]
    discount: f64,
    /// Print one JSON object for programs
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Answer {
    model: &'static str,
    parameters: Pair,
    standard_errors: Pair,
    log_likelihood: f64,
    cohorts: usize,
    periods: Vec<PeriodRow>,
    rejected: Vec<Rejected>,
}

#[derive(Debug, Serialize)]
struct Pair {
    alpha: f64,
    beta: f64,
}

#[derive(Debug, Serialize)]
struct PeriodRow {
    period: u32,
    survival: f64,
    /// Of this period; the acquisition has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    retention: Option<f64>,
    /// Of a customer who is active in this period; absent without a discount.
    #[serde(skip_serializing_if = "Option::is_none")]
    residual_periods: Option<f64>,
}

/// A cohort with the line where it begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cohort {
    name: String,
    line: u64,
    pub(super) survivors: Vec<u64>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let (cohorts, mut rejected) = read(Rows::open(&args.file)?)?;
    let mut contracts = Contracts::default();
    let mut used = 0;
    for cohort in cohorts {
        let known = args
            .periods
            .map_or(cohort.survivors.len(), |periods| periods.saturating_add(1));
        let survivors = cohort.survivors.get(..known).unwrap_or(&cohort.survivors);
        match contracts.add_cohort(survivors) {
            Ok(()) => used += 1,
            Err(grown) => rejected.push(Rejected {
                line: cohort.line,
                customer_id: cohort.name,
                reason: grown.to_string(),
            }),
        }
    }
    match contracts.fit() {
        Ok(fit) => {
            let answer = answer(args, &fit, used, rejected);
            if args.json {
                output::json(&answer)
            } else {
                output::text(&for_people(&answer))
            }
        }
        Err(refusal) => {
            if args.json {
                let message = refusal.advice();
                let refused = refusal.to_string();
                output::json(&serde_json::json!({
                    "refused": refused, "message": message, "cohorts": used, "rejected": rejected,
                }))?;
            }
            bail!("{refusal}: {}", refusal.advice())
        }
    }
}

/// Rows of one cohort stand together, their periods in order from 0.
pub(super) fn read<R: Read>(mut rows: Rows<R>) -> anyhow::Result<(Vec<Cohort>, Vec<Rejected>)> {
    let cohort = rows.columns.find(&["cohort"]);
    let period = rows.columns.need(&["period", "index"])?;
    let customers = rows.columns.need(&["customers", "observed_customers"])?;
    let mut cohorts: Vec<Cohort> = Vec::new();
    let rejected = rows.for_each(|row| {
        let count: u64 = row.number(customers, "customers")?;
        let (at, name) = (
            row.number::<usize>(period, "period")?,
            cohort.map_or("", |place| row.text(place)),
        );
        if at == 0 {
            cohorts.push(Cohort {
                name: name.to_owned(),
                line: row.line,
                survivors: vec![count],
            });
            return Ok(());
        }
        match cohorts.last_mut() {
            Some(last) if last.name == name && last.survivors.len() == at => {
                last.survivors.push(count);
            }
            _ => return Err(format!("period {at} does not follow the one before it")),
        }
        Ok(())
    })?;
    Ok((cohorts, rejected))
}

fn answer(args: &Args, fit: &SbgFit, cohorts: usize, rejected: Vec<Rejected>) -> Answer {
    let (alpha, beta) = fit.standard_errors;
    Answer {
        model: "sbg",
        parameters: Pair {
            alpha: fit.alpha,
            beta: fit.beta,
        },
        standard_errors: Pair { alpha, beta },
        log_likelihood: fit.log_likelihood,
        cohorts,
        periods: (0..=args.ahead)
            .map(|period| PeriodRow {
                period,
                survival: fit.survival(period),
                retention: (period > 0).then(|| fit.retention(period)),
                residual_periods: fit.residual_periods(period, args.discount),
            })
            .collect(),
        rejected,
    }
}

fn for_people(answer: &Answer) -> String {
    let rows: Vec<Vec<String>> = answer
        .periods
        .iter()
        .map(|row| {
            let or_blank = |text: Option<String>| text.unwrap_or_default();
            vec![
                row.period.to_string(),
                percent(row.survival),
                or_blank(row.retention.map(percent)),
                or_blank(row.residual_periods.map(|periods| figure(periods, 2))),
            ]
        })
        .collect();
    let heading = [
        "period",
        "still there",
        "retention",
        "discounted periods to come",
    ];
    format!(
        "sBG of {}: alpha {} ± {}, beta {} ± {}\n{}{}",
        show::counted(answer.cohorts as u64, "cohorts"),
        figure(answer.parameters.alpha, 4),
        figure(answer.standard_errors.alpha, 4),
        figure(answer.parameters.beta, 4),
        figure(answer.standard_errors.beta, 4),
        show::table(&heading, rows),
        output::rejected(&answer.rejected),
    )
}

#[cfg(test)]
mod tests {
    use super::{Rows, read};

    #[test]
    fn cohorts_are_runs_of_periods_from_zero() {
        let text = "cohort,period,customers\njan,0,100\njan,1,80\nfeb,0,90\nfeb,2,70\nfeb,1,75\n";
        let (cohorts, rejected) = read(Rows::read(text.as_bytes(), 0).unwrap()).unwrap();
        assert_eq!(cohorts.len(), 2);
        assert_eq!(cohorts[1].survivors, [90, 75]);
        assert_eq!(rejected.len(), 1);
        assert_eq!(rejected[0].line, 5);
    }
}
