//! A broker for a test, and what tests do with it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use journal::{Kind, Log, Offset, Partition, Record, Stored, TopicSpec, Topics as _};
use journal_kafka::{KafkaOptions, KafkaTopics};
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use tempfile::TempDir;
use uuid::Uuid;

/// Whatever is promised comes within this time.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// A broker: somebody else's, or one of our own that ends with this.
#[derive(Debug)]
pub(crate) struct Broker {
    pub(crate) address: String,
    own: Option<TempDir>,
}

static SHARED: Mutex<Weak<Broker>> = Mutex::new(Weak::new());

impl Broker {
    /// The broker that all tests may use together, or none where there can be none.
    pub(crate) fn shared() -> Option<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let broker = shared.upgrade().or_else(|| {
            let given = std::env::var_os("PATRON_TEST_KAFKA");
            let given = given
                .and_then(|given| given.into_string().ok())
                .filter(|given| !given.is_empty());
            let given = given.map(|address| Self { address, own: None });
            given.or_else(Self::own).map(Arc::new)
        })?;
        *shared = Arc::downgrade(&broker);
        Some(broker)
    }

    /// A broker that a test may kill, or none where Java or Maven is missing.
    pub(crate) fn own() -> Option<Self> {
        Self::cluster("1")
    }

    /// One or three brokers that a test may kill.
    pub(crate) fn cluster(brokers: &str) -> Option<Self> {
        let is_there = |program: &str| Command::new(program).arg("-version").output().is_ok();
        if !is_there("java") || !is_there("mvn") {
            println!("no broker: set PATRON_TEST_KAFKA, or install Java 17 and Maven");
            return None;
        }
        let mut broker = Self {
            address: String::new(),
            own: Some(TempDir::new().unwrap()),
        };
        let address = broker.script(&["start", brokers]);
        address.trim().clone_into(&mut broker.address);
        Some(broker)
    }

    pub(crate) fn script(&self, arguments: &[&str]) -> String {
        let home = self
            .own
            .as_ref()
            .expect("only our own broker is ours to command");
        let output = Command::new(script())
            .args(arguments)
            .env("PATRON_KAFKA_HOME", home.path().join("cluster"))
            .env("PATRON_KAFKA_HEAP", "256m")
            .output()
            .expect("the script runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "scripts/kafka {arguments:?}: {said}"
        );
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn topics(&self) -> KafkaTopics {
        self.topics_with(KafkaOptions::default())
    }

    pub(crate) fn topics_with(&self, options: KafkaOptions) -> KafkaTopics {
        KafkaTopics::open(&self.address, options).unwrap()
    }

    /// An admin client of the test's own.
    pub(crate) fn admin(&self) -> (AdminClient<DefaultClientContext>, AdminOptions) {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.address);
        (
            config.create().unwrap(),
            AdminOptions::new().operation_timeout(Some(SOON)),
        )
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if self.own.is_some() {
            self.script(&["stop"]);
        }
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/kafka")
}

/// A topic that nobody had before.
pub(crate) fn fresh(partitions: u32) -> TopicSpec {
    TopicSpec {
        name: format!("patron.test.{}", Uuid::new_v4()),
        partitions,
        kind: Kind::Journal,
    }
}

pub(crate) async fn open(topics: &KafkaTopics, spec: &TopicSpec) -> Arc<dyn Log> {
    topics.open(spec).await.unwrap()
}

pub(crate) fn record(text: &str) -> Record {
    Record::value(Bytes::copy_from_slice(text.as_bytes()))
}

/// Appends texts one after the other.
pub(crate) async fn write(log: &Arc<dyn Log>, partition: Partition, texts: &[&str]) {
    for text in texts {
        assert!(log.append(partition, record(text)).await.is_written());
    }
}

/// Reads so many records from an offset on.
pub(crate) async fn read(
    log: &Arc<dyn Log>,
    partition: Partition,
    from: Offset,
    count: usize,
) -> Vec<Stored> {
    let mut tail = log.tail(partition, from);
    let mut records = Vec::new();
    while records.len() < count {
        let next = tokio::time::timeout(SOON, tail.next()).await;
        records.extend(next.expect("records come soon").unwrap());
    }
    records
}

pub(crate) fn text(stored: &Stored) -> &str {
    std::str::from_utf8(&stored.record.value).unwrap()
}

pub(crate) fn texts(records: &[Stored]) -> Vec<&str> {
    records.iter().map(text).collect()
}

/// A runtime of one worker: whatever blocked it would be seen.
pub(crate) fn run<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    runtime.unwrap().block_on(test)
}
