//! How fast this disk is under the log: `cargo run --release -p journal-embedded --example raw -- 64 400 5`
//! (clients, bytes of a record, seconds, and optionally the folder).

#![expect(clippy::print_stdout, reason = "it is for a person at a terminal")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use eventsourcing::SystemClock;
use journal::{Kind, TopicSpec, Topics as _, raw};
use journal_embedded::{EmbeddedOptions, EmbeddedTopics};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let clients = arguments.next().map_or(Ok(64), |text| text.parse())?;
    let bytes = arguments.next().map_or(Ok(400), |text| text.parse())?;
    let seconds = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let temporary = tempfile::tempdir()?;
    let folder = arguments
        .next()
        .map_or_else(|| temporary.path().to_owned(), Into::into);

    let options = EmbeddedOptions::new(Arc::new(SystemClock));
    let topics = EmbeddedTopics::open(folder, options).await?;
    let log = topics
        .open(&TopicSpec {
            name: "raw".to_owned(),
            partitions: 12,
            kind: Kind::Journal,
        })
        .await?;
    let figures = raw::measure(log, clients, bytes, Duration::from_secs(seconds)).await?;
    println!(
        "{clients} clients, {bytes} bytes: {:.0}/s, p50 {:?}, p99 {:?}",
        figures.per_second, figures.p50, figures.p99
    );
    Ok(topics.close().await?)
}
