//! `patron demo`: the whole idea on real data, in a temporary folder.

mod story;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use eventsourcing::SystemClock;
use patron_proto::retention::v1::{GetPromiseLedgerRequest, GetScoreboardRequest};
use server::LogSource;

use crate::connect::{Retention, Services, said};
use crate::pair::{Pair, Plan, Settings};
use crate::show::print;
use crate::up::told_to_stop;
use crate::{campaigns, import, promises, scoreboard};

/// How to show it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Stop when everything was shown.
    #[arg(long)]
    exit: bool,
    /// Listen on these two ports from here on instead of on free ones.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
}

/// The purchases that come with Patron: see `data/README.md`.
const CDNOW: &[u8] = include_bytes!("../../../data/cdnow.csv");

/// Runs the demo.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("patron-demo-").tempdir()?;
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let second = if args.port == 0 {
        0
    } else {
        args.port.checked_add(1).context("no such port")?
    };
    let pair = Pair::start(Plan {
        log: LogSource::Embedded(folder.path().join("journal")),
        data: folder.path().join("data"),
        acquisition: Some(local(args.port)),
        retention: Some(local(second)),
        clock: Arc::new(SystemClock),
        settings: Settings::default(),
    })
    .await?;
    let shown = show(&pair, folder.path().join("cdnow.csv")).await;
    if shown.is_ok() && !args.exit {
        hint(&services(&pair)?);
        tokio::select! {
            () = told_to_stop() => {}
            why = pair.failed() => bail!(why),
        }
    }
    pair.stop().await;
    shown
}

fn services(pair: &Pair) -> anyhow::Result<Services> {
    let (Some(acquisition), Some(retention)) = (&pair.acquisition, &pair.retention) else {
        bail!("the demo needs both services");
    };
    Ok(Services {
        acquisition: format!("http://{}", acquisition.address),
        retention: format!("http://{}", retention.address),
    })
}

async fn show(pair: &Pair, cdnow: PathBuf) -> anyhow::Result<()> {
    pair.until_ready().await?;
    let services = services(pair)?;
    let mut acquisition = services.acquisition().await?;
    let mut retention = services.retention().await?;
    heading("A cheap campaign and an honest one");
    story::play(&mut acquisition, &mut retention, &|line: &str| print(line)).await?;
    heading("The campaigns side by side");
    let mut cards = campaigns::scorecards(&mut acquisition, "van-repair").await?;
    cards.retain(|card| card.created > 0.0);
    print(campaigns::shown(&cards));
    story::lift_the_flag(&mut acquisition, &|line: &str| print(line)).await?;
    heading("The promise ledger");
    print(promise_ledger(&mut retention).await?);
    heading("CDNOW: the purchases of an online music store, 1997 and 1998");
    import_cdnow(&retention, cdnow).await?;
    heading("The scoreboard: people first, then money");
    print(whole_scoreboard(&mut retention).await?);
    Ok(())
}

fn heading(text: &str) {
    print(format!("\n{text}\n"));
}

async fn promise_ledger(retention: &mut Retention) -> anyhow::Result<String> {
    let ledger = retention
        .promises
        .get_promise_ledger(GetPromiseLedgerRequest::default())
        .await;
    Ok(promises::shown(
        &ledger.map_err(|status| said(&status))?.into_inner(),
    ))
}

async fn import_cdnow(retention: &Retention, file: PathBuf) -> anyhow::Result<()> {
    tokio::fs::write(&file, CDNOW)
        .await
        .context("writing the purchases to the temporary folder")?;
    let started = Instant::now();
    let outcome = import::purchases::import(retention, &file, None).await?;
    let took = started.elapsed().as_secs_f64();
    print(format!(
        "{} in {took:.1} s",
        import::send::summary(&outcome, "purchases")
    ));
    Ok(())
}

async fn whole_scoreboard(retention: &mut Retention) -> anyhow::Result<String> {
    let board = retention
        .scoreboard
        .get_scoreboard(GetScoreboardRequest::default())
        .await;
    Ok(scoreboard::shown(
        &board.map_err(|status| said(&status))?.into_inner(),
    ))
}

fn hint(services: &Services) {
    let Services {
        acquisition,
        retention,
    } = services;
    print(format!(
        "\nThe services go on at {acquisition} and {retention}. In another terminal:\n\n  \
         patron customers --retention {retention}\n  \
         patron scoreboard --start 1997-07-01 --end 1998-01-01 --retention {retention}\n  \
         patron campaigns --json --acquisition {acquisition}\n\n\
         Ctrl-C ends the demo and removes its folder."
    ));
}

/// How long the two services may take to hear of each other.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks again until `ready` says that the answer is the one that is waited for: the services hear of each
/// other by events, a little later.
async fn until<T, F>(
    what: &str,
    mut ask: impl FnMut() -> F,
    ready: impl Fn(&T) -> bool,
) -> anyhow::Result<T>
where
    F: Future<Output = Result<T, tonic::Status>>,
{
    let deadline = Instant::now() + PATIENCE;
    loop {
        match ask().await {
            Ok(answer) if ready(&answer) => return Ok(answer),
            Err(status) if Instant::now() >= deadline => {
                return Err(said(&status).context(what.to_owned()));
            }
            Ok(_) if Instant::now() >= deadline => bail!("{what} did not come in time"),
            _ => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}
