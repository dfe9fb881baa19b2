//! The rules, one function each.

use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::join_all;
use tokio::task::JoinSet;

use super::{
    Check, Ground, Seen, dense, read, same, some, texts, told, values, write, write_numbers,
};
use crate::{
    Append, ErrorKind, Header, Kind, MAX_BATCH_BYTES, MAX_BATCH_RECORDS, MAX_RECORD_BYTES, Record,
};

macro_rules! rules {
    ($($rule:ident)*) => { &[$((stringify!($rule), |ground| $rule(ground).boxed())),*] };
}

pub(super) const ALL: &[(&str, Check)] = rules! {
    an_empty_partition_ends_at_zero
    a_record_comes_back_whole
    the_end_covers_what_was_acknowledged
    offsets_are_dense_whoever_appends
    what_follows_an_acknowledgement_stands_behind_it
    an_append_says_where_it_stands
    all_tails_see_the_same
    a_tail_begins_where_it_is_told
    a_tail_at_the_end_waits_and_wakes
    a_dropped_read_loses_nothing
    an_append_goes_on_without_its_caller
    batches_are_bounded
    the_largest_record_fits_and_a_larger_one_does_not
    partitions_know_nothing_of_each_other
    topics_know_nothing_of_each_other
    a_topic_opened_again_is_the_same
    a_topic_that_does_not_fit_is_refused
    a_place_behind_the_end_is_refused
    a_partition_that_is_not_there_is_refused
};

async fn an_empty_partition_ends_at_zero(ground: Ground) -> Seen {
    let log = ground.open(3).await?;
    same("the partitions", log.partitions(), 3)?;
    same("the names", log.topic(), ground.topic.as_str())?;
    for partition in 0..3 {
        let end = log.end(partition).await.map_err(told)?;
        same("the ends", end, 0)?;
    }
    Ok(())
}

async fn a_record_comes_back_whole(ground: Ground) -> Seen {
    let log = ground.open(1).await?;
    let every_byte: Bytes = (0..=u8::MAX).collect();
    let header = |name: &str, value: &Bytes| Header {
        name: name.to_owned(),
        value: value.clone(),
    };
    let records = [
        Record::value("bare"),
        Record {
            key: Some(every_byte.clone()),
            headers: vec![
                header("twice", &every_byte),
                header("twice", &Bytes::new()),
                header("once", &Bytes::from_static(b"1")),
            ],
            value: every_byte,
        },
        Record::value(""),
    ];
    for record in &records {
        write(&*log, 0, record.clone()).await?;
    }
    let found = read(&*log, 0, 0, records.len()).await?;
    let found: Vec<Record> = found.into_iter().map(|stored| stored.record).collect();
    same("the records", found, records.to_vec())
}

async fn the_end_covers_what_was_acknowledged(ground: Ground) -> Seen {
    let log = ground.open(1).await?;
    for count in 1..=20 {
        write(&*log, 0, Record::value("x")).await?;
        let end = log.end(0).await.map_err(told)?;
        same("the ends", end, count)?;
    }
    Ok(())
}

async fn offsets_are_dense_whoever_appends(ground: Ground) -> Seen {
    let log = ground.open(1).await?;
    let writers = (0..8).map(|writer| {
        let numbers = writer * 25..(writer + 1) * 25;
        write_numbers(&*log, 0, numbers)
    });
    for written in join_all(writers).await {
        written?;
    }
    let found = read(&*log, 0, 0, 200).await?;
    let mut numbers = values(&found);
    numbers.sort_by_key(|number| number.parse::<usize>().unwrap_or_default());
    same("the records", numbers, texts(0..200))
}

async fn what_follows_an_acknowledgement_stands_behind_it(ground: Ground) -> Seen {
    let log = ground.open(1).await?;
    write_numbers(&*log, 0, 0..50).await?;
    let found = read(&*log, 0, 0, 50).await?;
    same("the records", values(&found), texts(0..50))
}

async fn all_tails_see_the_same(ground: Ground) -> Seen {
    let log = ground.open(1).await?;
    let early = (0..3).map(|_| read(&*log, 0, 0, 60));
    let write = write_numbers(&*log, 0, 0..60);
    let (early, written) = futures::join!(join_all(early), write);
    written?;
    let late = read(&*log, 0, 0, 60).await?;
    for records in early {
        same("the records", records?, late.clone())?;
    }
    Ok(())
}

