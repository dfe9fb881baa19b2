//! How fast a broker is under the log: `cargo run --release -p journal-kafka --example raw -- HOST:PORT 64 400 5`
//! (brokers, clients, bytes of a record, seconds, and optionally `trust-page-cache`). Leaves a topic behind.

#![expect(clippy::print_stdout, reason = "it is for a person at a terminal")]

use std::error::Error;
use std::time::Duration;

use journal::{Kind, TopicSpec, Topics as _, raw};
use journal_kafka::{KafkaOptions, KafkaTopics};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let brokers = arguments.next().ok_or("name the brokers: HOST:PORT")?;
    let clients = arguments.next().map_or(Ok(64), |text| text.parse())?;
    let bytes = arguments.next().map_or(Ok(400), |text| text.parse())?;
    let seconds = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let trust_page_cache = arguments
        .next()
        .is_some_and(|word| word == "trust-page-cache");

    let options = KafkaOptions {
        trust_page_cache,
        ..KafkaOptions::default()
    };
    let topics = KafkaTopics::open(&brokers, options)?;
    let log = topics
        .open(&TopicSpec {
            name: format!("patron.raw.{}", uuid::Uuid::new_v4()),
            partitions: 12,
            kind: Kind::Journal,
        })
        .await?;
    let figures = raw::measure(log, clients, bytes, Duration::from_secs(seconds)).await?;
    println!(
        "{clients} clients, {bytes} bytes: {:.0}/s, p50 {:?}, p99 {:?}",
        figures.per_second, figures.p50, figures.p99
    );
    topics.close().await;
    Ok(())
}
