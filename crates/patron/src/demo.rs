//! `patron demo`: the whole idea on real data, in a temporary folder.

mod books;
mod clock;
mod story;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use eventsourcing::{Clock as _, Days, SystemClock, Time};
use jiff::civil::{self, Date};
use patron_proto::acquisition::v1::{
    AttributionDimension, AttributionModel, FunnelDimension, GetAttributionRequest,
    GetFunnelRequest,
};
use patron_proto::retention::v1::{GetPromiseLedgerRequest, GetScoreboardRequest};
use prost_types::Timestamp;
use server::LogSource;

use crate::connect::{Retention, Services, said};
use crate::moment::midnight;
use crate::pair::{Pair, Plan};
use crate::sample::live::Place;
use crate::sample::{self, Business};
use crate::show::print;
use crate::up::told_to_stop;
use crate::{attribution, campaigns, funnel, import, promises, scoreboard};

use clock::Lived;

/// Which business the large demo shows.
const SEED: u64 = 1_983;

/// How to show it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Stop when everything was shown.
    #[arg(long)]
    exit: bool,
    /// Listen on these two ports from here on instead of on free ones.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
    /// What is shown: a story, or two years of a business with 20,000 prospects.
    #[arg(long, value_enum, default_value = "story")]
    size: Size,
}

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Size {
    Story,
    Large,
}

/// The purchases that come with Patron: see `data/README.md`.
const CDNOW: &[u8] = include_bytes!("../../../data/cdnow.csv");
/// When these were made: from the first day up to the other one.
const CDNOW_PERIOD: (Date, Date) = (civil::date(1997, 1, 1), civil::date(1998, 7, 1));

/// Runs the demo.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("patron-demo-").tempdir()?;
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let second = if args.port == 0 {
        0
    } else {
        args.port.checked_add(1).context("no such port")?
    };
    let begins = match args.size {
        Size::Story => None,
        Size::Large => Some(two_years_ago()),
    };
    let clock = Arc::new(Lived::new(begins));
    let pair = Pair::start(Plan {
        log: LogSource::Embedded(folder.path().join("journal")),
        data: folder.path().join("data"),
        master_key: None,
        acquisition: Some(local(args.port)),
        retention: Some(local(second)),
        clock: Arc::<Lived>::clone(&clock),
    })
    .await?;
    let shown = match begins {
        None => show(&pair, folder.path().join("cdnow.csv")).await,
        Some(begins) => show_large(&pair, &clock, begins).await,
    };
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
    heading("The books: two quarters, closed for ever");
    books::play(&mut retention, &|line: &str| print(line)).await?;
    heading("CDNOW: the purchases of an online music store, 1997 and 1998");
    import_cdnow(&retention, cdnow).await?;
    let (first, after) = CDNOW_PERIOD;
    print(scoreboard_of(&mut retention, midnight(first)?, Some(midnight(after)?)).await?);
    let begins = books::begins()?;
    heading(&format!(
        "The scoreboard since {begins}: people first, then money"
    ));
    print(scoreboard_of(&mut retention, midnight(begins)?, None).await?);
    Ok(())
}

/// The midnight from which two whole years have passed today.
fn two_years_ago() -> Time {
    Time::from_days(SystemClock.now().day()).minus_days(Days(sample::DAYS))
}

async fn show_large(pair: &Pair, clock: &Lived, begins: Time) -> anyhow::Result<()> {
    pair.until_ready().await?;
    let services = services(pair)?;
    let mut acquisition = services.acquisition().await?;
    let mut retention = services.retention().await?;
    heading("Two years of a business: coffee for offices");
    let started = Instant::now();
    let business = Business::draw(SEED, sample::LARGE);
    let place = Place {
        acquisition: acquisition.clone(),
        retention: retention.clone(),
        begins,
        set_clock: &|time| clock.set(time),
    };
    let prospects = sample::live::live(&business, place).await?.len();
    clock.release();
    let took = started.elapsed().as_secs_f64();
    print(format!("{prospects} prospects lived in {took:.1} s"));
    heading("How far prospects came, by what reached them first");
    let request = GetFunnelRequest {
        dimension: FunnelDimension::Channel as i32,
        ..Default::default()
    };
    let found = acquisition.reports.get_funnel(request).await;
    print(funnel::shown(
        &found.map_err(|status| said(&status))?.into_inner(),
    ));
    heading("Who earned the credit for customers");
    let request = GetAttributionRequest {
        model: AttributionModel::Markov as i32,
        dimension: AttributionDimension::Campaign as i32,
        currency_code: "EUR".to_owned(),
        ..Default::default()
    };
    let found = acquisition.reports.get_attribution(request).await;
    print(attribution::shown(
        &found.map_err(|status| said(&status))?.into_inner(),
    ));
    heading(
        "Whether the customers of a campaign stay: `fresh` in odd quarters, `speed` in even ones",
    );
    for group in campaigns::scorecards(&mut acquisition, "office-coffee")
        .await?
        .chunks(4)
    {
        print(campaigns::shown(group));
    }
    heading("The scoreboard of the last year: people first, then money");
    let year_ago = Time::from_days(SystemClock.now().day()).minus_days(Days(365));
    print(scoreboard_of(&mut retention, server::timestamp(year_ago), None).await?);
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

/// Of a period; without an end, up to now.
async fn scoreboard_of(
    retention: &mut Retention,
    start: Timestamp,
    end: Option<Timestamp>,
) -> anyhow::Result<String> {
    let request = GetScoreboardRequest {
        start: Some(start),
        end,
        ..GetScoreboardRequest::default()
    };
    let board = retention.scoreboard.get_scoreboard(request).await;
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
pub(crate) async fn until<T, F>(
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
