//! How fast the log is by itself, on this machine and broker: figures to be read, not judged.

use std::time::Duration;

use journal::raw::measure;
use journal_kafka::KafkaOptions;

use crate::broker::{Broker, fresh, open, run};

#[test]
fn the_figures_of_append_and_read_back() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    let seconds = if cfg!(debug_assertions) { 1 } else { 5 };
    run(async {
        for trust_page_cache in [false, true] {
            let options = KafkaOptions {
                trust_page_cache,
                ..KafkaOptions::default()
            };
            let log = open(&broker.topics_with(options), &fresh(12)).await;
            for clients in [1, 64, 256] {
                let log = std::sync::Arc::clone(&log);
                let figures = measure(log, clients, 400, Duration::from_secs(seconds))
                    .await
                    .unwrap();
                assert!(figures.per_second > 0.0);
                let disk = if trust_page_cache {
                    "page cache"
                } else {
                    "disk"
                };
                println!(
                    "{disk}, {clients} clients: {:.0}/s p50 {:?} p99 {:?}",
                    figures.per_second, figures.p50, figures.p99
                );
            }
        }
    });
}
