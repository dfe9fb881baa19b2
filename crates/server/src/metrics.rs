//! `/metrics`: what a service tells whoever watches it, in the format of Prometheus.
//!
//! docs/OBSERVABILITY.md explains each figure; a test compares its list with what is told here.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::TypedMetric as _;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use runtime::{Engine, Service};

use crate::Readiness;
use crate::measure::Requests;

/// The type of the text that [`Metrics::text`] gives.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// At most so many parked events are counted; that many are alarming enough.
const MOST_PARKED: usize = 1_000;

/// Everything that one server tells.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) requests: Arc<Requests>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("patron");
        let requests = Arc::new(Requests::registered(&mut registry));
        Self { registry, requests }
    }

    /// Tells of this replica, too.
    pub(crate) fn tell_of<S: Service>(&mut self, engine: Arc<Engine<S>>, readiness: Readiness) {
        self.registry
            .register_collector(Box::new(Replica { engine, readiness }));
    }

    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// A replica, looked at when somebody asks.
struct Replica<S: Service> {
    engine: Arc<Engine<S>>,
    readiness: Readiness,
}

impl<S: Service> fmt::Debug for Replica<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica").finish_non_exhaustive()
    }
}

impl<S: Service> Collector for Replica<S> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let engine = &self.engine;
        let health = engine.health();
        let mut gauge = |name: &str, help: &str, value: u64| {
            let gauge = ConstGauge::new(signed(value));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
        };
        let ready = "1 when this replica answers, 0 while it catches up or when it has failed";
        gauge("ready", ready, (self.readiness)().is_ok().into())?;
        let unreadable = "Streams with an event of a newer release";
        let streams = health.unreadable_streams as u64;
        gauge("unreadable_streams", unreadable, streams)?;
        let parked = engine
            .store()
            .read(|rows| runtime::parked(rows, None, MOST_PARKED));
        let parked = parked.map_err(|_| fmt::Error)?.len() as u64;
        let waiting =
            "Events of the other service that wait because they cannot be read, 1,000 at most";
        gauge("parked_events", waiting, parked)?;
        let digest = "The first 32 bits of the digest over all rows: equal between replicas at the same position";
        gauge(
            "read_model_digest",
            digest,
            start_of(engine.store().digest()),
        )?;

        let (commits, published) = engine.totals().map_err(|_| fmt::Error)?;
        let mut counter = |name: &str, help: &str, value: u64| {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)
        };
        counter(
            "commits_accepted",
            "Commits of the journal that stand",
            commits,
        )?;
        counter("events_public", "Public events among them", published)?;

        let applied = engine.position().offsets;
        let help = "The next record of the journal to be applied, by partition";
        by_partition(&mut encoder, "journal_position", help, &applied)?;
        let received = engine.received().map_err(|_| fmt::Error)?;
        let help = "The next record of the other service's public topic to be taken, by partition";
        by_partition(&mut encoder, "received_position", help, &received)
    }
}

fn by_partition(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: &[u64],
) -> fmt::Result {
    let kind = ConstGauge::<i64>::TYPE;
    let mut family = encoder.encode_descriptor(name, help, None, kind)?;
    for (partition, value) in (0_u32..).zip(values) {
        let labels = Partition { partition };
        ConstGauge::new(signed(*value)).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

#[derive(Debug, EncodeLabelSet)]
struct Partition {
    partition: u32,
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn start_of(digest: read_model::Digest) -> u64 {
    let bytes = digest.to_bytes();
    let start = bytes.first_chunk().copied().unwrap_or_default();
    u32::from_be_bytes(start).into()
}
