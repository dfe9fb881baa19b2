//! `patron value score`: a row of figures for each customer.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{anyhow, bail};
use customer_value::bg_nbd::GivenAlive;
use customer_value::{Refusal, Terms, Valuer, quality};
use serde_json::{Map, Value};

use super::customers::{Customer, Customers, Source};
use super::fit::{Choice, fit_all};
use super::holdout;
use super::model::Scorer;
use super::output::{self, Format, figure, percent, spoken};
use super::text;
use crate::show;

/// Give each customer a P(alive), expected purchases and a value.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    source: Source,
    /// A model that `fit --json` wrote; without it, the file is fitted first
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Which model to fit; without it, the one with the lower AIC
    #[arg(long, value_enum, conflicts_with = "model")]
    fit: Option<Choice>,
    /// The annual rate at which later purchases count less
    #[arg(
        long,
        value_name = "RATE",
        default_value_t = 0.15,
        allow_negative_numbers = true
    )]
    discount: f64,
    /// Also the discounted purchases and the value without end, for comparison with the literature
    #[arg(long)]
    without_end: bool,
    /// How many customers a table shows, the most valuable first
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    format: Format,
}

/// On how many last weeks a model is checked that is fitted for this.
const HOLDOUT_WEEKS: u32 = 13;
const THREADS: usize = 2;
/// Weeks for which purchases are expected.
const PURCHASE_WEEKS: [u32; 4] = [13, 39, 52, 104];
/// Weeks within which a customer may buy.
const BUY_WEEKS: [u32; 2] = [13, 52];
/// Months over which a value is discounted.
const MONTHS: [u32; 2] = [12, 60];

/// The figures of one customer, in the order of the heading.
struct Score<'a> {
    customer: &'a Customer,
    figures: Vec<f64>,
    /// What people are shown: the value over a year, or the purchases of a year without a spend model.
    rank: f64,
}

/// Computes figures for customers alike only once.
struct Figures<'a> {
    scorer: Scorer,
    customers: &'a Customers,
    valuers: Vec<Valuer>,
    /// By x.
    given_alive: HashMap<u32, GivenAlive>,
    terms: Option<Terms>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let customers = args.source.load()?;
    let (mut scorer, refused) = match &args.model {
        Some(path) => {
            let scorer = Scorer::read(path)?;
            (scorer, scorer.spend.is_none().then(|| NO_SPEND.to_owned()))
        }
        None => fitted(args, &customers)?,
    };
    let no_value = no_value(&scorer, &customers).or(refused);
    if no_value.is_some() {
        scorer.spend = None;
    }
    let no_value = no_value.as_deref();
    let mut figures = Figures::new(scorer, &customers, args)?;
    let mut scores: Vec<Score<'_>> = customers.list.iter().map(|c| figures.score(c)).collect();
    let heading = figures.heading();
    if args.format.json {
        return output::json(&Value::Object(as_json(
            &heading, &scores, &scorer, &customers, no_value,
        )));
    }
    if args.format.csv {
        output::note_rejected(&customers.rejected);
        if let Some(reason) = no_value {
            show::note(format!("no value: {reason}"));
        }
        return output::csv(
            &heading,
            scores.iter().map(|score| score.fields(&customers)),
        );
    }
    scores.sort_by(|a, b| b.rank.total_cmp(&a.rank));
    output::text(&for_people(&scores, &scorer, &customers, args, no_value))
}

const NO_SPEND: &str = "the model says nothing of spend";
const WORSE: &str =
    "WORSE_THAN_NAIVE: a guess does better than this model, so it is never used for value";

/// Why there is no value, whatever the model knows of spend.
fn no_value(scorer: &Scorer, customers: &Customers) -> Option<String> {
    if customers.mixed_currencies {
        let mixed = Refusal::MixedCurrency;
        return Some(format!("{mixed}: {}", mixed.advice()));
    }
    (!scorer.is_usable).then(|| WORSE.to_owned())
}

