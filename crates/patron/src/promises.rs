//! `patron promises`: the promise ledger, by benefit.

use patron_proto::acquisition::v1::GetPropositionRequest;
use patron_proto::retention::v1::{GetPromiseLedgerRequest, PromiseLedger, PromiseLedgerLine};

use crate::connect::{Services, said};
use crate::moment::Moment;
use crate::show::{interval, json, last, percent, print, ratio, table};

/// Which promises.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    services: Services,
    /// Only those of this proposition.
    #[arg(value_name = "PROPOSITION")]
    proposition: Option<String>,
    #[command(flatten)]
    moment: Moment,
    /// JSON for programs.
    #[arg(long)]
    json: bool,
}

/// Shows the promise ledger.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut retention = args.services.retention().await?;
    let proposition = args
        .proposition
        .map(|id| format!("propositions/{}", last(&id)))
        .unwrap_or_default();
    let request = GetPromiseLedgerRequest {
        proposition: proposition.clone(),
        min_position: String::new(),
        as_of: args.moment.as_of(),
        known_at: args.moment.known_at(),
        known_at_position: args.moment.token(),
    };
    let ledger = retention.promises.get_promise_ledger(request).await;
    let ledger = ledger.map_err(|status| said(&status))?.into_inner();
    if ledger.lines.is_empty() && !proposition.is_empty() {
        // Retention knows a proposition by the promises that were made of it; acquisition knows whether it is one.
        let mut acquisition = args.services.acquisition().await?;
        let request = GetPropositionRequest {
            name: proposition,
            ..GetPropositionRequest::default()
        };
        let known = acquisition.propositions.get_proposition(request).await;
        known.map_err(|status| said(&status))?;
    }
    print(if args.json {
        json(&ledger)?
    } else {
        shown(&ledger)
    });
    Ok(())
}

/// The ledger as a person reads it.
pub(crate) fn shown(ledger: &PromiseLedger) -> String {
    let mut lines: Vec<Vec<String>> = ledger
        .lines
        .iter()
        .map(|line| {
            figures(
                &format!("{} / {}", last(&line.proposition), line.benefit_id),
                line,
            )
        })
        .collect();
    lines.extend(ledger.total.as_ref().map(|total| figures("all", total)));
    let headings = [
        "benefit",
        "made",
        "kept",
        "broken",
        "repaired",
        "open",
        "overdue",
        "kept rate",
        "95 %",
        "gap",
    ];
    table(&headings, lines)
}

fn figures(what: &str, line: &PromiseLedgerLine) -> Vec<String> {
    vec![
        what.to_owned(),
        line.made.to_string(),
        line.kept.to_string(),
        line.broken.to_string(),
        line.repaired.to_string(),
        line.open.to_string(),
        line.overdue.to_string(),
        percent(line.kept_rate),
        interval(line.kept_rate_lower, line.kept_rate_upper),
        ratio(line.mean_gap),
    ]
}
