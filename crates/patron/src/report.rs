//! `patron report`: who stayed in a period, who left and why.

use std::fmt::Write as _;

use jiff::civil::Date;
use patron_proto::retention::v1::{GetRetentionReportRequest, RecurringMovement, RetentionReport};

use crate::connect::{Services, said};
use crate::moment::{Moment, day as day_of, midnight};
use crate::show::{amount, count, day, interval, json, percent, print, spoken, table};

/// Which period.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    services: Services,
    /// The first day of the period, such as 2026-01-01: who stayed since when?
    #[arg(long, value_name = "DAY", value_parser = day_of)]
    start: Date,
    /// The day after the last one of the period [default: up to now].
    #[arg(long, value_name = "DAY", value_parser = day_of)]
    end: Option<Date>,
    #[command(flatten)]
    moment: Moment,
    /// JSON for programs.
    #[arg(long)]
    json: bool,
}

/// Shows the report.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut retention = args.services.retention().await?;
    let request = GetRetentionReportRequest {
        start: Some(midnight(args.start)?),
        end: args.end.map(midnight).transpose()?,
        as_of: args.moment.as_of(),
        known_at: args.moment.known_at(),
        known_at_position: args.moment.token(),
    };
    let report = retention.reports.get_retention_report(request).await;
    let report = report.map_err(|status| said(&status))?.into_inner();
    print(if args.json {
        json(&report)?
    } else {
        shown(&report)
    });
    Ok(())
}

/// The report as a person reads it: people before money.
fn shown(report: &RetentionReport) -> String {
    let line = |what: &str, people: i64| vec![what.to_owned(), count(people)];
    let people = vec![
        line("active at the start", report.opening),
        line("+ created", report.created),
        line("+ won back", report.won_back),
        line("- lost", report.lost),
        line("= active at the end", report.closing),
        line("of those at the start still there", report.kept),
    ];
    let span = format!(
        "{} to {}",
        day(report.start.as_ref()),
        day(report.end.as_ref())
    );
    let mut text = table(&[&span, "customers"], people);
    if report.retention_rate.is_some() {
        let sure = interval(report.retention_rate_low, report.retention_rate_high);
        let rate = percent(report.retention_rate);
        let _infallible = write!(text, "\nretention rate {rate} (95 % interval {sure})");
    }
    if !report.churn.is_empty() {
        let lines = report.churn.iter().map(|line| {
            let cause = spoken(line.cause().as_str_name(), "LOSS_CAUSE_");
            let reason = spoken(line.reason().as_str_name(), "LOSS_REASON_");
            let reason = if line.reason == 0 {
                String::new()
            } else {
                format!(": {reason}")
            };
            vec![
                cause + &reason,
                count(line.count),
                percent(Some(line.share)),
            ]
        });
        text.push_str("\n\n");
        text.push_str(&table(&["lost by", "customers", "share"], lines.collect()));
    }
    for movement in &report.recurring {
        text.push_str("\n\n");
        text.push_str(&recurring(movement));
    }
    text
}

fn recurring(movement: &RecurringMovement) -> String {
    let line = |what: &str, money| vec![what.to_owned(), amount(money)];
    let lines = vec![
        line("at the start", movement.opening.as_ref()),
        line("+ new", movement.new.as_ref()),
        line("+ reactivated", movement.reactivated.as_ref()),
        line("+ expanded", movement.expanded.as_ref()),
        line("- contracted", movement.contracted.as_ref()),
        line("- churned", movement.churned.as_ref()),
        line("= at the end", movement.closing.as_ref()),
    ];
    let gross = percent(movement.gross_retention_rate);
    let net = percent(movement.net_retention_rate);
    let figures = table(&["recurring revenue", "a month"], lines);
    format!("{figures}\ngross revenue retention {gross}, net {net}")
}

#[cfg(test)]
mod tests {
    use patron_proto::retention::v1::{ChurnLine, LossCause, RecurringMovement, RetentionReport};

    use super::shown;

    #[test]
    fn a_report_says_people_first_then_why_then_money() {
        let report = RetentionReport {
            opening: 4,
            kept: 3,
            retention_rate: Some(0.75),
            retention_rate_low: Some(0.3),
            retention_rate_high: Some(0.95),
            churn: vec![ChurnLine {
                cause: LossCause::PaymentFailure as i32,
                count: 1,
                share: 1.0,
                ..ChurnLine::default()
            }],
            recurring: vec![RecurringMovement {
                gross_retention_rate: Some(0.87),
                net_retention_rate: Some(1.02),
                ..RecurringMovement::default()
            }],
            ..RetentionReport::default()
        };
        let text = shown(&report);
        let place = |what: &str| {
            text.find(what)
                .unwrap_or_else(|| panic!("no {what} in {text}"))
        };
        assert!(place("still there") < place("75.0 % (95 % interval 30–95 %)"));
        assert!(place("75.0 %") < place("payment failure"));
        assert!(place("payment failure") < place("gross revenue retention 87.0 %, net 102.0 %"));
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
    }
}
