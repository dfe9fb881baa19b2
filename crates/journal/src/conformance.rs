//! One suite for all logs: what [`Log`] promises, each rule a check with a name.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # async fn example(topics: Arc<dyn journal::Topics>) {
//! journal::conformance::run(&topics, "conformance").await.unwrap();
//! # }
//! ```
//!
//! What cannot be seen from outside, such as surviving a power cut, is for each log's own tests.

mod rules;

use std::sync::Arc;
use std::time::Duration;

use crate::{
    Append, BoxFuture, Error, Kind, Log, Offset, Partition, Record, Stored, Tail, TopicSpec, Topics,
};

/// How long a rule may take, on a log that is reached over a network and creates topics.
const PATIENCE: Duration = Duration::from_secs(60);

/// A rule that a log does not keep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the log breaks the rule `{rule}`: {what}")]
pub struct Broken {
    /// The name of the rule.
    pub rule: &'static str,
    /// What was seen instead.
    pub what: String,
}

/// Checks every rule, each on topics of its own whose names begin with `prefix`: a log that keeps its
/// topics needs a new prefix for each run.
///
/// Errors: the first rule that is broken, or that took longer than a minute.
pub async fn run(topics: &Arc<dyn Topics>, prefix: &str) -> Result<(), Broken> {
    for (rule, check) in rules::ALL {
        let ground = Ground {
            topics: Arc::clone(topics),
            topic: format!("{prefix}.{rule}"),
        };
        tokio::time::timeout(PATIENCE, check(ground))
            .await
            .unwrap_or_else(|_| Err(format!("no result within {PATIENCE:?}")))
            .map_err(|what| Broken { rule, what })?;
    }
    Ok(())
}

/// The names of all rules, in the order in which they are checked.
pub fn names() -> impl Iterator<Item = &'static str> {
    rules::ALL.iter().map(|(rule, _)| *rule)
}

/// A check of one rule; its error says what was seen.
type Check = fn(Ground) -> BoxFuture<'static, Seen>;

type Seen<T = ()> = Result<T, String>;

/// Where one rule is checked.
struct Ground {
    topics: Arc<dyn Topics>,
    topic: String,
}

impl Ground {
    async fn open(&self, partitions: u32) -> Seen<Arc<dyn Log>> {
        self.open_as(&self.topic, partitions, Kind::Journal)
            .await
            .map_err(told)
    }

    async fn open_as(
        &self,
        name: &str,
        partitions: u32,
        kind: Kind,
    ) -> Result<Arc<dyn Log>, Error> {
        let spec = TopicSpec {
            name: name.to_owned(),
            partitions,
            kind,
        };
        self.topics.open(&spec).await
    }
}

/// Appends, and insists that it is written.
async fn write(log: &dyn Log, partition: Partition, record: Record) -> Seen {
    match log.append(partition, record).await {
        Append::Written(_) => Ok(()),
        other @ (Append::NotWritten(_) | Append::Unknown(_)) => {
            Err(format!("an append was answered with {other:?}"))
        }
    }
}

/// Appends the numbers one after the other, each as text.
async fn write_numbers(
    log: &dyn Log,
    partition: Partition,
    numbers: std::ops::Range<usize>,
) -> Seen {
    for number in numbers {
        write(log, partition, Record::value(number.to_string())).await?;
    }
    Ok(())
}

/// Reads until there are `count` records, and insists that their offsets are dense from `from` on.
async fn read(
    log: &dyn Log,
    partition: Partition,
    from: Offset,
    count: usize,
) -> Seen<Vec<Stored>> {
    let mut tail = log.tail(partition, from);
    let mut records = Vec::new();
    while records.len() < count {
        records.extend(some(&mut *tail).await?);
    }
    dense(&records, from)?;
    Ok(records)
}

/// The next batch, which must not be empty.
async fn some(tail: &mut dyn Tail) -> Seen<Vec<Stored>> {
    let batch = tail.next().await.map_err(told)?;
    if batch.is_empty() {
        return Err("a tail handed out no record".to_owned());
    }
    Ok(batch)
}

fn dense(records: &[Stored], from: Offset) -> Seen {
    let offsets: Vec<Offset> = records.iter().map(|stored| stored.offset).collect();
    same(
        "the offsets",
        offsets,
        (from..).take(records.len()).collect(),
    )
}

fn values(records: &[Stored]) -> Vec<String> {
    let values = records.iter().map(|stored| &stored.record.value);
    values
        .map(|value| String::from_utf8_lossy(value).into_owned())
        .collect()
}

fn texts(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| number.to_string()).collect()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "a check reads better without borrows of what it made up"
)]
fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) -> Seen {
    if found == wanted {
        return Ok(());
    }
    Err(format!("{what} should be {wanted:?} and are {found:?}"))
}

#[expect(clippy::needless_pass_by_value, reason = "it goes into map_err")]
fn told(error: Error) -> String {
    format!("{:?}: {error}", error.kind())
}