/// A model of the customers themselves, and why it knows nothing of spend if it does not. It is checked on
/// their last weeks like every fit.
fn fitted(args: &Args, customers: &Customers) -> anyhow::Result<(Scorer, Option<String>)> {
    let fitted = match fit_all(customers, &args.source, args.fit, THREADS) {
        Ok(fitted) => fitted,
        Err((refusal, _)) => bail!("{refusal}: {}", refusal.advice()),
    };
    let (unit, model) = (args.source.unit.unit(), fitted.fit.model);
    let variant = model.variant();
    let checked = holdout::refit(customers, unit, variant, HOLDOUT_WEEKS, THREADS).ok();
    let checked = checked.as_ref().map(|(_, report)| report);
    let flags = quality::flags(&fitted.fit, fitted.spend.as_ref().ok(), checked);
    let refused = fitted.spend.as_ref().err();
    let refused = refused.map(|refusal| format!("{refusal}: {}", refusal.advice()));
    let scorer = Scorer {
        model,
        spend: fitted.spend.ok().map(|spend| spend.model),
        unit,
        is_usable: quality::is_usable(&flags),
    };
    Ok((scorer, refused))
}

impl<'a> Figures<'a> {
    fn new(scorer: Scorer, customers: &'a Customers, args: &Args) -> anyhow::Result<Self> {
        let terms = |months| {
            Terms::new(months, args.discount, scorer.unit)
                .ok_or_else(|| anyhow!("--discount must be 0 or more"))
        };
        let valuers: anyhow::Result<Vec<Valuer>> = MONTHS
            .into_iter()
            .map(|months| Ok(Valuer::new(scorer.model, terms(months)?)))
            .collect();
        let forever = terms(0)?;
        if args.without_end && args.discount <= 0.0 {
            bail!("without a discount the value without end has none: give --discount above 0");
        }
        Ok(Self {
            scorer,
            customers,
            valuers: valuers?,
            given_alive: HashMap::new(),
            terms: args.without_end.then_some(forever),
        })
    }

    fn heading(&self) -> Vec<String> {
        let mut names: Vec<String> = [
            "customer_id",
            "x",
            "tx_days",
            "T_days",
            "repeat_spend",
            "p_alive",
        ]
        .map(str::to_owned)
        .into();
        names.extend(PURCHASE_WEEKS.map(|weeks| format!("purchases_{weeks}w")));
        names.extend(BUY_WEEKS.map(|weeks| format!("p_buy_{weeks}w")));
        names.extend(MONTHS.map(|months| format!("discounted_purchases_{months}m")));
        if self.scorer.spend.is_some() {
            names.push("expected_spend".to_owned());
            names.extend(MONTHS.map(|months| format!("clv_{months}m")));
        }
        if self.terms.is_some() {
            names.push("det_infinite".to_owned());
            if self.scorer.spend.is_some() {
                names.push("clv_infinite".to_owned());
            }
        }
        names
    }

    fn score(&mut self, customer: &'a Customer) -> Score<'a> {
        let Scorer {
            model, spend, unit, ..
        } = self.scorer;
        let seen = customer.seen(unit);
        let given = &*self
            .given_alive
            .entry(seen.x())
            .or_insert_with(|| model.given_alive(seen.x()));
        let alive = model.p_alive(&seen);
        let length = |weeks: u32| unit.from_days(7.0 * f64::from(weeks));
        let mut figures = vec![alive];
        figures
            .extend(PURCHASE_WEEKS.map(|weeks| alive * given.purchases(seen.t(), length(weeks))));
        figures.extend(BUY_WEEKS.map(|weeks| model.p_buy_within(&seen, length(weeks))));
        let discounted: Vec<f64> = self
            .valuers
            .iter_mut()
            .map(|v| v.purchases(&seen))
            .collect();
        figures.extend(&discounted);
        let mut rank = discounted.first().copied().unwrap_or(0.0);
        let each = spend.map(|spend| {
            let repeat_spend = self
                .customers
                .major(customer.repeat_spend_minor.unwrap_or(0));
            spend.expected_spend(seen.x(), repeat_spend)
        });
        if let Some(each) = each {
            figures.push(each);
            figures.extend(discounted.iter().map(|purchases| purchases * each));
            rank *= each;
        }
        let forever = self.terms.as_ref();
        if let Some(purchases) = forever.and_then(|t| t.purchases_without_end(given, seen.t())) {
            figures.push(alive * purchases);
            figures.extend(each.map(|each| alive * purchases * each));
        }
        Score {
            customer,
            figures,
            rank,
        }
    }
}

impl Score<'_> {
    fn fields(&self, customers: &Customers) -> Vec<String> {
        let spend = self
            .customer
            .repeat_spend_minor
            .map(|minor| customers.major(minor));
        let mut fields = vec![
            self.customer.id.clone(),
            self.customer.x.to_string(),
            self.customer.tx_days.to_string(),
            self.customer.t_days.to_string(),
            spend.map_or_else(String::new, |spend| spend.to_string()),
        ];
        fields.extend(self.figures.iter().map(f64::to_string));
        fields
    }
}

