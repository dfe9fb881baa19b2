//! A topic that would lose or change history is refused at opening, with what to do.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use journal::{Error, ErrorKind, Kind, TopicSpec, Topics as _};
use journal_kafka::{KafkaOptions, KafkaTopics};
use rdkafka::admin::{NewTopic, TopicReplication};

use crate::broker::{Broker, fresh, open, run, write};

/// Makes a topic as somebody else would.
async fn make(broker: &Broker, spec: &TopicSpec, settings: &[(&str, &str)]) {
    let partitions = i32::try_from(spec.partitions).unwrap();
    let fresh = NewTopic::new(&spec.name, partitions, TopicReplication::Fixed(1));
    let fresh = settings
        .iter()
        .fold(fresh, |fresh, (name, value)| fresh.set(name, value));
    let (admin, options) = broker.admin();
    for made in admin.create_topics([&fresh], &options).await.unwrap() {
        made.unwrap();
    }
}

async fn refusal(topics: &KafkaTopics, spec: &TopicSpec) -> Error {
    topics.open(spec).await.map(drop).unwrap_err()
}

#[test]
fn a_topic_with_the_brokers_own_settings_is_refused_with_the_command_that_corrects_it() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let spec = fresh(1);
        make(&broker, &spec, &[]).await;
        let error = refusal(&broker.topics(), &spec).await;
        assert_eq!(error.kind(), ErrorKind::Misconfigured);
        let said = error.to_string();
        assert!(said.contains("docs/errors/kafka-settings.md"), "{said}");
        assert!(
            said.contains("retention.ms is 604800000 and must be -1"),
            "{said}"
        );
        let all = "retention.ms=-1,message.timestamp.type=LogAppendTime,max.message.bytes=2097152,flush.messages=1";
        assert!(
            said.contains(&format!("--entity-name {} --add-config {all}", spec.name)),
            "{said}"
        );
    });
}

#[test]
fn a_topic_that_was_made_well_by_somebody_else_is_taken() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let spec = fresh(3);
        let good = [
            ("retention.ms", "-1"),
            ("message.timestamp.type", "LogAppendTime"),
            ("max.message.bytes", "3000000"),
            ("flush.messages", "1"),
        ];
        make(&broker, &spec, &good).await;
        let log = open(&broker.topics(), &spec).await;
        write(&log, 2, &["x"]).await;

        let keys = TopicSpec {
            kind: Kind::Keys,
            ..spec
        };
        let error = refusal(&broker.topics(), &keys).await;
        assert!(
            error
                .to_string()
                .contains("cleanup.policy is delete and must be compact"),
            "{error}"
        );
    });
}

#[test]
fn a_single_brokers_page_cache_is_trusted_only_when_that_is_said() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let spec = fresh(1);
        let trusting = KafkaOptions {
            trust_page_cache: true,
            ..KafkaOptions::default()
        };
        let log = open(&broker.topics_with(trusting), &spec).await;
        write(&log, 0, &["x"]).await;
        let error = refusal(&broker.topics(), &spec).await;
        assert!(error.to_string().contains("flush.messages"), "{error}");
    });
}

#[test]
fn the_partitions_are_those_that_the_topic_has() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let spec = fresh(3);
        let first = open(&broker.topics(), &spec).await;
        let narrower = TopicSpec {
            partitions: 2,
            ..spec.clone()
        };
        let later = open(&broker.topics(), &narrower).await;
        assert_eq!((first.partitions(), later.partitions()), (3, 3));

        let wider = TopicSpec {
            partitions: 12,
            ..spec
        };
        let error = refusal(&broker.topics(), &wider).await;
        assert_eq!(error.kind(), ErrorKind::Misconfigured, "{error}");
    });
}

#[test]
fn a_missing_topic_is_refused_where_topics_are_not_made() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let spec = fresh(1);
        let careful = KafkaOptions {
            create_topics: false,
            ..KafkaOptions::default()
        };
        let topics = broker.topics_with(careful);
        for _ in 0..2 {
            let error = refusal(&topics, &spec).await;
            assert_eq!(error.kind(), ErrorKind::Misconfigured);
            assert!(
                error.to_string().contains("docs/errors/kafka-missing.md"),
                "{error}"
            );
        }
    });
}

#[test]
fn more_replicas_than_brokers_are_waited_for_and_then_told() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let safe = KafkaOptions {
            replication: 99,
            patience: Duration::from_millis(500),
            ..KafkaOptions::default()
        };
        let begun = Instant::now();
        // A cluster that comes up has fewer brokers for a while.
        let error = refusal(&broker.topics_with(safe), &fresh(1)).await;
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(begun.elapsed() >= Duration::from_millis(500));
        assert!(
            error.to_string().contains("docs/errors/kafka-missing.md"),
            "{error}"
        );
    });
}

#[test]
fn brokers_that_are_away_are_waited_for_and_then_told() {
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    run(async {
        let patience = Duration::from_millis(500);
        let options = KafkaOptions {
            patience,
            ..KafkaOptions::default()
        };
        let topics = KafkaTopics::open(&nobody.to_string(), options).unwrap();
        let error = refusal(&topics, &fresh(1)).await;
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.is_retryable());
        assert!(
            error.to_string().contains("docs/errors/kafka-away.md"),
            "{error}"
        );
    });
}

#[test]
fn an_address_that_is_none_is_refused_at_once() {
    let error = KafkaTopics::open("localhost", KafkaOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misconfigured);
}
