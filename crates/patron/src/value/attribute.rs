//! `patron value attribute`: credit for channels from a table of journeys.

use std::io::Read;
use std::path::PathBuf;

use attribution::{HalfLife, Journey, Report, Rule, Touch, attribute};
use serde::Serialize;

use super::output::{self, Format, figure};
use super::rows::{Rejected, Row, Rows};
use crate::show;

/// Divide conversions over the channels that touched them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A CSV file: path (`a > b > c`), `days_before_end` (`9 > 4 > 1`), conversions, `value_minor`, `non_conversions`, and
    /// optionally case and open
    file: PathBuf,
    /// A rule, or several; without it, all of them
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    rule: Vec<Rule>,
    /// Days in which a touch loses half its weight under `TIME_DECAY`
    #[arg(long, value_name = "DAYS", default_value = "7", value_parser = half_life)]
    half_life: HalfLife,
    #[command(flatten)]
    format: Format,
}

fn half_life(text: &str) -> Result<HalfLife, String> {
    let days = text.parse().ok().and_then(HalfLife::days);
    days.ok_or_else(|| "a half-life is a positive number of days".to_owned())
}

/// What conversions without a touch are credited to.
const UNATTRIBUTED: &str = "(unattributed)";

#[derive(Debug, Serialize)]
struct Answer {
    cases: Vec<CaseAnswer>,
    rejected: Vec<Rejected>,
}

#[derive(Debug, Serialize)]
struct CaseAnswer {
    case: String,
    model: &'static str,
    conversions: u64,
    open: u64,
    value_minor: i64,
    credits: Vec<CreditRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    markov: Option<Effects>,
}

#[derive(Debug, Serialize)]
struct CreditRow {
    channel: String,
    conversions_credit: f64,
    value_credit_minor_exact: f64,
    value_credit_minor_rounded: i64,
}

#[derive(Debug, Serialize)]
struct Effects {
    p_conversion: f64,
    removal_effects: Vec<(String, f64)>,
}

/// Journeys by case, in the order of the file; a file without cases is one case.
pub(super) type Cases = Vec<(String, Vec<Journey<String>>)>;

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let (cases, rejected) = read(Rows::open(&args.file)?)?;
    let mut answers = Vec::new();
    for (case, journeys) in &cases {
        for rule in rules(args) {
            answers.push(CaseAnswer::of(case, rule, attribute(journeys, rule)?));
        }
    }
    let answer = Answer {
        cases: answers,
        rejected,
    };
    if args.format.json {
        return output::json(&answer);
    }
    if args.format.csv {
        output::note_rejected(&answer.rejected);
        return csv(&answer);
    }
    output::text(&for_people(&answer))
}

fn rules(args: &Args) -> Vec<Rule> {
    let wanted = if args.rule.is_empty() {
        Rule::all().to_vec()
    } else {
        args.rule.clone()
    };
    wanted
        .into_iter()
        .map(|rule| {
            if matches!(rule, Rule::TimeDecay(_)) {
                Rule::TimeDecay(args.half_life)
            } else {
                rule
            }
        })
        .collect()
}

pub(super) fn read<R: Read>(mut rows: Rows<R>) -> anyhow::Result<(Cases, Vec<Rejected>)> {
    let columns = &rows.columns;
    let (case, open) = (columns.find(&["case"]), columns.find(&["open"]));
    let (path, days) = (columns.need(&["path"])?, columns.find(&["days_before_end"]));
    let conversions = columns.need(&["conversions"])?;
    let value = columns.find(&["value_minor"]);
    let non_conversions = columns.find(&["non_conversions"]);
    let mut cases: Cases = Vec::new();
    let rejected = rows.for_each(|row| {
        let count = |place: Option<usize>, name| {
            place.map_or(Ok(0), |place| row.number::<u64>(place, name))
        };
        let journey = Journey {
            path: touches(row, path, days)?,
            conversions: row.number(conversions, "conversions")?,
            value_minor: value.map_or(Ok(0), |place| row.number(place, "value_minor"))?,
            non_conversions: count(non_conversions, "non_conversions")?,
            open: count(open, "open")?,
        };
        if journey.conversions == 0 && journey.value_minor != 0 {
            return Err("there is a value without a conversion".to_owned());
        }
        if journey.value_minor < 0 {
            return Err("a value is negative".to_owned());
        }
        let name = case.map_or("", |place| row.text(place));
        match cases.iter_mut().find(|(known, _)| known == name) {
            Some((_, journeys)) => journeys.push(journey),
            None => cases.push((name.to_owned(), vec![journey])),
        }
        Ok(())
    })?;
    Ok((cases, rejected))
}

