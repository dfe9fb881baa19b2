//! Ends and shapes of topics: asked from the broker each time, once for all who ask at the same moment.
//!
//! The driver blocks while it asks, so a thread of its own does. Whoever asks while a question is under way
//! is part of the next one: an answer is never older than its question.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use journal::{BoxFuture, Error, ErrorKind, Offset, Partition};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::metadata::{Metadata, MetadataTopic};
use rdkafka::topic_partition_list::{Offset as At, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;
use tokio::sync::oneshot;

use crate::client::{self, Context};
use crate::threads::Threads;

/// So often the thread looks whether it should end, and lets the driver say what it has to say.
const TICK: Duration = Duration::from_millis(200);
/// An answer comes within this time, or none.
const PATIENCE: Duration = Duration::from_secs(5);
/// One try. Shorter than the patience, so that an answer lost with its connection is asked for again.
const TRY: Duration = Duration::from_secs(2);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// What a topic looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    /// How many partitions it has.
    pub(crate) partitions: u32,
    /// On how many brokers its least kept partition is.
    pub(crate) replicas: usize,
    /// Every partition has a broker that takes appends.
    pub(crate) is_led: bool,
}

/// What the brokers say of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// How many brokers there are.
    pub(crate) brokers: usize,
    /// The topic, if it is there.
    pub(crate) topic: Option<Shape>,
}

type Reply<T> = oneshot::Sender<Result<T, Error>>;
type Place = (Arc<str>, Partition);

/// The one end of a partition or the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Edge {
    Start,
    End,
}

enum Question {
    Edge(Edge, Place, Reply<Offset>),
    Topic(Arc<str>, Reply<Seen>),
}

/// Asks the brokers.
#[derive(Debug, Clone)]
pub(crate) struct Observer {
    questions: Sender<Question>,
}

impl Observer {
    pub(crate) fn start(brokers: &str, threads: &Threads) -> Result<Self, Error> {
        let consumer = client::make(&client::observer(brokers), "observer")?;
        let (questions, asked) = mpsc::channel();
        let observing = threads.clone();
        threads
            .run("kafka-observer", move || {
                observe(&consumer, &asked, &observing);
            })
            .map_err(|error| {
                Error::new(ErrorKind::Internal, "no thread for Kafka's observer").with_source(error)
            })?;
        Ok(Self { questions })
    }

    /// The offset that the next record of a partition gets.
    pub(crate) fn end(
        &self,
        topic: &Arc<str>,
        partition: Partition,
    ) -> BoxFuture<'static, Result<Offset, Error>> {
        let place = (Arc::clone(topic), partition);
        self.ask(|reply| Question::Edge(Edge::End, place, reply))
    }

    /// The offset of the oldest record of a partition that was not deleted.
    pub(crate) fn start_of(
        &self,
        topic: &Arc<str>,
        partition: Partition,
    ) -> BoxFuture<'static, Result<Offset, Error>> {
        let place = (Arc::clone(topic), partition);
        self.ask(|reply| Question::Edge(Edge::Start, place, reply))
    }

    /// What the brokers say of a topic.
    pub(crate) fn topic(&self, topic: &Arc<str>) -> BoxFuture<'static, Result<Seen, Error>> {
        let topic = Arc::clone(topic);
        self.ask(|reply| Question::Topic(topic, reply))
    }

    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(Reply<T>) -> Question,
    ) -> BoxFuture<'static, Result<T, Error>> {
        let (reply, answer) = oneshot::channel();
        let is_asked = self.questions.send(question(reply)).is_ok();
        Box::pin(async move {
            match answer.await {
                Ok(answer) if is_asked => answer,
                _ => Err(Error::new(
                    ErrorKind::Unavailable,
                    "the Kafka log was closed",
                )),
            }
        })
    }
}

