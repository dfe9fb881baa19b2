//! `patron value fit`: both purchase models, the spend model, and how wrong they would have been.

use std::fmt::Write as _;

use anyhow::bail;
use customer_value::bg_nbd::{self, Fit, Variant};
use customer_value::gamma_gamma::{self, SpendFit};
use customer_value::quality::{self, Flag};
use customer_value::{Refusal, calibration};
use money::Currency;
use serde::Serialize;

use super::customers::{Customers, Source};
use super::holdout::{self, Holdout};
use super::model::{Candidate, Four, Spend};
use super::output::{self, figure, percent, spoken};
use super::rows::Rejected;
use super::text;
use crate::show;

/// Fit how often customers buy, whether they still do and how much they spend.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    source: Source,
    /// The model; without it, the one with the lower AIC
    #[arg(long, value_enum)]
    model: Option<Choice>,
    /// How many last weeks the fit is checked on, by a fit that does not know them; 0 to skip it
    #[arg(long, value_name = "WEEKS", default_value_t = 13)]
    holdout_weeks: u32,
    /// How many threads may work on the fit; the result has the same bits for any number
    #[arg(long, value_name = "N", default_value_t = 2)]
    threads: usize,
    /// Print one JSON object for programs
    #[arg(long)]
    json: bool,
}

/// A purchase model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Choice {
    /// Customers may leave after a repeat purchase
    Bgnbd,
    /// Customers may also leave right after the first purchase
    Mbgnbd,
}

impl Choice {
    pub(super) const fn variant(self) -> Variant {
        match self {
            Self::Bgnbd => Variant::BgNbd,
            Self::Mbgnbd => Variant::MbgNbd,
        }
    }
}

/// What `--json` prints. Absent figures are absent or null, never 0.
#[derive(Debug, Serialize)]
struct Answer {
    model: &'static str,
    parameters: Four,
    standard_errors: Four,
    log_likelihood: f64,
    aic: f64,
    n: u64,
    repeaters: u64,
    repeat_purchases: u64,
    as_of: Option<String>,
    time_unit: &'static str,
    currency: Option<String>,
    quality: Vec<&'static str>,
    usable_for_value: bool,
    spend: Option<Spend>,
    spend_refused: Option<String>,
    holdout: Option<Holdout>,
    holdout_refused: Option<String>,
    calibration: Vec<Class>,
    candidates: Vec<Candidate>,
    rejected: Vec<Rejected>,
}

/// Customers with x repeat purchases; the last class holds those with more, too.
#[derive(Debug, Serialize)]
struct Class {
    x: u32,
    observed: f64,
    expected: f64,
}

/// What `--json` prints instead.
#[derive(Debug, Serialize)]
struct Refused {
    #[serde(rename = "refused")]
    reason: String,
    message: &'static str,
    n: u64,
    repeaters: u64,
    as_of: Option<String>,
    candidates: Vec<Candidate>,
    rejected: Vec<Rejected>,
}

/// Everything that is fitted from one file.
pub(super) struct Fitted {
    pub(super) fit: Fit,
    pub(super) candidates: Vec<Candidate>,
    pub(super) spend: Result<SpendFit, Refusal>,
}

