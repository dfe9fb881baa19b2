//! Cuts the power at hundreds of moments: what was acknowledged is there, and the log always opens.

mod disk;

use std::sync::Arc;

use eventsourcing::FixedClock;
use futures::future::join_all;
use journal::{Error, Kind, Log, Record, Stored, TopicSpec, Topics as _};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use self::disk::Disk;
use crate::store::Store;
use crate::{EmbeddedOptions, EmbeddedTopics};

const PARTITIONS: u32 = 2;

/// Everything that was ever acknowledged: the values by partition, in the order of acknowledgement.
#[derive(Default)]
struct Acknowledged([Vec<String>; PARTITIONS as usize]);

async fn open(disk: &Disk) -> Result<(EmbeddedTopics, Arc<dyn Log>), Error> {
    let store = Store::on(disk.clone())?;
    let clock = Arc::new(FixedClock::default());
    let topics = EmbeddedTopics::over(store, EmbeddedOptions::new(clock))?;
    let spec = TopicSpec {
        name: "journal".to_owned(),
        partitions: PARTITIONS,
        kind: Kind::Journal,
    };
    let log = topics.open(&spec).await?;
    Ok((topics, log))
}

/// A new log, as it is found under its name: the folder sees to it that it is whole by then.
fn made() -> Vec<u8> {
    let disk = Disk::new(Vec::new(), u64::MAX);
    redb::Builder::new()
        .create_with_backend(disk.clone())
        .unwrap()
        .close()
        .unwrap();
    disk.synced()
}

/// Writers append until the power fails, or `rounds` times each.
async fn live(disk: &Disk, life: u64, rounds: u64, acknowledged: &mut Acknowledged) {
    let Ok((topics, log)) = open(disk).await else {
        assert!(disk.is_dead(), "the log opens while there is power");
        return;
    };
    let writers = (0..6_u64).map(|writer| {
        let log = Arc::clone(&log);
        async move {
            let partition = u32::try_from(writer).unwrap() % PARTITIONS;
            let mut written = Vec::new();
            for round in 0..rounds {
                let padding = "x".repeat(usize::try_from(round % 5).unwrap() * 700);
                let value = format!("{life}/{writer}/{round}/{padding}");
                let appended = log.append(partition, Record::value(value.clone())).await;
                if !appended.is_written() {
                    assert!(disk.is_dead(), "appends are written while there is power");
                    break;
                }
                written.push(value);
            }
            (partition, written)
        }
    });
    for (partition, written) in join_all(writers).await {
        acknowledged.0[partition as usize].extend(written);
    }
    drop(log);
    if topics.close().await.is_err() {
        assert!(disk.is_dead(), "the log closes while there is power");
    }
}

/// Reads the whole log that is left and compares it with what was acknowledged.
async fn check(disk: Disk, acknowledged: &Acknowledged, moment: &str) {
    let (topics, log) = open(&disk)
        .await
        .unwrap_or_else(|error| panic!("{moment}: the log does not open: {error}"));
    for (partition, acknowledged) in (0..).zip(&acknowledged.0) {
        let end = log.end(partition).await.unwrap();
        let mut found: Vec<Stored> = Vec::new();
        let mut tail = log.tail(partition, 0);
        while (found.len() as u64) < end {
            found.extend(tail.next().await.unwrap());
        }
        let offsets: Vec<u64> = found.iter().map(|stored| stored.offset).collect();
        assert_eq!(offsets, (0..end).collect::<Vec<u64>>(), "{moment}");
        let mut there: Vec<&[u8]> = found
            .iter()
            .map(|stored| &stored.record.value[..])
            .collect();
        there.sort_unstable();
        for value in acknowledged {
            let found = there.binary_search(&value.as_bytes());
            assert!(
                found.is_ok(),
                "{moment}: {value} was acknowledged and is gone"
            );
        }
    }
    topics.close().await.unwrap();
}

async fn cut_again_and_again(seed: u64, lives: u64) {
    let mut chance = SmallRng::seed_from_u64(seed);
    let mut acknowledged = Acknowledged::default();
    let mut left = made();
    for life in 0..lives {
        let moment = chance.random_range(0..200);
        let disk = Disk::new(left, moment);
        live(&disk, life, 40, &mut acknowledged).await;
        left = disk.after_the_cut(&mut chance);
        let undisturbed = Disk::new(left.clone(), u64::MAX);
        let told = format!("seed {seed}, life {life}, cut at {moment}");
        check(undisturbed, &acknowledged, &told).await;
    }
    let written: usize = acknowledged.0.iter().map(Vec::len).sum();
    assert!(written > 0, "seed {seed}: nothing was ever acknowledged");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_and_it_always_opens() {
    for seed in 0..24 {
        cut_again_and_again(seed, 10).await;
    }
}

#[tokio::test]
async fn the_test_would_notice_a_disk_that_lies_about_syncing() {
    let mut chance = SmallRng::seed_from_u64(1);
    let mut lost = 0;
    for _ in 0..20 {
        let disk = Disk::new(made(), u64::MAX).that_lies();
        let mut acknowledged = Acknowledged::default();
        let (topics, log) = open(&disk).await.unwrap();
        for number in 0..5 {
            let value = number.to_string();
            let appended = log.append(0, Record::value(value.clone())).await;
            assert!(appended.is_written());
            acknowledged.0[0].push(value);
        }
        let left = Disk::new(disk.after_the_cut(&mut chance), u64::MAX);
        lost += usize::from(match open(&left).await {
            Ok((_topics, log)) => log.end(0).await.unwrap() < 5,
            Err(_) => true,
        });
        topics.close().await.unwrap();
    }
    assert!(lost > 10, "{lost}");
}
