//! `patron gaps`: where customers perceive less than they were made to expect.

use clap::ValueEnum;
use patron_proto::retention::v1::{GapDimension, ListPromiseGapsRequest, PromiseGap};

use crate::connect::Services;
use crate::moment::Moment;
use crate::pages::Paging;
use crate::show::{count, csv, json, more, print, short, table};

/// Which gaps.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    services: Services,
    /// What the lines are.
    #[arg(long, value_enum, default_value = "benefit")]
    by: By,
    /// Only promises of this proposition: its id, or `propositions/ID`.
    #[arg(long, default_value = "", value_name = "ID", hide_default_value = true)]
    proposition: String,
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    moment: Moment,
    /// JSON for programs.
    #[arg(long)]
    json: bool,
    /// CSV for programs and sheets.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// What the lines are.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    Benefit,
    Campaign,
    Owner,
}

impl By {
    const fn asked(self) -> GapDimension {
        match self {
            Self::Benefit => GapDimension::Benefit,
            Self::Campaign => GapDimension::Campaign,
            Self::Owner => GapDimension::Owner,
        }
    }
}

/// Lists the gaps.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let retention = args.services.retention().await?;
    let proposition = match args.proposition.as_str() {
        "" => String::new(),
        name if name.starts_with("propositions/") => name.to_owned(),
        id => format!("propositions/{id}"),
    };
    let ask = |page_size, page_token| {
        let request = ListPromiseGapsRequest {
            dimension: args.by.asked() as i32,
            proposition: proposition.clone(),
            page_size,
            page_token,
            as_of: args.moment.as_of(),
            known_at: args.moment.known_at(),
            known_at_position: args.moment.token(),
        };
        let mut reports = retention.reports.clone();
        async move { reports.list_promise_gaps(request).await }
    };
    let found = args.paging.ask(args.json || args.csv, ask).await?;
    print(if args.json {
        json(&found)?
    } else if args.csv {
        sheet(&found.gaps)?.trim_end().to_owned()
    } else if found.gaps.is_empty() {
        "no promise has a score yet: they come with `perceived_score` of AssessPromise".to_owned()
    } else {
        shown(&found.gaps) + &more(&found.next_page_token)
    });
    Ok(())
}

fn score(score: f64) -> String {
    format!("{score:.2}")
}

fn signed(gap: f64) -> String {
    format!("{gap:+.2}")
}

fn shown(gaps: &[PromiseGap]) -> String {
    let headings = [
        "worst first",
        "scored",
        "expected",
        "perceived",
        "gap",
        "weighted gap",
    ];
    let lines = gaps.iter().map(|gap| {
        vec![
            short(&gap.name),
            count(gap.scored),
            score(gap.expected_score),
            score(gap.perceived_score),
            signed(gap.gap),
            gap.weighted_gap.map_or_else(|| "–".to_owned(), signed),
        ]
    });
    table(&headings, lines.collect())
}

fn sheet(gaps: &[PromiseGap]) -> anyhow::Result<String> {
    let headings = [
        "name",
        "scored",
        "expected",
        "perceived",
        "gap",
        "weighted_gap",
    ];
    let lines = gaps.iter().map(|gap| {
        vec![
            gap.name.clone(),
            gap.scored.to_string(),
            gap.expected_score.to_string(),
            gap.perceived_score.to_string(),
            gap.gap.to_string(),
            gap.weighted_gap
                .map(|gap| gap.to_string())
                .unwrap_or_default(),
        ]
    });
    csv(&headings, lines.collect())
}
