//! What each client of the driver is configured to do, and where its words go.

use journal::{Error, ErrorKind};
use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;

/// Where the driver's own words go: to the log of the process.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) client: &'static str,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, topic: &str, message: &str) {
        let client = self.client;
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                tracing::error!(client, topic, "Kafka client: {message}");
            }
            // A broker that is away is told here once a second, and by whoever needs it.
            RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning | RDKafkaLogLevel::Notice => {
                tracing::info!(client, topic, "Kafka client: {message}");
            }
            RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::debug!(client, topic, "Kafka client: {message}");
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let client = self.client;
        tracing::debug!(client, %error, "Kafka client: {reason}");
    }
}

impl ConsumerContext for Context {}

/// Makes a client.
pub(crate) fn make<T: FromClientConfigAndContext<Context>>(
    config: &ClientConfig,
    client: &'static str,
) -> Result<T, Error> {
    config
        .create_with_context(Context { client })
        .map_err(|error| {
            let what = format!("Kafka's {client} cannot be made: {error}");
            Error::new(ErrorKind::Internal, what)
        })
}

/// Checks that `brokers` is a list of `HOST:PORT`.
pub(crate) fn check_brokers(brokers: &str) -> Result<(), Error> {
    let is_address = |address: &str| {
        address.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
        })
    };
    if brokers.split(',').all(|address| is_address(address.trim())) {
        return Ok(());
    }
    let what =
        format!("{brokers:?} names no Kafka brokers: write HOST:PORT, or several with commas");
    Err(Error::new(ErrorKind::Misconfigured, what))
}

fn any(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("client.id", "patron")
        // A broker that is back is noticed within a second.
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "1000")
        .set("socket.keepalive.enable", "true")
        .set("socket.timeout.ms", "10000")
        .set("socket.connection.setup.timeout.ms", "5000");
    config
}

/// Appends. Acknowledged means that every replica in sync has it.
pub(crate) fn producer(brokers: &str) -> ClientConfig {
    let mut config = any(brokers);
    config
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("compression.type", "lz4")
        .set("message.timeout.ms", "10000")
        .set("linger.ms", LINGER_MS)
        // What a topic takes, less the head of a batch.
        .set("message.max.bytes", "2000000")
        .set("queue.buffering.max.kbytes", "131072");
    config
}

/// No waiting for company. While requests are under way records gather by themselves, so batches grow with the
/// load. Measured in turns with `examples/raw.rs` (400 bytes, two busy cores, broker included), `0` against
/// `1`: one client 0.32 ms against 1.64 ms at the median; 64 clients 19,500/s and 1.8 ms against 22,700/s and
/// 2.3 ms; 256 clients 68,000/s against 72,000/s. What waiting gains is within the noise, what it costs is not.
const LINGER_MS: &str = "0";

/// Asks for ends and shapes of topics and creates none.
pub(crate) fn observer(brokers: &str) -> ClientConfig {
    let mut config = any(brokers);
    config
        .set("allow.auto.create.topics", "false")
        // An end is the end, also while somebody else's transaction is open.
        .set("isolation.level", "read_uncommitted");
    config
}

/// Reads all partitions of one topic, each from where it is told.
pub(crate) fn reader(brokers: &str) -> ClientConfig {
    let mut config = any(brokers);
    config
        // The driver wants a name before it assigns partitions. Nobody joins, nothing is committed.
        .set("group.id", "patron-reader")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("check.crcs", "true")
        .set("allow.auto.create.topics", "false")
        .set("isolation.level", "read_uncommitted")
        // A partition that is assigned while the broker holds an empty request back waits for its end.
        .set("fetch.wait.max.ms", "100")
        .set("fetch.error.backoff.ms", "100")
        // A topic that is gone is told after this time.
        .set("topic.metadata.propagation.max.ms", "5000")
        // What is read ahead, for each partition: about a megabyte, and soon again when there is room.
        .set("queued.max.messages.kbytes", "1024")
        .set("max.partition.fetch.bytes", "524288")
        .set("fetch.queue.backoff.ms", "5");
    config
}

/// Creates topics and reads their settings.
pub(crate) fn admin(brokers: &str) -> ClientConfig {
    any(brokers)
}

#[cfg(test)]
mod tests {
    use journal::ErrorKind;

    use super::check_brokers;

    #[test]
    fn the_driver_is_from_before_it_wrote_behind_an_array() {
        // librdkafka's issue 5280: docs/decisions/0007-librdkafka-before-2-5.md.
        let (number, text) = rdkafka::util::get_rdkafka_version();
        assert!(number < 0x0205_0000, "librdkafka {text}");
    }

    #[test]
    fn brokers_are_addresses_with_ports() {
        for good in ["localhost:9092", "a:1,b:2", "a:1, b:2", "[::1]:9092"] {
            assert!(check_brokers(good).is_ok(), "{good}");
        }
        for bad in ["", "localhost", "a:1,", "a:0", "a:70000", ":9092", "a:b"] {
            let error = check_brokers(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Misconfigured, "{bad}");
        }
    }
}
