//! `patron funnel`: how far prospects come.

use clap::ValueEnum;
use patron_proto::acquisition::v1::{Funnel, FunnelDimension, FunnelLine, GetFunnelRequest};

use crate::connect::{Services, said};
use crate::moment::{Moment, Period};
use crate::show::{count, days, json, print, short, table};

/// Which funnel.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    services: Services,
    #[command(flatten)]
    period: Period,
    /// What the lines tell apart.
    #[arg(long, value_enum, default_value = "campaign")]
    by: By,
    #[command(flatten)]
    moment: Moment,
    /// JSON for programs.
    #[arg(long)]
    json: bool,
}

/// What lines tell apart.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    Proposition,
    Problem,
    Campaign,
    Channel,
}

impl By {
    const fn dimension(self) -> FunnelDimension {
        match self {
            Self::Proposition => FunnelDimension::Proposition,
            Self::Problem => FunnelDimension::Problem,
            Self::Campaign => FunnelDimension::Campaign,
            Self::Channel => FunnelDimension::Channel,
        }
    }
}

/// Shows the funnel.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut acquisition = args.services.acquisition().await?;
    let request = GetFunnelRequest {
        start: args.period.start()?,
        end: args.period.end()?,
        dimension: args.by.dimension() as i32,
        as_of: args.moment.as_of(),
        known_at: args.moment.known_at(),
        known_at_position: args.moment.token(),
    };
    let funnel = acquisition.reports.get_funnel(request).await;
    let funnel = funnel.map_err(|status| said(&status))?.into_inner();
    print(if args.json {
        json(&funnel)?
    } else {
        shown(&funnel)
    });
    Ok(())
}

/// The funnel as a person reads it.
pub(crate) fn shown(funnel: &Funnel) -> String {
    let headings = [
        "prospects",
        "created",
        "identified",
        "qualified",
        "converted",
        "closed",
        "days to convert",
    ];
    let mut lines: Vec<Vec<String>> = funnel
        .lines
        .iter()
        .map(|line| stages(&short(&line.key), line))
        .collect();
    lines.extend(funnel.total.as_ref().map(|total| stages("all", total)));
    let mut text = table(&headings, lines);
    let closed = funnel.total.iter().flat_map(|total| &total.closed_for);
    let reasons: Vec<Vec<String>> = closed
        .map(|closed| {
            let name = closed.reason().as_str_name();
            let name = name.strip_prefix("CLOSE_REASON_").unwrap_or(name);
            vec![name.to_lowercase().replace('_', " "), count(closed.count)]
        })
        .collect();
    if !reasons.is_empty() {
        text.push_str("\n\n");
        text.push_str(&table(&["closed for", ""], reasons));
    }
    text
}

fn stages(what: &str, line: &FunnelLine) -> Vec<String> {
    vec![
        what.to_owned(),
        count(line.created),
        count(line.identified),
        count(line.qualified),
        count(line.converted),
        count(line.closed),
        days(line.median_days_created_to_converted),
    ]
}

#[cfg(test)]
mod tests {
    use patron_proto::acquisition::v1::{CloseReason, ClosedFor, Funnel, FunnelLine};

    use super::shown;

    #[test]
    fn a_funnel_fits_a_hundred_columns_and_says_why_people_were_closed() {
        let line = FunnelLine {
            key: format!("propositions/{0}/campaigns/{0}", "a".repeat(63)),
            created: 1_234_567,
            closed: 1,
            closed_for: vec![ClosedFor {
                reason: CloseReason::LostToCompetitor as i32,
                count: 1,
            }],
            ..FunnelLine::default()
        };
        let funnel = Funnel {
            total: Some(line.clone()),
            lines: vec![line],
            ..Funnel::default()
        };
        let text = shown(&funnel);
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
        assert!(text.contains("lost to competitor"), "{text}");
        assert!(text.contains("1,234,567") && text.contains('–'), "{text}");
    }
}
