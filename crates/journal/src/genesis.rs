//! How a journal begins: the record that says which journal it is and how streams are placed.
//!
//! It is agreed on without a leader. Whoever finds partition 0 empty appends a genesis and reads back
//! which one came first; that one counts, for everybody, and its identity goes to the other partitions in
//! the same way. Nobody appends anything else before.

use std::sync::Arc;

use uuid::Uuid;

use crate::codec::{decode, encode_genesis};
use crate::commit::FORMAT;
use crate::{Append, Decoded, Entry, Error, ErrorKind, Log, Partition, Placement, Record};

/// The way of placing streams that this release knows: see [`Placement::partition_of`].
pub const HASH: &str = "blake3-64";
/// Both services of a pair place alike, so the seed is a constant.
const SEED: u64 = 0;
/// How often a partition that stays empty is written to.
const TRIES: usize = 20;

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
    /// The format of the journal's records; this release knows [`FORMAT`](crate::commit::FORMAT).
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

/// Reads the journal's genesis; in an empty log, agrees on one first: on this identity, or on that of
/// whoever came before.
///
/// # Errors
/// If the log is away, or its genesis is one that this release cannot work with.
pub async fn establish(log: &Arc<dyn Log>, cluster_uuid: Uuid) -> Result<Genesis, Error> {
    let genesis = first_of(log, 0, &Genesis::new(cluster_uuid, log.partitions(), SEED)).await?;
    check(&**log, &genesis)?;
    for partition in 1..genesis.partitions {
        let other = first_of(log, partition, &genesis).await?;
        if other != genesis {
            let topic = log.topic();
            let what = format!(
                "{topic} partition {partition} belongs to journal {} and partition 0 to {}: the topic was \
                 mixed from two (docs/errors/foreign-history.md)",
                other.cluster_uuid, genesis.cluster_uuid
            );
            return Err(Error::new(ErrorKind::Foreign, what));
        }
    }
    Ok(genesis)
}

/// The genesis at offset 0 of a partition; `mine` if that was empty and mine came first.
async fn first_of(
    log: &Arc<dyn Log>,
    partition: Partition,
    mine: &Genesis,
) -> Result<Genesis, Error> {
    for _ in 0..TRIES {
        if log.end(partition).await? > 0 {
            return read_first(log, partition).await;
        }
        match log
            .append(partition, Record::value(encode_genesis(mine)))
            .await
        {
            // Whoever came first: what stands there is read back, written or not.
            Append::Written | Append::NotWritten(_) | Append::Unknown(_) => {}
        }
    }
    let what = format!("{} partition {partition} cannot be written to", log.topic());
    Err(Error::new(ErrorKind::Unavailable, what))
}

async fn read_first(log: &Arc<dyn Log>, partition: Partition) -> Result<Genesis, Error> {
    let records = log.tail(partition, 0).next().await?;
    let first = records.first().filter(|stored| stored.offset == 0);
    let topic = log.topic();
    match first.map(|stored| decode(&stored.record.value)) {
        Some(Decoded::Entry(Entry::Genesis(genesis))) => Ok(genesis),
        Some(Decoded::UnknownFormat(format)) => Err(Error::new(
            ErrorKind::Unreadable,
            format!(
                "{topic} has format {format}: a newer release wrote it; run that release (docs/errors/newer-format.md)"
            ),
        )),
        _ => Err(Error::new(
            ErrorKind::Foreign,
            format!(
                "{topic} partition {partition} does not begin like a journal: it is another topic, or its \
                 beginning was deleted"
            ),
        )
        .with_page("foreign-history")),
    }
}

fn check(log: &dyn Log, genesis: &Genesis) -> Result<(), Error> {
    let topic = log.topic();
    if genesis.hash != HASH || genesis.format > FORMAT {
        let what = format!(
            "{topic} places streams by {} in format {}: a newer release made it; run that release",
            genesis.hash, genesis.format
        );
        return Err(Error::new(ErrorKind::Unreadable, what));
    }
    if log.partitions() < genesis.partitions {
        let what = format!(
            "{topic} has {} partitions and was made with {}: partitions are missing",
            log.partitions(),
            genesis.partitions
        );
        return Err(Error::new(ErrorKind::Misconfigured, what));
    }
    if log.partitions() > genesis.partitions {
        tracing::warn!(
            topic,
            made_with = genesis.partitions,
            found = log.partitions(),
            "partitions were added to the topic; they stay unused"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use eventsourcing::SystemClock;
    use uuid::Uuid;

    use super::establish;
    use crate::memory::MemoryTopics;
    use crate::{Append, Kind, Record, TopicSpec, Topics as _};

    fn spec(partitions: u32) -> TopicSpec {
        TopicSpec {
            name: "journal".to_owned(),
            partitions,
            kind: Kind::Journal,
        }
    }

    #[tokio::test]
    async fn whoever_comes_later_finds_the_first_genesis() {
        let topics = MemoryTopics::new(Arc::new(SystemClock));
        let log = topics.open(&spec(3)).await.unwrap();
        let (first, second) = tokio::join!(
            establish(&log, Uuid::new_v4()),
            establish(&log, Uuid::new_v4())
        );
        let first = first.unwrap();
        assert_eq!(first, second.unwrap());
        assert_eq!(first, establish(&log, Uuid::new_v4()).await.unwrap());
        assert_eq!(first.partitions, 3);
    }

    #[tokio::test]
    async fn a_topic_that_begins_otherwise_is_refused() {
        let topics = MemoryTopics::new(Arc::new(SystemClock));
        let log = topics.open(&spec(1)).await.unwrap();
        assert_eq!(log.append(0, Record::value("not ours")).await, Append::Written);
        let refused = establish(&log, Uuid::new_v4()).await.unwrap_err();
        assert!(
            refused
                .to_string()
                .contains("does not begin like a journal"),
            "{refused}"
        );
    }
}
