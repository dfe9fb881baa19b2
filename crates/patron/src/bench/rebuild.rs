//! `patron bench rebuild`: the journals of a loaded pair, and how long the read models take to follow from them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use eventsourcing::SystemClock;
use journal::{Decoded, Entry, Kind, TopicSpec};
use serde::Serialize;
use server::LogSource;
use tokio::time::Instant;

use super::load;
use super::process::{self, Server};
use crate::show::print;

/// How to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// For how long 64 clients fill the journals first.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// JSON for programs.
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Found {
    events: u64,
    seconds: f64,
    events_per_second: f64,
}

const CLIENTS: u32 = 64;
const SERVICES: [&str; 2] = ["acquisition", "retention"];

/// Measures.
#[expect(
    clippy::cast_precision_loss,
    reason = "nobody counts to 2^52 in a measurement"
)]
pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("patron-bench-").tempdir()?;
    let server = Server::start(folder.path(), None).await?;
    let duration = Duration::from_secs(args.seconds);
    load::run(&server.services, CLIENTS, duration).await?;
    server.stop().await?;
    for service in SERVICES {
        std::fs::remove_dir_all(process::read_model(folder.path(), service))?;
    }
    // What the policies still had to do is done first.
    let server = Server::start(folder.path(), None).await?;
    server.ready().await?;
    server.stop().await?;
    let events = events(folder.path()).await?;
    for service in SERVICES {
        std::fs::remove_dir_all(process::read_model(folder.path(), service))?;
    }
    let started = Instant::now();
    let server = Server::start(folder.path(), None).await?;
    server.ready().await?;
    let seconds = started.elapsed().as_secs_f64();
    server.stop().await?;
    let found = Found {
        events,
        seconds,
        events_per_second: events as f64 / seconds,
    };
    print(if args.json {
        serde_json::to_string_pretty(&found)?
    } else {
        format!(
            "{events} events of both journals in {seconds:.2} s, from the start of the process until both services \
             are ready: {:.0} events/s",
            found.events_per_second
        )
    });
    Ok(())
}

/// How many events both journals hold.
async fn events(folder: &Path) -> anyhow::Result<u64> {
    let source = LogSource::Embedded(process::journal(folder));
    let open = source.open(Arc::new(SystemClock)).await;
    let open = open.map_err(anyhow::Error::msg)?;
    let mut events = 0;
    for service in SERVICES {
        let topic = TopicSpec {
            name: format!("patron.{service}.journal"),
            partitions: 1,
            kind: Kind::Journal,
        };
        let log = open.topics.open(&topic).await?;
        for partition in 0..log.partitions() {
            let end = log.end(partition).await?;
            let mut tail = log.tail(partition, 0);
            let mut next = 0;
            while next < end {
                for stored in tail.next().await? {
                    next = stored.offset + 1;
                    if let Decoded::Entry(Entry::Commit(commit)) =
                        journal::decode(&stored.record.value)
                    {
                        let of_commit = commit.appends.iter().map(|append| append.events.len());
                        events += of_commit.sum::<usize>() as u64;
                    }
                }
            }
        }
    }
    open.close().await;
    Ok(events)
}
