//! `patron bench reports`: what it takes to bring much in, and what the reports over it cost.

mod acquisition;
mod books;
mod draw;
mod figures;
mod retention;

use serde::Serialize;

use self::draw::Sizes;
use self::figures::{Figures, shown};
use super::process::Server;
use crate::show::print;

/// How to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Prospects whose journeys are told to an end; one of four converts. 0 leaves acquisition out.
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    journeys: u32,
    /// Touches of these prospects, on 20 channels and by 20 campaigns.
    #[arg(long, default_value_t = 40_000, value_parser = clap::value_parser!(u32).range(..=5_000_000))]
    touchpoints: u32,
    /// Customers who are imported with their purchases. 0 leaves retention out.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(..=2_000_000))]
    customers: u32,
    /// Purchases of these customers, about so many: each buys at least once.
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(..=5_000_000))]
    purchases: u32,
    /// How many of the customers are on one work list.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    work: u32,
    /// How often each question is asked.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    times: u32,
    /// The same seed is the same business.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// JSON for programs.
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Found {
    sizes: Sizes,
    figures: Figures,
    /// What the process of both services holds at the end, and the most it ever held, in MiB.
    resident_mib: f64,
    most_resident_mib: f64,
}

/// Measures.
pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("patron-bench-").tempdir()?;
    let server = Server::start(folder.path(), None).await?;
    server.ready().await?;
    let mut figures = Figures::new(args.times, server.meter()?);
    let sizes = Sizes {
        journeys: args.journeys,
        touchpoints: args.touchpoints.max(args.journeys),
        customers: args.customers,
        purchases: args.purchases.max(args.customers),
        work: args.work.min(args.customers),
        seed: args.seed,
    };
    let measured = measure(&server, folder.path(), &sizes, &mut figures).await;
    let memory = server.meter()?.memory();
    server.stop().await?;
    measured?;
    let memory = memory?;
    let found = Found {
        sizes,
        figures,
        resident_mib: memory.now,
        most_resident_mib: memory.most,
    };
    print(if args.json {
        serde_json::to_string_pretty(&found)?
    } else {
        format!(
            "{}\n{:.0} MiB resident at the end, {:.0} MiB at most",
            shown(&found.figures),
            found.resident_mib,
            found.most_resident_mib
        )
    });
    Ok(())
}

async fn measure(
    server: &Server,
    folder: &std::path::Path,
    sizes: &Sizes,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    if sizes.journeys > 0 {
        acquisition::measure(server, folder, sizes, figures).await?;
    }
    if sizes.customers > 0 {
        retention::measure(server, folder, sizes, figures).await?;
    }
    Ok(())
}