fn observe(consumer: &BaseConsumer<Context>, asked: &Receiver<Question>, threads: &Threads) {
    while !threads.are_closing() {
        let first = match asked.recv_timeout(TICK) {
            Ok(question) => Some(question),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let mut edges: BTreeMap<Edge, BTreeMap<Place, Vec<Reply<Offset>>>> = BTreeMap::new();
        for question in first.into_iter().chain(asked.try_iter()) {
            match question {
                Question::Edge(edge, place, reply) => {
                    let places = edges.entry(edge).or_default();
                    places.entry(place).or_default().push(reply);
                }
                Question::Topic(topic, reply) => drop(reply.send(look_at(consumer, &topic))),
            }
        }
        for (edge, places) in edges {
            answer(consumer, edge, places);
        }
        while consumer.poll(Duration::ZERO).is_some() {}
    }
}

fn answer(
    consumer: &BaseConsumer<Context>,
    edge: Edge,
    mut asked: BTreeMap<Place, Vec<Reply<Offset>>>,
) {
    let started = Instant::now();
    while !asked.is_empty() {
        let problem = match ask(consumer, edge, asked.keys()) {
            Ok(found) => {
                for (place, offset) in found {
                    for reply in asked.remove(&place).into_iter().flatten() {
                        drop(reply.send(Ok(offset)));
                    }
                }
                None
            }
            Err(error) => Some(error),
        };
        if asked.is_empty() {
            return;
        }
        if started.elapsed() >= PATIENCE {
            for ((topic, partition), replies) in asked {
                for reply in replies {
                    drop(reply.send(Err(not_told(edge, &topic, partition, problem.as_ref()))));
                }
            }
            return;
        }
        std::thread::sleep(PAUSE);
    }
}

fn not_told(edge: Edge, topic: &str, partition: Partition, problem: Option<&KafkaError>) -> Error {
    let why = problem.map_or_else(String::new, |problem| format!(" ({problem})"));
    let edge = match edge {
        Edge::Start => "start",
        Edge::End => "end",
    };
    let what = format!("Kafka does not tell the {edge} of {topic} partition {partition}{why}");
    Error::new(ErrorKind::Unavailable, what).with_page("kafka-away")
}

/// The starts or ends of those places that the brokers know.
fn ask<'a>(
    consumer: &BaseConsumer<Context>,
    edge: Edge,
    places: impl Iterator<Item = &'a Place>,
) -> KafkaResult<Vec<(Place, Offset)>> {
    let mut asked = TopicPartitionList::new();
    let mut names: BTreeMap<&str, &Arc<str>> = BTreeMap::new();
    for (topic, partition) in places {
        names.insert(topic, topic);
        let at = match edge {
            Edge::Start => At::Beginning,
            Edge::End => At::End,
        };
        asked.add_partition_offset(topic, number(*partition), at)?;
    }
    let told = consumer.offsets_for_times(asked, TRY)?;
    let found = told.elements().into_iter().filter_map(|element| {
        let topic = names.get(element.topic()).map(|topic| Arc::clone(topic))?;
        let partition = Partition::try_from(element.partition()).ok()?;
        match (element.error(), element.offset()) {
            (Ok(()), At::Offset(it)) => Some(((topic, partition), Offset::try_from(it).ok()?)),
            _ => None,
        }
    });
    Ok(found.collect())
}

fn look_at(consumer: &BaseConsumer<Context>, topic: &str) -> Result<Seen, Error> {
    let metadata = consumer.fetch_metadata(Some(topic), TRY);
    metadata
        .and_then(|metadata| seen(&metadata, topic))
        .map_err(|error| {
            let what = format!(
                "Kafka does not answer ({error}): check that the brokers run and can be reached from here"
            );
            Error::new(ErrorKind::Unavailable, what).with_page("kafka-away")
        })
}

fn seen(metadata: &Metadata, topic: &str) -> KafkaResult<Seen> {
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let topic = match found.map(|found| (found, found.error())) {
        None | Some((_, Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART))) => None,
        Some((found, None | Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE))) => {
            Some(shape(found))
        }
        Some((_, Some(error))) => {
            return Err(KafkaError::MetadataFetch(RDKafkaErrorCode::from(error)));
        }
    };
    Ok(Seen {
        brokers: metadata.brokers().len(),
        topic,
    })
}

fn shape(topic: &MetadataTopic) -> Shape {
    let partitions = topic.partitions();
    let replicas = partitions
        .iter()
        .map(|partition| partition.replicas().len());
    Shape {
        partitions: u32::try_from(partitions.len()).unwrap_or(u32::MAX),
        replicas: replicas.min().unwrap_or(0),
        is_led: !partitions.is_empty()
            && partitions.iter().all(|partition| partition.leader() >= 0),
    }
}

/// A partition in the driver's spelling.
pub(crate) fn number(partition: Partition) -> i32 {
    i32::try_from(partition).unwrap_or(i32::MAX)
}
