//! `patron attribution`: which touches earned the credit for customers; people before money.

use clap::ValueEnum;
use patron_proto::acquisition::v1::{
    AttributionDimension, AttributionModel, AttributionReport, GetAttributionRequest,
};

use crate::connect::{Services, said};
use crate::moment::{Moment, Period};
use crate::show::{amount, count, json, people, percent, print, short, table};

/// Which credit.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    services: Services,
    #[command(flatten)]
    period: Period,
    /// How credit is divided.
    #[arg(long, value_enum, default_value = "last")]
    model: Model,
    /// What touches are told apart by.
    #[arg(long, value_enum, default_value = "campaign")]
    by: By,
    /// The currency of the conversions.
    #[arg(long, default_value = "EUR", value_name = "CODE")]
    currency: String,
    /// For how many days before a conversion a touch earns credit [default: 90].
    #[arg(long, value_name = "DAYS", allow_negative_numbers = true)]
    window_days: Option<i32>,
    /// For time-decay: in how many days a touch loses half its weight [default: 7].
    #[arg(long, value_name = "DAYS", allow_negative_numbers = true)]
    half_life_days: Option<f64>,
    #[command(flatten)]
    moment: Moment,
    /// JSON for programs.
    #[arg(long)]
    json: bool,
}

/// How credit is divided.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Model {
    First,
    Last,
    Linear,
    #[value(alias = "time_decay")]
    TimeDecay,
    Position,
    Markov,
    Shapley,
}

impl Model {
    pub(crate) const fn number(self) -> i32 {
        match self {
            Self::First => AttributionModel::First as i32,
            Self::Last => AttributionModel::Last as i32,
            Self::Linear => AttributionModel::Linear as i32,
            Self::TimeDecay => AttributionModel::TimeDecay as i32,
            Self::Position => AttributionModel::Position as i32,
            Self::Markov => AttributionModel::Markov as i32,
            Self::Shapley => AttributionModel::Shapley as i32,
        }
    }
}

/// What touches are told apart by.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    Campaign,
    Presentation,
    Channel,
}

impl By {
    const fn number(self) -> i32 {
        match self {
            Self::Campaign => AttributionDimension::Campaign as i32,
            Self::Presentation => AttributionDimension::Presentation as i32,
            Self::Channel => AttributionDimension::Channel as i32,
        }
    }
}

/// Shows who earned what.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut acquisition = args.services.acquisition().await?;
    let request = GetAttributionRequest {
        start: args.period.start()?,
        end: args.period.end()?,
        model: args.model.number(),
        dimension: args.by.number(),
        currency_code: args.currency,
        window_days: args.window_days,
        half_life_days: args.half_life_days,
        as_of: args.moment.as_of(),
        known_at: args.moment.known_at(),
        known_at_position: args.moment.token(),
    };
    let report = acquisition.reports.get_attribution(request).await;
    let report = report.map_err(|status| said(&status))?.into_inner();
    print(if args.json {
        json(&report)?
    } else {
        shown(&report)
    });
    Ok(())
}

/// The report as a person reads it: whoever earned most first, what is unattributed last.
pub(crate) fn shown(report: &AttributionReport) -> String {
    let mut ordered: Vec<_> = report.lines.iter().collect();
    // What no touch point earned; a channel may have brackets too, such as `(direct)`.
    let is_nobody = |name: &str| name == "(unattributed)";
    ordered.sort_by(|a, b| {
        let nobody = is_nobody(&a.touch_point).cmp(&is_nobody(&b.touch_point));
        nobody.then(b.credit.total_cmp(&a.credit))
    });
    let lines = ordered.into_iter().map(|line| {
        vec![
            short(&line.touch_point),
            people(line.credit),
            amount(line.value.as_ref()),
            amount(line.spend.as_ref()),
            amount(line.cac.as_ref()),
            percent(line.removal_effect),
        ]
    });
    let all = vec![
        "all".to_owned(),
        count(report.conversions),
        amount(report.value.as_ref()),
        amount(report.spend.as_ref()),
        amount(report.cac.as_ref()),
        "–".to_owned(),
    ];
    let headings = [
        "credited to",
        "customers",
        "first purchases",
        "spend",
        "cost per customer",
        "lost without",
    ];
    let lines = lines.chain(std::iter::once(all)).collect();
    format!("{}\n{}", table(&headings, lines), told(report))
}

/// By which rule, in words.
fn told(report: &AttributionReport) -> String {
    let name = report.model().as_str_name();
    let name = name.strip_prefix("ATTRIBUTION_MODEL_").unwrap_or(name);
    let half_life = report.half_life_days;
    let half_life = half_life.map_or(String::new(), |days| format!(", half-life {days} days"));
    let closed = report.closed_journeys;
    let closed = closed.map_or(String::new(), |closed| {
        format!(", with {} closed journeys", count(closed))
    });
    let others = match report.other_currency_conversions {
        0 => String::new(),
        others => format!(
            "\n{} customers of other currencies are left out",
            count(others)
        ),
    };
    format!(
        "{name}, touches of {} days before the conversion{half_life}{closed}{others}",
        report.window_days
    )
}

#[cfg(test)]
mod tests {
    use patron_proto::acquisition::v1::{AttributionLine, AttributionModel, AttributionReport};
    use patron_proto::types::v1::Money;

    use super::shown;

    fn line(touch_point: &str, credit: f64) -> AttributionLine {
        let money = Money {
            currency_code: "EUR".to_owned(),
            minor_units: 123_456_789_012,
        };
        AttributionLine {
            touch_point: touch_point.to_owned(),
            credit,
            value: Some(money.clone()),
            spend: Some(money),
            cac: None,
            removal_effect: Some(0.25),
        }
    }

    #[test]
    fn a_channel_in_brackets_is_one_like_the_others() {
        let report = AttributionReport {
            lines: vec![
                line("search", 1.0),
                line("(unattributed)", 9.0),
                line("(direct)", 5.0),
            ],
            ..AttributionReport::default()
        };
        let text = shown(&report);
        let place = |what: &str| text.find(what).unwrap();
        assert!(place("(direct)") < place("search"), "{text}");
        assert!(place("search") < place("(unattributed)"), "{text}");
    }

    #[test]
    fn the_most_credited_stand_first_what_is_unattributed_last_within_a_hundred_columns() {
        let report = AttributionReport {
            model: AttributionModel::TimeDecay as i32,
            window_days: 90,
            half_life_days: Some(7.0),
            lines: vec![
                line(
                    &format!("propositions/{0}/campaigns/{0}", "a".repeat(63)),
                    1.0,
                ),
                line("propositions/p/campaigns/fast", 1_000.5),
                line("(unattributed)", 9_000.0),
            ],
            ..AttributionReport::default()
        };
        let text = shown(&report);
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
        let place = |what: &str| text.find(what).unwrap();
        assert!(place("p/fast") < place("aaaa"), "{text}");
        assert!(place("aaaa") < place("(unattributed)"), "{text}");
        assert!(text.contains("1,000.50"), "{text}");
        assert!(
            text.ends_with(
                "TIME_DECAY, touches of 90 days before the conversion, half-life 7 days"
            )
        );
    }
}
