//! `patron import purchases`: what customers bought, and the customers.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use eventsourcing::Time;
use money::Currency;
use patron_proto::retention::v1::{BatchRecordPurchasesRequest, Purchase, PurchaseItem};
use server::{money_out, timestamp};
use tonic::Status;

use super::columns::Columns;
use super::file;
use super::row::{PurchaseRow, RowReader};
use super::send::{Answered, Outcome, Pace, answered, send_all, send_batch, together};
use super::values;
use crate::connect::{Retention, Services};

/// Which purchases.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) services: Services,
    /// A CSV file with the columns `customer_id`, `date` or `occurred_at`, `amount` (or `amount_usd` and the
    /// like), and if you have them `currency`, `purchase_id`, `contribution_margin`.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// The currency of amounts whose row does not say, such as EUR.
    #[arg(long, value_name = "CODE")]
    pub(super) currency: Option<Currency>,
}

pub(crate) const PACE: Pace = Pace {
    noun: "purchases",
    batch: 1_000,
    at_once: 4,
};

/// Reads the file and records its purchases.
pub(crate) async fn import(
    retention: &Retention,
    path: &Path,
    currency: Option<Currency>,
) -> anyhow::Result<Outcome> {
    let heading = |names: &[&str]| {
        let columns = Columns::read(names)?;
        values::check_heading(columns.currency_in_heading.as_deref(), currency)?;
        Ok(RowReader::new(columns, currency))
    };
    let (rows, rejects) = file::read(path, heading)?;
    let rows = together(rows, |row| &row.customer_id);
    let began = first_purchases(&rows);
    let send = |batch| send(retention, batch, &began);
    send_all(&rows, PACE, rejects, send).await
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
    retention: &Retention,
    batch: &[PurchaseRow],
    began: &HashMap<&str, Time>,
) -> anyhow::Result<Vec<Answered>> {
    let items = batch.iter().map(|row| item(row, began)).collect();
    send_batch(items, |items, request_id| ask(retention, items, request_id)).await
}

async fn ask(
    retention: &Retention,
    items: Vec<PurchaseItem>,
    request_id: String,
) -> Result<Vec<Answered>, Status> {
    let request = BatchRecordPurchasesRequest { items, request_id };
    let mut customers = retention.customers.clone();
    let answer = customers.batch_record_purchases(request).await;
    let results = answer?.into_inner();
    let results = results.results.into_iter();
    let answers = results.map(|it| answered(it.code, it.unchanged, &it.reason, &it.message));
    Ok(answers.collect())
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