/// `a > b > c` with `9 > 4 > 1`; an empty path has no touches.
fn touches(row: &Row<'_>, path: usize, days: Option<usize>) -> Result<Vec<Touch<String>>, String> {
    let split = |text: &str| {
        text.split('>')
            .map(|part| part.trim().to_owned())
            .collect::<Vec<_>>()
    };
    if row.text(path).is_empty() {
        return Ok(Vec::new());
    }
    let channels = split(row.text(path));
    let ages = match days {
        Some(place) => split(row.text(place))
            .iter()
            .map(|text| text.parse().ok().filter(|days: &f64| *days >= 0.0 && days.is_finite()))
            .collect::<Option<Vec<f64>>>()
            .ok_or("days_before_end must be numbers of days, 0 or more: a touch after the end earns no credit")?,
        None => vec![0.0; channels.len()],
    };
    if channels.len() != ages.len() || channels.iter().any(String::is_empty) {
        return Err("path and days_before_end must have the same number of parts".to_owned());
    }
    if ages
        .iter()
        .zip(ages.iter().skip(1))
        .any(|(before, after)| before < after)
    {
        return Err("the touches of a path must be in the order of time".to_owned());
    }
    let touches = channels.into_iter().zip(ages);
    Ok(touches
        .map(|(channel, days_before_end)| Touch {
            channel,
            days_before_end,
        })
        .collect())
}

impl CaseAnswer {
    fn of(case: &str, rule: Rule, report: Report<String>) -> Self {
        Self {
            case: case.to_owned(),
            model: rule.name(),
            conversions: report.conversions,
            open: report.open,
            value_minor: report.value_minor,
            credits: report
                .credits
                .into_iter()
                .map(|credit| CreditRow {
                    channel: credit.channel.unwrap_or_else(|| UNATTRIBUTED.to_owned()),
                    conversions_credit: credit.conversions,
                    value_credit_minor_exact: credit.value_exact,
                    value_credit_minor_rounded: credit.value_minor,
                })
                .collect(),
            markov: report.markov.map(|solution| Effects {
                p_conversion: solution.p_conversion,
                removal_effects: solution.removal_effects,
            }),
        }
    }
}

fn csv(answer: &Answer) -> anyhow::Result<()> {
    let heading = [
        "case",
        "model",
        "channel",
        "conversions_credit",
        "value_credit_minor_exact",
        "value_credit_minor_rounded",
    ];
    let rows = answer.cases.iter().flat_map(|case| {
        case.credits.iter().map(|credit| {
            vec![
                case.case.clone(),
                case.model.to_owned(),
                credit.channel.clone(),
                credit.conversions_credit.to_string(),
                credit.value_credit_minor_exact.to_string(),
                credit.value_credit_minor_rounded.to_string(),
            ]
        })
    });
    output::csv(&heading.map(str::to_owned), rows)
}

fn for_people(answer: &Answer) -> String {
    let mut parts = Vec::new();
    for of_case in answer.cases.chunk_by(|a, b| a.case == b.case) {
        let Some(first) = of_case.first() else {
            continue;
        };
        let heading: Vec<&str> = std::iter::once("conversions")
            .chain(of_case.iter().map(|case| case.model))
            .collect();
        let rows: Vec<Vec<String>> = first
            .credits
            .iter()
            .enumerate()
            .map(|(channel, row)| {
                let credits = of_case.iter().map(|case| {
                    let credit = case.credits.get(channel);
                    credit.map_or_else(String::new, |credit| figure(credit.conversions_credit, 2))
                });
                std::iter::once(row.channel.clone())
                    .chain(credits)
                    .collect()
            })
            .collect();
        let name = if first.case.is_empty() {
            String::new()
        } else {
            format!("{}: ", first.case)
        };
        parts.push(format!(
            "{name}{}, {} still open\n{}",
            show::counted(first.conversions, "conversions"),
            show::counted(first.open, "journeys"),
            show::table(&heading, rows),
        ));
    }
    parts.join("\n\n") + &output::rejected(&answer.rejected)
}

#[cfg(test)]
mod tests {
    use super::{Rows, read};

    #[test]
    fn journeys_are_read_by_case_and_bad_ones_are_set_aside() {
        let text = "case,path,days_before_end,conversions,value_minor,non_conversions\n\
                    m,a > b,3 > 1,2,100,5\nm,,,1,50,0\nn,a,1,0,0,3\n\
                    m,a > b,1 > 3,1,1,0\nm,a > b,1,1,1,0\nm,a,-1,1,1,0\nm,a,1,0,5,0\nm,a,1,1,-5,0\nm,a > ,2 > 1,1,1,0\n";
        let (cases, rejected) = read(Rows::read(text.as_bytes(), 0).unwrap()).unwrap();
        assert_eq!(cases.len(), 2);
        assert_eq!(cases[0].1.len(), 2);
        assert!(cases[0].1[1].path.is_empty());
        let lines: Vec<_> = rejected.iter().map(|row| row.line).collect();
        assert_eq!(lines, [5, 6, 7, 8, 9, 10]);
    }
}
