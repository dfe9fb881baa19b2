//! `patron import`: brings data in from files.
//!
//! Every row has an id that is the same at every import, and the service takes each id once. So an import
//! that was cut off, by Ctrl-C or worse, is simply run again: what is in is in, the rest follows.

mod columns;
mod rejects;
mod row;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use eventsourcing::Time;
use futures::stream::{self, StreamExt as _};
use indicatif::{ProgressBar, ProgressStyle};
use money::Currency;
use patron_proto::retention::v1::{
    BatchRecordPurchasesRequest, Purchase, PurchaseItem, PurchaseResult,
};
use server::{money_out, timestamp};
use uuid::Uuid;

use self::columns::Columns;
use self::rejects::Rejects;
use self::row::{PurchaseRow, RowReader};
use crate::connect::{Retention, Services, said};
use crate::show::{grouped, print};

/// What to bring in.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Purchases, and the customers who made them.
    Purchases(Args),
}

/// Which purchases.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    services: Services,
    /// A CSV file with the columns `customer_id`, `date` or `occurred_at`, `amount` (or `amount_usd` and the
    /// like), and if you have them `currency`, `purchase_id`, `contribution_margin`.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The currency of amounts whose row does not say, such as EUR.
    #[arg(long, value_name = "CODE")]
    currency: Option<Currency>,
}

/// What an import came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) recorded: u64,
    /// In before.
    pub(crate) unchanged: u64,
    pub(crate) rejected: u64,
    pub(crate) rejects: Option<PathBuf>,
}

/// Rows of one request.
const BATCH: usize = 500;
/// Requests under way at once.
const AT_ONCE: usize = 4;
/// The namespace of this command's request ids: a batch cut the same way again is the same request.
const REQUESTS: Uuid = Uuid::from_u128(0x7061_7472_6f6e_4000_8000_696d_706f_7274);

/// Imports.
pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    let Command::Purchases(args) = command;
    let retention = args.services.retention().await?;
    let outcome = purchases(&retention, &args.file, args.currency).await?;
    print(summary(&outcome));
    Ok(())
}

/// An import's outcome in words.
pub(crate) fn summary(outcome: &Outcome) -> String {
    let count = |number: u64| grouped(&number.to_string());
    let mut parts = vec![format!("{} purchases recorded", count(outcome.recorded))];
    if outcome.unchanged > 0 {
        parts.push(format!("{} were in before", count(outcome.unchanged)));
    }
    if let Some(rejects) = &outcome.rejects {
        let rejected = count(outcome.rejected);
        let file = rejects.display();
        parts.push(format!("{rejected} rows rejected, with reasons in {file}"));
    }
    parts.join("; ")
}

/// Reads the file and records its purchases, with a progress bar on a terminal.
pub(crate) async fn purchases(
    retention: &Retention,
    file: &Path,
    currency: Option<Currency>,
) -> anyhow::Result<Outcome> {
    let mut rejects = Rejects::beside(file)?;
    let rows = read(file, currency, &mut rejects)?;
    let began = first_purchases(&rows);
    let bar = bar(rows.len());
    let batches: Vec<&[PurchaseRow]> = rows.chunks(BATCH).collect();
    let sending = batches
        .iter()
        .map(|batch| send(retention.clone(), batch, &began));
    let mut sent = stream::iter(sending).buffered(AT_ONCE);
    let mut outcome = Outcome::default();
    let mut done = batches.iter();
    while let Some(results) = sent.next().await {
        let batch = done.next().copied().unwrap_or_default();
        for (row, result) in batch.iter().zip(results?) {
            match (result.code, result.unchanged) {
                (0, false) => outcome.recorded += 1,
                (0, true) => outcome.unchanged += 1,
                _ => {
                    let reason = format!("{} ({})", result.message, result.reason);
                    rejects.add(row.line, &reason, &row.text())?;
                }
            }
        }
        bar.inc(batch.len() as u64);
    }
    bar.finish_and_clear();
    outcome.rejected = rejects.count();
    outcome.rejects = rejects.finish()?;
    Ok(outcome)
}

fn read(
    file: &Path,
    currency: Option<Currency>,
    rejects: &mut Rejects,
) -> anyhow::Result<Vec<PurchaseRow>> {
    let context = || format!("reading {}", file.display());
    let opened = File::open(file).with_context(context)?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(opened);
    let columns = Columns::read(reader.headers().with_context(context)?.iter());
    let columns = columns.map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
    if !columns.ignored.is_empty() {
        tracing::info!(
            columns = columns.ignored.join(", "),
            "columns that mean nothing here"
        );
    }
    let mut rows = Vec::new();
    let mut row_reader = RowReader::new(columns, currency);
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                match row_reader.read(line, &record) {
                    Ok(row) => rows.push(row),
                    Err(reason) => {
                        let text: Vec<&str> = record.iter().collect();
                        rejects.add(line, &reason, &text.join(","))?;
                    }
                }
            }
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                rejects.add(line, &error.to_string(), "")?;
            }
        }
    }
    Ok(rows)
}

/// When each customer bought first: that is when the relationship began, wherever in the file it stands.
fn first_purchases(rows: &[PurchaseRow]) -> HashMap<&str, Time> {
    let mut first: HashMap<&str, Time> = HashMap::new();
    for row in rows {
        let at = first.entry(&row.customer_id).or_insert(row.occurred_at);
        *at = (*at).min(row.occurred_at);
    }
    first
}

async fn send(
    mut retention: Retention,
    batch: &[PurchaseRow],
    began: &HashMap<&str, Time>,
) -> anyhow::Result<Vec<PurchaseResult>> {
    let ids: Vec<&str> = batch.iter().map(|row| row.purchase_id.as_str()).collect();
    let request_id = Uuid::new_v5(&REQUESTS, ids.join("\n").as_bytes()).to_string();
    let items = batch.iter().map(|row| item(row, began)).collect();
    let request = BatchRecordPurchasesRequest { items, request_id };
    let answer = retention.customers.batch_record_purchases(request).await;
    let results = answer.map_err(|status| {
        said(&status).context("the import stopped; run the same command again to go on")
    })?;
    Ok(results.into_inner().results)
}

fn item(row: &PurchaseRow, began: &HashMap<&str, Time>) -> PurchaseItem {
    let margin = row.contribution_margin;
    let margin = margin.map(|minor| money_out(money::Money::new(row.amount.currency, minor)));
    PurchaseItem {
        parent: String::new(),
        external_id: row.customer_id.clone(),
        acquired_at: began.get(row.customer_id.as_str()).copied().map(timestamp),
        purchase: Some(Purchase {
            purchase_id: row.purchase_id.clone(),
            amount: Some(money_out(row.amount)),
            contribution_margin: margin,
            occurred_at: Some(timestamp(row.occurred_at)),
            ..Default::default()
        }),
    }
}

fn bar(rows: usize) -> ProgressBar {
    let bar = ProgressBar::new(rows as u64);
    if let Ok(style) = ProgressStyle::with_template(
        "{bar:40} {human_pos}/{human_len} purchases, {per_sec}, {eta} left",
    ) {
        bar.set_style(style);
    }
    bar
}
