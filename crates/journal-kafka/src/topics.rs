//! Opening: the topic is there, or is made, and keeps what it gets.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use journal::{BoxFuture, Error, ErrorKind, Kind, Log, TopicSpec, Topics};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::types::RDKafkaErrorCode;
use tokio::time::Instant;

use crate::KafkaOptions;
use crate::client::{self, Context, check_brokers};
use crate::log::KafkaLog;
use crate::observer::{Observer, Seen, Shape};
use crate::producer::Producer;
use crate::reader::Readers;
use crate::settings::{Keeping, Wrong};
use crate::threads::Threads;

/// One request to the brokers about topics.
const REQUEST: Duration = Duration::from_secs(10);
/// Between two looks at a topic that is not as it should be yet.
const PAUSE: Duration = Duration::from_millis(100);
/// How long closing waits for what is under way.
const FAREWELL: Duration = Duration::from_secs(5);

/// The topics of a Kafka cluster. Clones share their clients.
#[derive(Debug, Clone)]
pub struct KafkaTopics {
    shared: Arc<Shared>,
}

struct Shared {
    brokers: String,
    options: KafkaOptions,
    threads: Threads,
    observer: Observer,
    admin: Option<AdminClient<Context>>,
    open: Mutex<BTreeMap<String, Arc<KafkaLog>>>,
}

impl KafkaTopics {
    /// The topics of the cluster that these brokers, `HOST:PORT` with commas in between, belong to. Connects
    /// in the background: brokers that are away are an error of [`open`](Topics::open).
    ///
    /// # Errors
    /// [`ErrorKind::Misconfigured`] if `brokers` is no such list.
    pub fn open(brokers: &str, options: KafkaOptions) -> Result<Self, Error> {
        check_brokers(brokers)?;
        if options.trust_page_cache {
            tracing::warn!(
                "a topic on a single broker may lose acknowledged records in a power cut: the page cache is \
                 trusted"
            );
        }
        let threads = Threads::new();
        let shared = Shared {
            observer: Observer::start(brokers, &threads)?,
            admin: Some(client::make(&client::admin(brokers), "admin")?),
            brokers: brokers.to_owned(),
            open: Mutex::default(),
            options,
            threads,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Takes no more appends, ends all tails, and waits a bounded time for what is under way.
    pub async fn close(&self) {
        self.shared.close_producers();
        if !self.shared.threads.close(FAREWELL).await {
            tracing::warn!("Kafka does not answer: its clients are left to themselves");
        }
    }
}

impl Topics for KafkaTopics {
    fn open(&self, topic: &TopicSpec) -> BoxFuture<'_, Result<Arc<dyn Log>, Error>> {
        let topic = topic.clone();
        async move {
            let log: Arc<dyn Log> = self.shared.open(&topic).await?;
            Ok(log)
        }
        .boxed()
    }
}

impl Shared {
    fn close_producers(&self) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for log in open.values() {
            log.producer.close(FAREWELL);
        }
    }

    async fn open(&self, topic: &TopicSpec) -> Result<Arc<KafkaLog>, Error> {
        let name: Arc<str> = Arc::from(topic.name.as_str());
        let until = Instant::now() + self.options.patience;
        let shape = self.find_or_make(topic, &name, until).await?;
        self.settings_are_told(topic, &shape, until).await?;
        topic.check_found(shape.partitions, topic.kind)?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let log = open.entry(topic.name.clone()).or_insert_with(|| {
            Arc::new(KafkaLog {
                readers: Arc::new(Readers::new(&self.brokers, &name, &self.threads)),
                topic: name,
                partitions: shape.partitions,
                is_compacted: topic.kind == Kind::Keys,
                producer: Arc::new(Producer::new(&self.brokers, &self.threads)),
                observer: self.observer.clone(),
            })
        });
        Ok(Arc::clone(log))
    }

