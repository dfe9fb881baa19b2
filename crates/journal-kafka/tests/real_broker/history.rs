//! History that is missing is an error and never skipped.

use std::time::Duration;

use journal::{Error, ErrorKind, Log};
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::broker::{Broker, SOON, fresh, open, run, texts, write};

/// The fault of a tail, which stays where it is.
async fn fault(log: &dyn Log, from: u64) -> Error {
    let mut tail = log.tail(0, from);
    loop {
        let next = tokio::time::timeout(SOON, tail.next()).await;
        if let Err(error) = next.expect("it is told soon") {
            let again = tail.next().await.unwrap_err();
            assert_eq!(again.to_string(), error.to_string());
            return error;
        }
    }
}

#[test]
fn a_tail_behind_the_end_is_told_that_history_was_cut_back() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let log = open(&broker.topics(), &fresh(1)).await;
        write(&log, 0, &["a", "b"]).await;
        let error = fault(&*log, 10).await;
        assert_eq!(error.kind(), ErrorKind::Truncated, "{error}");
        assert_eq!(error.page(), Some("journal-truncated"));
        write(&log, 0, &["c"]).await;
        assert_eq!(
            texts(&crate::broker::read(&log, 0, 2, 1).await),
            ["c"],
            "others go on"
        );
    });
}

#[test]
fn deleted_records_are_a_gap() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let spec = fresh(1);
        let log = open(&broker.topics(), &spec).await;
        write(&log, 0, &["a", "b", "c"]).await;
        let (admin, options) = broker.admin();
        let mut before = TopicPartitionList::new();
        before
            .add_partition_offset(&spec.name, 0, Offset::Offset(2))
            .unwrap();
        admin.delete_records(&before, &options).await.unwrap();
        let error = fault(&*log, 0).await;
        assert_eq!(error.kind(), ErrorKind::Gap, "{error}");
        assert_eq!(texts(&crate::broker::read(&log, 0, 2, 1).await), ["c"]);
    });
}

#[test]
fn somebody_elses_transaction_is_a_gap() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let spec = fresh(1);
        let log = open(&broker.topics(), &spec).await;
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &broker.address)
            .set("transactional.id", &spec.name);
        let stranger: BaseProducer = config.create().unwrap();
        stranger.init_transactions(SOON).unwrap();
        stranger.begin_transaction().unwrap();
        stranger
            .send(
                BaseRecord::<str, str>::to(&spec.name)
                    .partition(0)
                    .payload("strange"),
            )
            .unwrap();
        stranger.commit_transaction(SOON).unwrap();
        write(&log, 0, &["ours"]).await;
        let error = fault(&*log, 0).await;
        assert_eq!(error.kind(), ErrorKind::Gap, "{error}");
        assert!(
            error.to_string().contains("at offset 2 instead of 1"),
            "{error}"
        );
    });
}

#[test]
fn an_open_transaction_of_somebody_else_hides_nothing_that_is_written() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let spec = fresh(1);
        let log = open(&broker.topics(), &spec).await;
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &broker.address)
            .set("transactional.id", &spec.name);
        let stranger: BaseProducer = config.create().unwrap();
        stranger.init_transactions(SOON).unwrap();
        stranger.begin_transaction().unwrap();
        stranger
            .send(
                BaseRecord::<str, str>::to(&spec.name)
                    .partition(0)
                    .payload("strange"),
            )
            .unwrap();
        stranger.flush(SOON).unwrap();
        write(&log, 0, &["ours"]).await;
        assert_eq!(log.end(0).await.unwrap(), 2);
        assert_eq!(
            texts(&crate::broker::read(&log, 0, 0, 2).await),
            ["strange", "ours"]
        );
        stranger.abort_transaction(SOON).unwrap();
    });
}

#[test]
fn a_topic_that_is_deleted_is_told_to_its_tails() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let spec = fresh(1);
        let log = open(&broker.topics(), &spec).await;
        write(&log, 0, &["a"]).await;
        let mut tail = log.tail(0, 0);
        assert_eq!(texts(&tail.next().await.unwrap()), ["a"]);
        let (admin, options) = broker.admin();
        admin.delete_topics(&[&spec.name], &options).await.unwrap();
        let told = tokio::time::timeout(SOON + Duration::from_secs(30), tail.next()).await;
        let error = told.expect("it is told").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert_eq!(error.page(), Some("kafka-missing"), "{error}");
        assert_eq!(log.end(0).await.unwrap_err().kind(), ErrorKind::Unavailable);
    });
}