async fn a_tail_begins_where_it_is_told(ground: Ground) -> Seen {
    let log = ground.open(1).await?;
    write_numbers(&*log, 0, 0..30).await?;
    for from in [0, 1, 17, 29] {
        let found = read(&*log, 0, from as u64, 30 - from).await?;
        same("the records", values(&found), texts(from..30))?;
    }
    Ok(())
}

async fn a_tail_at_the_end_waits_and_wakes(ground: Ground) -> Seen {
    let log = ground.open(1).await?;
    write_numbers(&*log, 0, 0..2).await?;
    let mut tail = log.tail(0, 2);
    for number in 2..6 {
        if let Some(found) = tail.next().now_or_never() {
            return Err(format!("at the end a tail handed out {found:?}"));
        }
        let (found, written) = futures::join!(
            some(&mut *tail),
            write_numbers(&*log, 0, number..number + 1)
        );
        written?;
        same("the records", values(&found?), texts(number..number + 1))?;
    }
    Ok(())
}

async fn a_dropped_read_loses_nothing(ground: Ground) -> Seen {
    let log = ground.open(1).await?;
    let mut tail = log.tail(0, 0);
    let mut found = Vec::new();
    for number in 0..40 {
        write_numbers(&*log, 0, number..number + 1).await?;
        let in_time = tokio::time::timeout(Duration::from_micros(50), some(&mut *tail));
        if let Ok(batch) = in_time.await {
            found.extend(batch?);
        }
    }
    while found.len() < 40 {
        found.extend(some(&mut *tail).await?);
    }
    dense(&found, 0)?;
    same("the records", values(&found), texts(0..40))
}

async fn an_append_goes_on_without_its_caller(ground: Ground) -> Seen {
    let log = ground.open(1).await?;
    let mut spawned = JoinSet::new();
    spawned.spawn(log.append(0, Record::value("0")));
    spawned.detach_all();
    let found = read(&*log, 0, 0, 1).await?;
    same("the records", values(&found), texts(0..1))
}

async fn batches_are_bounded(ground: Ground) -> Seen {
    let log = ground.open(2).await?;
    let count = MAX_BATCH_RECORDS + 100;
    let small = (0..count).map(|_| write(&*log, 0, Record::value("x")));
    let large = (0..6).map(|_| write(&*log, 1, Record::value(vec![0; MAX_RECORD_BYTES])));
    let (small, large) = futures::join!(join_all(small), join_all(large));
    for written in small.into_iter().chain(large) {
        written?;
    }
    for (partition, count) in [(0, count), (1, 6)] {
        let mut tail = log.tail(partition, 0);
        let mut read = 0;
        while read < count {
            let batch = some(&mut *tail).await?;
            let bytes: usize = batch.iter().map(|stored| stored.record.size()).sum();
            if batch.len() > MAX_BATCH_RECORDS || bytes > MAX_BATCH_BYTES {
                return Err(format!("a batch of {} records, {bytes} bytes", batch.len()));
            }
            read += batch.len();
        }
    }
    Ok(())
}

async fn the_largest_record_fits_and_a_larger_one_does_not(ground: Ground) -> Seen {
    let log = ground.open(1).await?;
    write(&*log, 0, Record::value(vec![7; MAX_RECORD_BYTES])).await?;
    let larger = Record::value(vec![7; MAX_RECORD_BYTES + 1]);
    match log.append(0, larger).await {
        Append::NotWritten(_) => {}
        other @ (Append::Written(_) | Append::Unknown(_)) => {
            return Err(format!("a larger record was answered with {other:?}"));
        }
    }
    write(&*log, 0, Record::value("behind it")).await?;
    let sizes: Vec<usize> = read(&*log, 0, 0, 2)
        .await?
        .iter()
        .map(|stored| stored.record.size())
        .collect();
    same("the sizes", sizes, vec![MAX_RECORD_BYTES, 9])
}