    /// Waits for brokers that are away, and for a topic that is on its way.
    async fn find_or_make(
        &self,
        topic: &TopicSpec,
        name: &Arc<str>,
        until: Instant,
    ) -> Result<Shape, Error> {
        let mut is_made = false;
        loop {
            let problem = match self.observer.topic(name).await {
                Ok(Seen {
                    topic: Some(shape), ..
                }) if shape.is_led => return Ok(shape),
                Ok(Seen {
                    topic: None,
                    brokers,
                }) if !is_made => {
                    self.make(topic, brokers).await?;
                    is_made = true;
                    continue;
                }
                Ok(_) => not_led(&topic.name),
                Err(error) => error,
            };
            if !problem.is_retryable() || Instant::now() >= until {
                return Err(problem);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn make(&self, topic: &TopicSpec, brokers: usize) -> Result<(), Error> {
        let name = topic.name.as_str();
        let KafkaOptions {
            replication,
            trust_page_cache,
            ..
        } = self.options;
        if !self.options.create_topics {
            let what = format!(
                "there is no topic {name}, and topics are not made here: make it with {} partitions, or start with \
                 --create-topics",
                topic.partitions
            );
            return Err(Error::new(ErrorKind::Misconfigured, what).with_page("kafka-missing"));
        }
        if replication == 1 && brokers >= 3 {
            tracing::warn!(
                name,
                brokers,
                "the new topic is kept on one broker: start with more replicas"
            );
        }
        let keeping = Keeping {
            kind: topic.kind,
            replicas: usize::try_from(replication).unwrap_or(0),
            trust_page_cache,
        };
        let settings = keeping.settings();
        let partitions = i32::try_from(topic.partitions).unwrap_or(i32::MAX);
        let fresh = NewTopic::new(name, partitions, TopicReplication::Fixed(replication));
        let fresh = settings.iter().fold(fresh, |fresh, setting| {
            fresh.set(setting.name, setting.value())
        });
        let options = AdminOptions::new()
            .request_timeout(Some(REQUEST))
            .operation_timeout(Some(REQUEST));
        let made = self.admin()?.create_topics([&fresh], &options).await;
        match made.map(|results| results.into_iter().next()) {
            // Somebody else was faster; its settings are checked like any other's.
            Ok(Some(Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)))) => Ok(()),
            Ok(Some(Err((_, error)))) => Err(not_made(name, &error)),
            Ok(None) => Err(not_made(name, &"no answer")),
            Err(error) => Err(not_made(name, &error)),
        }
    }

    /// Waits for a broker that does not know of a new topic yet.
    async fn settings_are_told(
        &self,
        topic: &TopicSpec,
        shape: &Shape,
        until: Instant,
    ) -> Result<(), Error> {
        loop {
            match self.check_settings(topic, shape).await {
                Err(error) if error.is_retryable() && Instant::now() < until => {
                    tokio::time::sleep(PAUSE).await;
                }
                checked => return checked,
            }
        }
    }

    async fn check_settings(&self, topic: &TopicSpec, shape: &Shape) -> Result<(), Error> {
        let name = topic.name.as_str();
        let options = AdminOptions::new().request_timeout(Some(REQUEST));
        let asked = [ResourceSpecifier::Topic(name)];
        let told = self.admin()?.describe_configs(&asked, &options).await;
        let found = match told.map(|results| results.into_iter().next()) {
            // Among several brokers, one that was not told of a new topic yet answers with nothing.
            Ok(Some(Ok(found))) if found.entries.is_empty() => {
                return Err(not_told(
                    name,
                    &"the broker that was asked does not know it yet",
                ));
            }
            Ok(Some(Ok(found))) => found,
            Ok(Some(Err(error))) => return Err(not_told(name, &error)),
            Ok(None) => return Err(not_told(name, &"no answer")),
            Err(error) => return Err(not_told(name, &error)),
        };
        let keeping = Keeping {
            kind: topic.kind,
            replicas: shape.replicas,
            trust_page_cache: self.options.trust_page_cache,
        };
        let wrong = keeping.wrong(|name| found.get(name).and_then(|entry| entry.value.clone()));
        if wrong.is_empty() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Misconfigured, refusal(name, &wrong)).with_page("kafka-settings"))
    }

    fn admin(&self) -> Result<&AdminClient<Context>, Error> {
        self.admin.as_ref().ok_or_else(crate::reader::closed)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.threads.retire(self.admin.take());
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaTopics")
            .field("brokers", &self.brokers)
            .field("options", &self.options)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

fn not_led(topic: &str) -> Error {
    let what = format!("some partition of {topic} has no leader: check that all brokers run");
    Error::new(ErrorKind::Unavailable, what).with_page("kafka-away")
}

fn not_made(topic: &str, why: &dyn fmt::Display) -> Error {
    let what = format!(
        "the topic {topic} cannot be made ({why}): make it yourself, or correct what is in the way"
    );
    Error::new(ErrorKind::Misconfigured, what).with_page("kafka-missing")
}

fn not_told(topic: &str, why: &dyn fmt::Display) -> Error {
    let what = format!("Kafka does not tell the settings of {topic}: {why}");
    Error::new(ErrorKind::Unavailable, what).with_page("kafka-away")
}

fn refusal(topic: &str, wrong: &[Wrong]) -> String {
    let found: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    let wanted: Vec<String> = wrong
        .iter()
        .map(|wrong| format!("{}={}", wrong.setting.name, wrong.setting.value()))
        .collect();
    format!(
        "the topic {topic} would lose or change history: {}. Correct it: kafka-configs --alter --entity-type topics \
         --entity-name {topic} --add-config {}",
        found.join(", "),
        wanted.join(",")
    )
}