fn as_json(
    heading: &[String],
    scores: &[Score<'_>],
    scorer: &Scorer,
    customers: &Customers,
    no_value: Option<&str>,
) -> Map<String, Value> {
    let rows = scores.iter().map(|score| {
        let id = Value::from(score.customer.id.clone());
        let known = [
            Value::from(score.customer.x),
            Value::from(score.customer.tx_days),
            Value::from(score.customer.t_days),
            Value::from(
                score
                    .customer
                    .repeat_spend_minor
                    .map(|minor| customers.major(minor)),
            ),
        ];
        let figures = score.figures.iter().map(|figure| Value::from(*figure));
        let values = std::iter::once(id).chain(known).chain(figures);
        Value::Object(heading.iter().cloned().zip(values).collect())
    });
    let mut answer = Map::new();
    answer.insert("model".to_owned(), scorer.model.variant().name().into());
    answer.insert("as_of".to_owned(), customers.as_of.map(text::date).into());
    answer.insert(
        "currency".to_owned(),
        customers.currency.map(|c| c.to_string()).into(),
    );
    answer.insert("value_refused".to_owned(), no_value.into());
    answer.insert("customers".to_owned(), Value::Array(rows.collect()));
    let rejected = serde_json::to_value(&customers.rejected).unwrap_or_default();
    answer.insert("rejected".to_owned(), rejected);
    answer
}

fn for_people(
    scores: &[Score<'_>],
    scorer: &Scorer,
    customers: &Customers,
    args: &Args,
    no_value: Option<&str>,
) -> String {
    let unit = scorer.unit;
    let is_value = scorer.spend.is_some();
    let ranked = |rank: f64| {
        if is_value {
            output::amount(rank, customers.currency)
        } else {
            figure(rank, 2)
        }
    };
    let shown: Vec<Vec<String>> = scores
        .iter()
        .take(args.limit)
        .map(|score| {
            let seen = score.customer.seen(unit);
            let quarter = scorer.model.p_buy_within(&seen, unit.from_days(91.0));
            let year = unit.from_days(364.0);
            vec![
                score.customer.id.clone(),
                score.customer.x.to_string(),
                figure(score.customer.t_days - score.customer.tx_days, 0),
                percent(scorer.model.p_alive(&seen)),
                percent(quarter),
                figure(scorer.model.expected_purchases(&seen, year), 2),
                ranked(score.rank),
            ]
        })
        .collect();
    let heading = [
        "customer",
        "repeat days",
        "days silent",
        "P(alive)",
        "buys in 13 weeks",
        "purchases in 52 weeks",
        if is_value {
            "value of 12 months"
        } else {
            "discounted purchases"
        },
    ];
    let total: f64 = scores.iter().map(|score| score.rank).sum();
    let no_value = no_value.map_or_else(String::new, |reason| format!("\nNo value: {reason}."));
    format!(
        "{} by {}, {}; the first {}:\n{}\nAll together: {}.{no_value}\nP(alive) of a one-time buyer is a convention of the model: look at who buys.{}",
        show::counted(scores.len() as u64, "customers"),
        spoken(scorer.model.variant()),
        customers.when(),
        shown.len(),
        show::table(&heading, shown),
        ranked(total),
        output::rejected(&customers.rejected),
    )
}