/// Fits what can be fitted.
pub(super) fn fit_all(
    customers: &Customers,
    source: &Source,
    choice: Option<Choice>,
    threads: usize,
) -> Result<Fitted, (Refusal, Vec<Candidate>)> {
    let sample = customers.sample(source.unit.unit());
    let fits = [Variant::BgNbd, Variant::MbgNbd]
        .map(|variant| (variant, bg_nbd::fit(&sample, variant, threads)));
    let candidates: Vec<Candidate> = fits.iter().map(|(v, fit)| Candidate::of(*v, fit)).collect();
    let wanted = fits
        .into_iter()
        .filter(|(variant, _)| choice.is_none_or(|choice| choice.variant() == *variant));
    let best = wanted
        .map(|(_, fit)| fit)
        .reduce(|one, other| match (&one, &other) {
            (Ok(a), Ok(b)) if b.aic < a.aic => other,
            (Err(_), Ok(_)) => other,
            _ => one,
        });
    match best.unwrap_or(Err(Refusal::NotEnoughData)) {
        Ok(fit) => Ok(Fitted {
            fit,
            candidates,
            spend: customers
                .spends()
                .and_then(|table| gamma_gamma::fit(&table)),
        }),
        Err(refusal) => Err((refusal, candidates)),
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let customers = args.source.load()?;
    let as_of = customers.as_of.map(text::date);
    match fit_all(&customers, &args.source, args.model, args.threads) {
        Ok(fitted) => {
            let (when, currency) = (customers.when(), customers.currency);
            let answer = answer(args, customers, &fitted);
            if args.json {
                output::json(&answer)
            } else {
                output::text(&for_people(&answer, &fitted, &when, currency))
            }
        }
        Err((refusal, candidates)) => {
            let sample = customers.sample(args.source.unit.unit());
            if args.json {
                output::json(&Refused {
                    reason: refusal.to_string(),
                    message: refusal.advice(),
                    n: sample.customers(),
                    repeaters: sample.repeaters(),
                    as_of,
                    candidates,
                    rejected: customers.rejected,
                })?;
            }
            bail!("{refusal}: {}", refusal.advice())
        }
    }
}

fn answer(args: &Args, customers: Customers, fitted: &Fitted) -> Answer {
    let unit = args.source.unit.unit();
    let spend = fitted.spend.as_ref();
    let (model, errors) = (fitted.fit.model, fitted.fit.standard_errors);
    let holdout = holdout::refit(
        &customers,
        unit,
        model.variant(),
        args.holdout_weeks,
        args.threads,
    );
    let flags = quality::flags(
        &fitted.fit,
        spend.ok(),
        holdout.as_ref().ok().map(|(_, report)| report),
    );
    let classes = calibration::by_frequency(&fitted.fit, &customers.sample(unit));
    Answer {
        model: model.variant().name(),
        parameters: model.parameters().into(),
        standard_errors: errors.into(),
        log_likelihood: fitted.fit.log_likelihood,
        aic: fitted.fit.aic,
        n: fitted.fit.customers,
        repeaters: fitted.fit.repeaters,
        repeat_purchases: fitted.fit.repeat_purchases,
        as_of: customers.as_of.map(text::date),
        time_unit: unit.name(),
        currency: customers.currency.map(|currency| currency.to_string()),
        quality: flags.iter().map(|flag| Flag::name(*flag)).collect(),
        usable_for_value: quality::is_usable(&flags),
        spend: spend.ok().map(Spend::of),
        spend_refused: spend.err().map(Refusal::to_string),
        holdout_refused: holdout.as_ref().err().cloned(),
        holdout: holdout.ok().map(|(as_of, report)| {
            let mut holdout = Holdout::of(as_of, args.holdout_weeks, &report);
            if customers.mixed_currencies {
                holdout.actual_spend = None;
            }
            holdout
        }),
        calibration: classes
            .into_iter()
            .map(|c| Class {
                x: c.x,
                observed: c.observed,
                expected: c.expected,
            })
            .collect(),
        candidates: fitted.candidates.clone(),
        rejected: customers.rejected,
    }
}

fn for_people(answer: &Answer, fitted: &Fitted, when: &str, currency: Option<Currency>) -> String {
    let (p, se) = (fitted.fit.model.parameters(), fitted.fit.standard_errors);
    let row = |name: &str, value: f64, error: f64| {
        vec![name.to_owned(), figure(value, 4), figure(error, 4)]
    };
    let mut rows = vec![
        row("r", p.r, se.r),
        row("alpha", p.alpha, se.alpha),
        row("a", p.a, se.a),
        row("b", p.b, se.b),
    ];
    if let Ok(spend) = &fitted.spend {
        let (p, se) = (spend.model.parameters(), spend.standard_errors);
        rows.extend([
            row("p", p.p, se.p),
            row("q", p.q, se.q),
            row("v", p.v, se.v),
        ]);
    }
    let mut text = format!(
        "{} of {}, {} of them with repeat purchases, {when}\n{}\n",
        spoken(fitted.fit.model.variant()),
        show::counted(answer.n, "customers"),
        show::grouped(&answer.repeaters.to_string()),
        show::table(&["parameter", "value", "standard error"], rows),
    );
    let aic: Vec<String> = answer
        .candidates
        .iter()
        .map(|candidate| {
            let aic = candidate.aic.map(|aic| figure(aic, 2));
            let what = aic.as_deref().or(candidate.refused.as_deref());
            format!("{} {}", spoken(candidate.variant), what.unwrap_or("-"))
        })
        .collect();
    let _infallible = writeln!(text, "AIC: {}", aic.join(", "));
    match (&answer.spend, &answer.spend_refused) {
        (_, Some(refused)) => {
            let _infallible = writeln!(text, "Spend: {refused}");
        }
        _ => {
            if let Ok(spend) = &fitted.spend {
                let mean = output::amount(spend.model.population_mean(), currency);
                let _infallible = writeln!(text, "Mean spend of a purchase day: {mean}");
            }
        }
    }
    match (&answer.holdout, &answer.holdout_refused) {
        (Some(holdout), _) => {
            let _infallible = writeln!(text, "{}", holdout.sentence());
        }
        (None, reason) => {
            let _infallible = writeln!(text, "Not checked: {}", reason.as_deref().unwrap_or("-"));
        }
    }
    let flags = if answer.quality.is_empty() {
        "none".to_owned()
    } else {
        answer.quality.join(", ")
    };
    let _infallible = write!(text, "Flags: {flags}{}", output::rejected(&answer.rejected));
    text
}

impl Holdout {
    fn sentence(&self) -> String {
        let bias = self.bias.map_or_else(|| "-".to_owned(), percent);
        format!(
            "Checked on the {} weeks after {}: {} purchases expected, {} came (bias {bias}); mean error per customer {}, \
             if everybody went on at the same rate {}",
            self.weeks,
            self.as_of,
            figure(self.predicted, 1),
            self.actual,
            figure(self.mae, 3),
            figure(self.naive_mae, 3),
        )
    }
}