async fn an_append_says_where_it_stands(ground: Ground) -> Seen {
    let log = ground.open(2).await?;
    let appends = (0..40).map(|number| {
        let partition = number % 2;
        let appended = log.append(partition, Record::value(number.to_string()));
        async move { (partition, number, appended.await) }
    });
    for (partition, number, appended) in join_all(appends).await {
        match appended {
            // It stands there for certain, and the log does not know where.
            Append::Written(None) => {}
            Append::Written(Some(offset)) => {
                let found = read(&*log, partition, offset, 1).await?;
                let first = found.get(..1).unwrap_or_default();
                same("the record", values(first), vec![number.to_string()])?;
            }
            other @ (Append::NotWritten(_) | Append::Unknown(_)) => {
                return Err(format!("an append was answered with {other:?}"));
            }
        }
    }
    Ok(())
}

async fn partitions_know_nothing_of_each_other(ground: Ground) -> Seen {
    let log = ground.open(3).await?;
    write_numbers(&*log, 2, 0..5).await?;
    write_numbers(&*log, 0, 5..7).await?;
    for (partition, numbers) in [(0, 5..7), (1, 0..0), (2, 0..5)] {
        let end = log.end(partition).await.map_err(told)?;
        same("the ends", end, numbers.len() as u64)?;
        let found = read(&*log, partition, 0, numbers.len()).await?;
        same("the records", values(&found), texts(numbers))?;
    }
    Ok(())
}

async fn topics_know_nothing_of_each_other(ground: Ground) -> Seen {
    let here = ground.open(1).await?;
    let other = format!("{}.other", ground.topic);
    let other = ground
        .open_as(&other, 1, Kind::Public)
        .await
        .map_err(told)?;
    write_numbers(&*here, 0, 0..3).await?;
    write_numbers(&*other, 0, 3..4).await?;
    same("the ends", here.end(0).await.map_err(told)?, 3)?;
    same("the ends", other.end(0).await.map_err(told)?, 1)?;
    let found = read(&*other, 0, 0, 1).await?;
    same("the records", values(&found), texts(3..4))
}

async fn a_topic_opened_again_is_the_same(ground: Ground) -> Seen {
    let first = ground.open(2).await?;
    write_numbers(&*first, 1, 0..3).await?;
    let second = ground.open(2).await?;
    let mut tail = second.tail(1, 3);
    write_numbers(&*first, 1, 3..4).await?;
    same("the records", values(&some(&mut *tail).await?), texts(3..4))?;
    let found = read(&*second, 1, 0, 4).await?;
    same("the records", values(&found), texts(0..4))
}

async fn a_topic_that_does_not_fit_is_refused(ground: Ground) -> Seen {
    let log = ground.open(2).await?;
    let wider = ground.open_as(&ground.topic, 1, Kind::Journal).await;
    same(
        "the partitions",
        wider.map_err(told)?.partitions(),
        log.partitions(),
    )?;
    for (partitions, kind) in [(3, Kind::Journal), (2, Kind::Keys)] {
        match ground.open_as(&ground.topic, partitions, kind).await {
            Err(error) => same("the errors", error.kind(), ErrorKind::Misconfigured)?,
            Ok(_) => {
                return Err(format!(
                    "it opened with {partitions} partitions as {kind:?}"
                ));
            }
        }
    }
    Ok(())
}

async fn a_place_behind_the_end_is_refused(ground: Ground) -> Seen {
    let log = ground.open(1).await?;
    write_numbers(&*log, 0, 0..2).await?;
    let mut tail = log.tail(0, 3);
    for _ in 0..2 {
        match tail.next().await {
            Err(error) => same("the errors", error.kind(), ErrorKind::Truncated)?,
            Ok(found) => return Err(format!("it handed out {found:?}")),
        }
    }
    Ok(())
}

async fn a_partition_that_is_not_there_is_refused(ground: Ground) -> Seen {
    let log = ground.open(2).await?;
    match log.append(2, Record::value("lost")).await {
        Append::NotWritten(_) => {}
        other @ (Append::Written(_) | Append::Unknown(_)) => {
            return Err(format!("an append was answered with {other:?}"));
        }
    }
    let end = log.end(2).await.map_err(|error| error.kind());
    same("the ends", end, Err(ErrorKind::Misconfigured))?;
    let next = log.tail(2, 0).next().await.map_err(|error| error.kind());
    same("the reads", next, Err(ErrorKind::Misconfigured))
}
