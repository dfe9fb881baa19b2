//! `patron bench commands`: real commands through gRPC from a second process, and the raw log beside them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use eventsourcing::SystemClock;
use journal::raw::{Figures, measure};
use journal::{Kind, TopicSpec};
use serde::Serialize;
use server::LogSource;

use super::process::{Brokers, Server};
use super::{load, millis};
use crate::show::{print, table};

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
    /// Measure on Kafka, at these brokers, instead of on an embedded log. They must be there for this alone:
    /// what is measured stays in the journals, and journals that exist are refused.
    #[cfg(feature = "kafka")]
    #[arg(long, value_name = "HOST:PORT,...")]
    kafka: Option<String>,
    /// Let a lone broker answer before its disk has what it was sent: what is measured then is not the disk.
    #[cfg(feature = "kafka")]
    #[arg(long, requires = "kafka")]
    trust_page_cache: bool,
}

impl Args {
    #[cfg(feature = "kafka")]
    fn brokers(&self) -> Option<Brokers> {
        let addresses = self.kafka.clone()?;
        Some(Brokers {
            addresses,
            trust_page_cache: self.trust_page_cache,
        })
    }

    #[cfg(not(feature = "kafka"))]
    const fn brokers(&self) -> Option<Brokers> {
        None
    }
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
pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("patron-bench-").tempdir()?;
    let kafka = args.brokers();
    #[cfg(feature = "kafka")]
    if let Some(brokers) = &kafka {
        refuse_used(&brokers.addresses).await?;
    }
    let duration = Duration::from_secs(args.seconds);
    let server = Server::start(folder.path(), kafka.as_ref()).await?;
    server.ready().await?;
    let loaded = load::run(&server.services, args.clients, duration).await;
    server.stop().await?;
    let loaded = loaded?;
    let raw = raw(folder.path(), kafka.as_ref(), args.clients, duration).await?;
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

/// Invented customers must not get among real ones.
#[cfg(feature = "kafka")]
async fn refuse_used(brokers: &str) -> anyhow::Result<()> {
    let options = server::KafkaOptions {
        create_topics: false,
        ..server::KafkaOptions::default()
    };
    let source = LogSource::Kafka(brokers.to_owned(), options);
    let open = source.open(Arc::new(SystemClock)).await;
    let open = open.map_err(anyhow::Error::msg)?;
    let journal = TopicSpec {
        name: runtime::Options::for_pair("retention", "acquisition").journal_topic,
        partitions: PARTITIONS,
        kind: Kind::Journal,
    };
    let found = open.topics.open(&journal).await;
    open.close().await;
    match found {
        Ok(_) => anyhow::bail!(
            "{brokers} already has the topic {}: a measurement would put invented customers among real ones. \
             Name brokers that are there for measuring alone, such as those of `scripts/kafka start`",
            journal.name
        ),
        // Missing, as it should be; one that is there with wrong settings is refused at the start.
        Err(error) if error.kind() == journal::ErrorKind::Misconfigured => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn raw(
    folder: &Path,
    kafka: Option<&Brokers>,
    clients: u32,
    duration: Duration,
) -> anyhow::Result<Figures> {
    let source = match kafka {
        #[cfg(feature = "kafka")]
        Some(brokers) => {
            let options = server::KafkaOptions {
                trust_page_cache: brokers.trust_page_cache,
                ..server::KafkaOptions::default()
            };
            LogSource::Kafka(brokers.addresses.clone(), options)
        }
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
