//! Told to stop, a service ends by itself, whatever Kafka does.

use std::time::{Duration, Instant};

use crate::alone::{Alone, GRACE, stop};

#[test]
fn a_service_that_is_told_to_stop_ends_in_good_order() {
    let Some(alone) = Alone::new() else { return };
    let instance = alone.ready();
    let started = Instant::now();
    assert_eq!(stop(instance).code(), Some(0), "{}", alone.plan.said());
    assert!(
        started.elapsed() < Duration::from_secs(15),
        "{:?}",
        started.elapsed()
    );
    // Its rows are whole: it goes on from them.
    assert_eq!(stop(alone.ready()).code(), Some(0));
}

#[test]
fn a_broker_that_hangs_cannot_keep_the_process_alive() {
    let Some(alone) = Alone::new() else { return };
    let instance = alone.ready();
    alone.cluster.pause(1).unwrap();
    let status = stop(instance);
    alone.cluster.resume(1).unwrap();
    assert_eq!(
        status.code(),
        Some(0),
        "within {GRACE:?}: {}",
        alone.plan.said()
    );
}

#[test]
fn a_service_that_still_waits_for_kafka_can_be_told_to_stop() {
    let Some(alone) = Alone::new() else { return };
    alone.cluster.kill(1).unwrap();
    let instance = alone.plan.start().unwrap();
    alone.until_said("the log is being opened");
    let started = Instant::now();
    assert_eq!(stop(instance).code(), Some(0), "{}", alone.plan.said());
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn a_service_that_finds_no_kafka_says_where_it_looked_and_what_to_do() {
    let Some(mut alone) = Alone::new() else {
        return;
    };
    alone.cluster.kill(1).unwrap();
    let said = alone.refused();
    assert!(said.contains("docs/errors/kafka-away.md"), "{said}");
}
