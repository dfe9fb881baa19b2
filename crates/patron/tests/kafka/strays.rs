//! Records in a journal that this release did not write.

use journal::{Kind, Record, TopicSpec, Topics as _};
use journal_kafka::{KafkaOptions, KafkaTopics};
use testkit::Cluster;

use crate::alone::{Alone, GRACE, run, stop};

/// Appends these bytes to partition 0, as somebody who does not know what the topic is for.
pub(crate) fn append(cluster: &Cluster, topic: &str, bytes: &'static [u8]) {
    run(async {
        let topics = KafkaTopics::open(cluster.address(), KafkaOptions::default()).unwrap();
        let spec = TopicSpec {
            name: topic.to_owned(),
            partitions: 12,
            kind: Kind::Journal,
        };
        let log = topics.open(&spec).await.unwrap();
        let appended = log.append(0, Record::value(bytes)).await;
        assert!(appended.is_written());
        topics.close().await;
    });
}

#[test]
fn stray_bytes_are_counted_and_ignored() {
    let Some(alone) = Alone::new() else { return };
    let instance = alone.ready();
    append(&alone.cluster, "patron.retention.journal", b"{\"hello\":1}");
    append(&alone.cluster, "patron.retention.journal", b"");
    append(&alone.cluster, "patron.acquisition.events", b"no event");
    alone.until_said("a record that is none of ours, ignored");
    alone.until_said("a record that is no event, ignored");
    assert!(alone.plan.is_ready().unwrap());
    assert_eq!(stop(instance).code(), Some(0));
    assert_eq!(
        stop(alone.ready()).code(),
        Some(0),
        "and so after a restart"
    );
}

#[test]
fn a_record_of_a_newer_format_ends_the_service_with_what_to_do() {
    let Some(alone) = Alone::new() else { return };
    let instance = alone.ready();
    // The magic, then a message whose field 1, the format, is 99.
    append(&alone.cluster, "patron.retention.journal", b"PTRN\x08\x63");
    let status = instance.wait(GRACE).unwrap();
    let said = alone.plan.said();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(
        said.contains("has format 99: a newer release wrote this"),
        "{said}"
    );
    assert!(said.contains("docs/errors/newer-format.md"), "{said}");
}
