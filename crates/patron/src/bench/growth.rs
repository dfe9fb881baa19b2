//! `patron bench growth`: what a command and a page cost where there is little, and where there is much.

use std::time::Duration;

use anyhow::Context as _;
use patron_proto::retention::v1 as ret;
use serde::Serialize;
use tokio::time::Instant;

use super::load::{self, quantile};
use super::millis;
use super::process::Server;
use crate::connect::{Retention, request_id, said};
use crate::show::{print, table};

/// How to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How often each thing is done; the median counts.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    times: u32,
    /// JSON for programs.
    #[arg(long)]
    json: bool,
}

/// What was found: medians, in milliseconds.
#[derive(Debug, Serialize)]
struct Found {
    purchase: Costs,
    page: Costs,
}

/// What the same thing costs where there is little and where there is much.
#[derive(Debug, Serialize)]
struct Costs {
    little_ms: f64,
    much_ms: f64,
    ratio: f64,
}

impl Costs {
    fn of(little: Vec<Duration>, much: Vec<Duration>) -> Self {
        let (little_ms, much_ms) = (median(little), median(much));
        Self {
            little_ms,
            much_ms,
            ratio: much_ms / little_ms,
        }
    }
}

const FEW: usize = 10;
const MANY: usize = 10_000;
const BATCH: usize = 1_000;
/// Purchases of a page: a thousand pages are all that there are.
const PAGE: i32 = 10;
const PAGES: usize = 1_000;

/// Measures.
pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("patron-bench-").tempdir()?;
    let server = Server::start(folder.path(), None).await?;
    server.ready().await?;
    let mut acquisition = server.services.acquisition().await?;
    let proposed = load::propose(&mut acquisition).await;
    proposed.map_err(|status| said(&status))?;
    let mut retention = server.services.retention().await?;
    let found = measure(&mut retention, args.times).await;
    server.stop().await?;
    let found = found?;
    print(if args.json {
        serde_json::to_string_pretty(&found)?
    } else {
        shown(&found)
    });
    Ok(())
}

async fn measure(retention: &mut Retention, times: u32) -> anyhow::Result<Found> {
    // One customer with many purchases, and so many with few that none of them gets many.
    let many = customer(retention, 0, MANY).await?;
    let mut few = Vec::new();
    for number in 1..=times.div_ceil(5) {
        few.push(customer(retention, number, FEW).await?);
    }
    let (mut of_few, mut of_many) = (Vec::new(), Vec::new());
    for (round, small) in (0..times).zip(few.iter().cycle()) {
        // In turns, so that both see the same machine.
        of_few.push(buy(retention, small, round).await?);
        of_many.push(buy(retention, &many, round).await?);
    }
    let last = walk(retention, &many).await?;
    let (mut first_page, mut last_page) = (Vec::new(), Vec::new());
    for _ in 0..times {
        first_page.push(page(retention, &many, "").await?.0);
        last_page.push(page(retention, &many, &last).await?.0);
    }
    Ok(Found {
        purchase: Costs::of(of_few, of_many),
        page: Costs::of(first_page, last_page),
    })
}

/// A customer with so many purchases.
async fn customer(
    retention: &mut Retention,
    number: u32,
    purchases: usize,
) -> anyhow::Result<String> {
    let name = load::open(retention, number).await;
    let name = name.map_err(|status| said(&status))?;
    let ids: Vec<usize> = (0..purchases).collect();
    for batch in ids.chunks(BATCH) {
        let items = batch.iter().map(|id| ret::PurchaseItem {
            parent: name.clone(),
            purchase: Some(ret::Purchase {
                purchase_id: format!("old-{id:05}"),
                amount: load::money(1_000),
                ..Default::default()
            }),
            ..Default::default()
        });
        let request = ret::BatchRecordPurchasesRequest {
            items: items.collect(),
            request_id: request_id(),
        };
        let recorded = retention.customers.batch_record_purchases(request).await;
        recorded.map_err(|status| said(&status))?;
    }
    Ok(name)
}

/// How long it takes to record one more.
async fn buy(retention: &mut Retention, customer: &str, round: u32) -> anyhow::Result<Duration> {
    let request = load::purchase(customer, round.into());
    let started = Instant::now();
    let recorded = retention.customers.record_purchase(request).await;
    recorded.map_err(|status| said(&status))?;
    Ok(started.elapsed())
}

/// The token of the thousandth page.
async fn walk(retention: &mut Retention, customer: &str) -> anyhow::Result<String> {
    let mut token = String::new();
    for _ in 1..PAGES {
        token = page(retention, customer, &token).await?.1;
    }
    Ok(token)
}

/// How long a page takes, and the token of the next.
async fn page(
    retention: &mut Retention,
    customer: &str,
    token: &str,
) -> anyhow::Result<(Duration, String)> {
    let request = ret::ListPurchasesRequest {
        parent: customer.to_owned(),
        page_size: PAGE,
        page_token: token.to_owned(),
        ..Default::default()
    };
    let started = Instant::now();
    let listed = retention.customers.list_purchases(request).await;
    let listed = listed.map_err(|status| said(&status))?.into_inner();
    let took = started.elapsed();
    let full = usize::try_from(PAGE).context("a page has a size")?;
    anyhow::ensure!(listed.purchases.len() == full, "a page is not full");
    Ok((took, listed.next_page_token))
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    millis(quantile(&times, 50))
}

fn shown(found: &Found) -> String {
    let line = |what: &str, costs: &Costs| {
        vec![
            what.to_owned(),
            format!("{:.2}", costs.little_ms),
            format!("{:.2}", costs.much_ms),
            format!("{:.2}", costs.ratio),
        ]
    };
    table(
        &["median ms", "little", "much", "ratio"],
        vec![
            line(
                "a purchase of a customer with 10 and with 10,000",
                &found.purchase,
            ),
            line("page 1 and page 1,000 of purchases", &found.page),
        ],
    )
}
