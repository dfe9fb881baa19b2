//! `patron bench commands`: real commands through gRPC from a second process, and the raw log beside them.

mod load;

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use eventsourcing::SystemClock;
use journal::raw::{Figures, measure};
use journal::{Kind, TopicSpec};
use serde::Serialize;
use server::LogSource;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command as Process};

use crate::connect::Services;
use crate::show::{print, table};

/// What to measure.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// A mix of touches, conversions, purchases and assessments, against services started for it.
    Commands(Args),
}

/// How to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many clients ask at once, each one command after the other.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1024))]
    clients: u32,
    /// For how long.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// JSON for programs.
    #[arg(long)]
    json: bool,
    /// Measure on Kafka, at these brokers, instead of on an embedded log.
    #[cfg(feature = "kafka")]
    #[arg(long, env = "PATRON_KAFKA", value_name = "HOST:PORT,...")]
    kafka: Option<String>,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Found {
    clients: u32,
    commands_per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    raw_per_second: f64,
    raw_p50_ms: f64,
    ratio: f64,
    errors: u64,
}

/// The size of a usual commit, for the raw log.
const RECORD_BYTES: usize = 400;
const PARTITIONS: u32 = 12;

/// Measures.
pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    let Command::Commands(args) = command;
    let folder = tempfile::Builder::new().prefix("patron-bench-").tempdir()?;
    #[cfg(feature = "kafka")]
    let kafka = args.kafka.clone();
    #[cfg(not(feature = "kafka"))]
    let kafka: Option<String> = None;
    let duration = Duration::from_secs(args.seconds);
    let (mut server, services) = start(folder.path(), kafka.as_deref()).await?;
    let loaded = load::run(&services, args.clients, duration).await;
    stop(&mut server).await?;
    let loaded = loaded?;
    let raw = raw(folder.path(), kafka.as_deref(), args.clients, duration).await?;
    let millis = |time: Duration| time.as_secs_f64() * 1_000.0;
    let found = Found {
        clients: args.clients,
        commands_per_second: loaded.per_second,
        p50_ms: millis(loaded.p50),
        p99_ms: millis(loaded.p99),
        raw_per_second: raw.per_second,
        raw_p50_ms: millis(raw.p50),
        ratio: loaded.per_second / raw.per_second,
        errors: loaded.errors,
    };
    print(if args.json {
        serde_json::to_string_pretty(&found)?
    } else {
        shown(&found)
    });
    Ok(())
}

fn shown(found: &Found) -> String {
    let line = |what: &str, per_second: f64, p50: f64, p99: Option<f64>| {
        vec![
            what.to_owned(),
            format!("{per_second:.0}"),
            format!("{p50:.2}"),
            p99.map_or_else(|| "–".to_owned(), |p99| format!("{p99:.2}")),
        ]
    };
    let lines = vec![
        line(
            "commands through gRPC",
            found.commands_per_second,
            found.p50_ms,
            Some(found.p99_ms),
        ),
        line("the raw log", found.raw_per_second, found.raw_p50_ms, None),
    ];
    let figures = table(
        &[
            &format!("{} clients", found.clients),
            "per second",
            "p50 ms",
            "p99 ms",
        ],
        lines,
    );
    format!(
        "{figures}\nratio {:.2}, errors {}",
        found.ratio, found.errors
    )
}

/// Starts the services in a process of their own, on free ports.
async fn start(folder: &Path, kafka: Option<&str>) -> anyhow::Result<(Child, Services)> {
    let mut process = Process::new(std::env::current_exe()?);
    process.args([
        "up",
        "--acquisition-address",
        "127.0.0.1:0",
        "--retention-address",
        "127.0.0.1:0",
    ]);
    process.arg("--data").arg(folder.join("data"));
    match kafka {
        Some(brokers) => process.args(["--kafka", brokers]),
        None => process.arg("--journal").arg(folder.join("journal")),
    };
    process.stdout(Stdio::piped()).kill_on_drop(true);
    let mut server = process.spawn().context("starting the services")?;
    let stdout = server
        .stdout
        .take()
        .context("the services' output is piped")?;
    let mut lines = BufReader::new(stdout).lines();
    let mut address = async |service: &str| -> anyhow::Result<String> {
        while let Some(line) = lines.next_line().await? {
            if let Some(address) = line.strip_prefix(&format!("{service} listens on ")) {
                return Ok(format!("http://{address}"));
            }
        }
        bail!("the services did not start; run `patron up` to see why")
    };
    let acquisition = address("acquisition").await?;
    let retention = address("retention").await?;
    Ok((
        server,
        Services {
            acquisition,
            retention,
        },
    ))
}

/// Ends the process that was started here.
async fn stop(server: &mut Child) -> anyhow::Result<()> {
    server.kill().await.context("stopping the services")
}

async fn raw(
    folder: &Path,
    kafka: Option<&str>,
    clients: u32,
    duration: Duration,
) -> anyhow::Result<Figures> {
    let source = match kafka {
        #[cfg(feature = "kafka")]
        Some(brokers) => LogSource::Kafka(brokers.to_owned(), server::KafkaOptions::default()),
        _ => LogSource::Embedded(folder.join("raw")),
    };
    let open = source
        .open(Arc::new(SystemClock))
        .await
        .map_err(anyhow::Error::msg)?;
    let name = format!("patron.raw.{}", uuid::Uuid::new_v4());
    let topic = TopicSpec {
        name,
        partitions: PARTITIONS,
        kind: Kind::Journal,
    };
    let log = open.topics.open(&topic).await?;
    let figures = measure(log, clients, RECORD_BYTES, duration).await;
    open.close().await;
    Ok(figures?)
}
