//! How a journal begins: the record that says which journal it is and how streams are placed.

use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use uuid::Uuid;

use crate::codec::{decode, encode_genesis};
use crate::commit::FORMAT;
use crate::{Append, Decoded, Entry, Error, ErrorKind, Log, Partition, Placement, Record};

/// The way of placing streams that this release knows: see [`Placement::partition_of`].
pub const HASH: &str = "blake3-64";

/// Both services of a pair place alike, so a new journal's seed is a constant.
const SEED: u64 = 0;

/// The first record of every partition of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    /// Which journal this is; one for all its partitions.
    pub cluster_uuid: Uuid,
    /// Over how many partitions streams are spread.
    pub partitions: u32,
    /// How a stream's partition is found; this release knows [`HASH`].
    pub hash: String,
    /// The seed of that hash.
    pub seed: u64,
    /// The format of the journal's records; this release knows [`FORMAT`].
    pub format: u32,
}

impl Genesis {
    /// What a new journal of this release begins with.
    pub fn new(cluster_uuid: Uuid, partitions: u32, seed: u64) -> Self {
        Self {
            cluster_uuid,
            partitions,
            hash: HASH.to_owned(),
            seed,
            format: FORMAT,
        }
    }

    /// Where its streams belong.
    pub fn placement(&self) -> Placement {
        Placement::new(self.partitions, self.seed)
    }
}

/// How often a log that does not answer, or whose answer is lost, is asked again.
const ATTEMPTS: u32 = 10;

/// How long to wait before the first time; then twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// Reads which journal `log` holds; begins one with the identity `cluster_uuid`, over all partitions, if
/// the log is new. Nobody appends anything else before this has answered.
///
/// Any number of instances may do so at once. Each that finds partition 0 empty appends its proposal;
/// the one that came to stand first counts, for all, and the others are never looked at. Only then are
/// the other partitions begun, with the record that counts, so that they cannot disagree.
///
/// A log that was given more partitions later is taken, with a warning, if the surplus is empty.
///
/// Errors: [`ErrorKind::Misconfigured`] when the log has fewer partitions than its Genesis says, or
/// records in surplus ones; [`ErrorKind::Foreign`] when a partition begins with something else or
/// belongs to another journal; [`ErrorKind::Unreadable`] when a newer release wrote it;
/// [`ErrorKind::Unavailable`] when the log does not answer.
pub async fn establish(log: &Arc<dyn Log>, cluster_uuid: Uuid) -> Result<Genesis, Error> {
    let log = &**log;
    let proposed = Genesis::new(cluster_uuid, log.partitions(), SEED);
    let genesis = first_of(log, 0, &proposed).await?;
    check(log, &genesis)?;
    let others = (1..genesis.partitions).map(|partition| {
        let genesis = &genesis;
        async move {
            let found = first_of(log, partition, genesis).await?;
            if found == *genesis {
                return Ok(());
            }
            let message = format!(
                "partition {partition} of {} belongs to the journal {}, partition 0 to {}: the topic was \
                 mixed from two",
                log.topic(),
                found.cluster_uuid,
                genesis.cluster_uuid
            );
            Err(Error::new(ErrorKind::Foreign, message).with_page("foreign-history"))
        }
    });
    try_join_all(others).await?;
    check_surplus(log, &genesis).await?;
    Ok(genesis)
}

/// The Genesis that `partition` begins with: `proposed`, if it is empty and nobody else is faster.
async fn first_of(
    log: &dyn Log,
    partition: Partition,
    proposed: &Genesis,
) -> Result<Genesis, Error> {
    let mut pause = FIRST_PAUSE;
    let mut attempts = 1..=ATTEMPTS;
    loop {
        attempts.next();
        match try_first_of(log, partition, proposed).await {
            Err(error) if error.is_retryable() && !attempts.is_empty() => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            found => return found,
        }
    }
}

async fn try_first_of(
    log: &dyn Log,
    partition: Partition,
    proposed: &Genesis,
) -> Result<Genesis, Error> {
    if log.end(partition).await? == 0 {
        let proposal = Record::value(encode_genesis(proposed));
        match log.append(partition, proposal).await {
            Append::Written(_) => {}
            Append::NotWritten(why) | Append::Unknown(why) => {
                return Err(Error::new(ErrorKind::Unavailable, why));
            }
        }
    }
    let first = log.tail(partition, 0).next().await?.into_iter().next();
    let decoded = first.map(|stored| decode(&stored.record.value));
    match decoded {
        Some(Decoded::Entry(Entry::Genesis(genesis))) => Ok(genesis),
        Some(Decoded::UnknownFormat(format)) => Err(newer(log, format)),
        Some(Decoded::Entry(Entry::Commit(_)) | Decoded::Stray | Decoded::Malformed(_)) | None => {
            let topic = log.topic();
            let message = format!(
                "partition {partition} of {topic} does not begin like a journal: it is another topic, \
                 or its beginning was deleted"
            );
            Err(Error::new(ErrorKind::Foreign, message).with_page("foreign-history"))
        }
    }
}

fn check(log: &dyn Log, found: &Genesis) -> Result<(), Error> {
    if found.format != FORMAT || found.hash != HASH {
        let message = format!(
            "the journal {} has the format {} and places its streams by {}: another release made it, \
             run that one",
            log.topic(),
            found.format,
            found.hash
        );
        return Err(Error::new(ErrorKind::Unreadable, message).with_page("newer-format"));
    }
    if log.partitions() < found.partitions {
        let message = format!(
            "was begun with {} partitions and has {} now: some are missing",
            found.partitions,
            log.partitions()
        );
        return Err(refused(log, &message));
    }
    Ok(())
}

async fn check_surplus(log: &dyn Log, genesis: &Genesis) -> Result<(), Error> {
    for partition in genesis.partitions..log.partitions() {
        if log.end(partition).await? > 0 {
            return Err(refused(
                log,
                &format!(
                    "was begun with {} partitions, but there are records in partition {partition}",
                    genesis.partitions
                ),
            ));
        }
    }
    if log.partitions() > genesis.partitions {
        tracing::warn!(
            topic = log.topic(),
            partitions = log.partitions(),
            used = genesis.partitions,
            "the journal has more partitions than it was begun with: the others stay empty"
        );
    }
    Ok(())
}

fn refused(log: &dyn Log, why: &str) -> Error {
    let message = format!("the journal {} {why}", log.topic());
    Error::new(ErrorKind::Misconfigured, message).with_page("journal-partitions")
}

fn newer(log: &dyn Log, format: u32) -> Error {
    let message = format!(
        "the journal {} begins in the format {format}, this release reads {FORMAT}: a newer release \
         wrote it, run that one",
        log.topic()
    );
    Error::new(ErrorKind::Unreadable, message).with_page("newer-format")
}
