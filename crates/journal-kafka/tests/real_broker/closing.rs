//! Closing ends everything, and waits for nobody who does not answer.

use std::time::Duration;

use journal::{Append, ErrorKind};
use tokio::time::Instant;

use crate::broker::{Broker, SOON, fresh, open, record, run, write};

#[test]
fn closing_ends_tails_and_takes_no_more_appends() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let topics = broker.topics();
        let log = open(&topics, &fresh(2)).await;
        write(&log, 0, &["x"]).await;
        let (mut read, mut waiting) = (log.tail(0, 0), log.tail(1, 0));
        read.next().await.unwrap();
        let waits = tokio::task::spawn_blocking(move || {
            tokio::runtime::Handle::current().block_on(async {
                let ended = waiting.next().await;
                drop(waiting);
                ended
            })
        });
        drop(read);

        let started = Instant::now();
        topics.close().await;
        assert!(
            started.elapsed() < Duration::from_secs(4),
            "nothing had to be waited for"
        );
        let ended = tokio::time::timeout(SOON, waits).await.unwrap().unwrap();
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::Unavailable);

        assert!(matches!(
            log.append(0, record("late")).await,
            Append::NotWritten(_)
        ));
        assert_eq!(log.end(0).await.unwrap_err().kind(), ErrorKind::Unavailable);
        let mut late = log.tail(0, 0);
        let late = tokio::time::timeout(SOON, late.next()).await.unwrap();
        assert_eq!(late.unwrap_err().kind(), ErrorKind::Unavailable);
    });
}

#[test]
fn what_was_under_way_is_still_written() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let spec = fresh(1);
        let topics = broker.topics();
        let log = open(&topics, &spec).await;
        let appends: Vec<_> = (0..200)
            .map(|nth| log.append(0, record(&nth.to_string())))
            .collect();
        let appends = futures::future::join_all(appends);
        let (outcomes, ()) = futures::join!(appends, topics.close());
        assert!(outcomes.iter().all(Append::is_written));
        assert_eq!(
            open(&broker.topics(), &spec).await.end(0).await.unwrap(),
            200
        );
    });
}
