//! `patron up`: starts acquisition and retention and serves until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use eventsourcing::SystemClock;
#[cfg(feature = "kafka")]
use server::KafkaOptions;
use server::LogSource;

use crate::pair::{Pair, Plan};

/// Where things are.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Start only one of the services; the other runs elsewhere on the same Kafka.
    #[arg(long, env = "PATRON_ONLY", value_enum)]
    only: Option<Only>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    acquisition: Acquisition,
    #[command(flatten)]
    retention: Retention,
}

/// What is acquisition's alone.
#[derive(Debug, Clone, clap::Args)]
pub struct Acquisition {
    /// Where acquisition listens.
    #[arg(
        long,
        env = "PATRON_ACQUISITION_ADDRESS",
        default_value = "127.0.0.1:7401",
        value_name = "ADDRESS"
    )]
    acquisition_address: SocketAddr,
}

/// What is retention's alone.
#[derive(Debug, Clone, clap::Args)]
pub struct Retention {
    /// Where retention listens.
    #[arg(
        long,
        env = "PATRON_RETENTION_ADDRESS",
        default_value = "127.0.0.1:7402",
        value_name = "ADDRESS"
    )]
    retention_address: SocketAddr,
}

/// One service, alone: the other runs elsewhere on the same Kafka.
#[derive(Debug, clap::Args)]
pub struct Alone<S: clap::Args> {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    side: S,
}

/// One of the pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Only {
    Acquisition,
    Retention,
}

/// Where the journals and the read models are.
#[derive(Debug, Clone, clap::Args)]
pub struct Place {
    /// Keep the journals in this folder, for one process [default: `journal` in the data folder].
    #[arg(long, env = "PATRON_JOURNAL", value_name = "DIR")]
    journal: Option<PathBuf>,
    #[cfg(feature = "kafka")]
    #[command(flatten)]
    kafka: Kafka,
    /// Keep the read models in this folder [default: the user's data folder].
    #[arg(long, env = "PATRON_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// The file of the master key under which personal data is sealed; with Kafka the same for every
    /// instance [default: made beside the journal].
    #[arg(long, env = "PATRON_MASTER_KEY", value_name = "FILE")]
    master_key: Option<PathBuf>,
}

/// The journals in Kafka.
#[cfg(feature = "kafka")]
#[derive(Debug, Clone, clap::Args)]
pub struct Kafka {
    /// Keep the journals in Kafka, at these brokers.
    #[arg(
        long = "kafka",
        env = "PATRON_KAFKA",
        value_name = "HOST:PORT,...",
        conflicts_with = "journal"
    )]
    brokers: Option<String>,
    /// Make topics that are missing, with the settings that keep history.
    #[arg(long, env = "PATRON_CREATE_TOPICS", default_value_t = true, action = clap::ArgAction::Set)]
    create_topics: bool,
    /// Let a single broker acknowledge before its disk has the record: faster, and a power cut may take
    /// back what was acknowledged.
    #[arg(long, env = "PATRON_TRUST_PAGE_CACHE")]
    trust_page_cache: bool,
    /// On how many brokers a new topic is kept; with three, two must have a record before it counts.
    #[arg(long, env = "PATRON_REPLICATION", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=9))]
    replication: i32,
}

#[cfg(feature = "kafka")]
impl Kafka {
    /// The log in Kafka, if brokers were named.
    pub fn source(&self) -> Option<LogSource> {
        let options = KafkaOptions {
            create_topics: self.create_topics,
            trust_page_cache: self.trust_page_cache,
            replication: self.replication,
            ..KafkaOptions::default()
        };
        self.brokers
            .clone()
            .map(|brokers| LogSource::Kafka(brokers, options))
    }
}

impl Place {
    /// The log and the folder of the read models.
    pub fn resolve(&self) -> anyhow::Result<(LogSource, PathBuf)> {
        let data = match &self.data {
            Some(data) => data.clone(),
            None => dirs::data_dir()
                .context("this user has no data folder: give --data")?
                .join("patron"),
        };
        #[cfg(feature = "kafka")]
        if let Some(source) = self.kafka.source() {
            return Ok((source, data));
        }
        let journal = self.journal.clone().unwrap_or_else(|| data.join("journal"));
        Ok((LogSource::Embedded(journal), data))
    }
}

/// Starts, and serves until it is told to stop or cannot go on.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let wanted = |side| args.only.is_none_or(|only| only == side);
    let acquisition = wanted(Only::Acquisition).then_some(args.acquisition.acquisition_address);
    let retention = wanted(Only::Retention).then_some(args.retention.retention_address);
    serve(&args.place, acquisition, retention).await
}

/// Starts acquisition alone, and serves as [`run`] does.
pub async fn acquisition(args: Alone<Acquisition>) -> anyhow::Result<()> {
    let address = args.side.acquisition_address;
    serve(&args.place, Some(address), None).await
}

/// Starts retention alone, and serves as [`run`] does.
pub async fn retention(args: Alone<Retention>) -> anyhow::Result<()> {
    let address = args.side.retention_address;
    serve(&args.place, None, Some(address)).await
}

async fn serve(
    place: &Place,
    acquisition: Option<SocketAddr>,
    retention: Option<SocketAddr>,
) -> anyhow::Result<()> {
    let (log, data) = place.resolve()?;
    let is_alone = acquisition.is_none() || retention.is_none();
    if is_alone && matches!(log, LogSource::Embedded(_)) {
        bail!(
            "one service alone (--only) needs --kafka: an embedded journal belongs to one process, so alone \
             the two services would never hear of each other"
        );
    }
    // From here on nobody is ended in the middle of something, not even while the log is opened.
    let mut told_to_stop = pin!(told_to_stop());
    let plan = Plan {
        log,
        data,
        master_key: place.master_key.clone(),
        acquisition,
        retention,
        clock: Arc::new(SystemClock),
    };
    let starting = async {
        tracing::info!("the log is being opened");
        Pair::start(plan).await
    };
    let pair = tokio::select! {
        biased;
        () = &mut told_to_stop => return Ok(()),
        pair = starting => pair?,
    };
    announce(&pair);
    let outcome = tokio::select! {
        () = &mut told_to_stop => Ok(()),
        why = pair.failed() => Err(anyhow::anyhow!(why)),
    };
    pair.stop().await;
    outcome
}

fn announce(pair: &Pair) {
    if let Some(side) = &pair.acquisition {
        say(&format!("acquisition listens on {}", side.address));
    }
    if let Some(side) = &pair.retention {
        say(&format!("retention listens on {}", side.address));
    }
}

#[expect(
    clippy::print_stdout,
    reason = "this is where a person or a script reads it"
)]
fn say(what: &str) {
    println!("{what}");
}

/// Resolves at Ctrl-C or SIGTERM; listens for them from its first poll on.
pub async fn told_to_stop() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}
