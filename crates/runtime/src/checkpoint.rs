//! Whether the log is still the one that the rows were built from, asked before anything is applied.

use std::sync::Arc;
use std::time::Duration;

use journal::{Error, Genesis, Log, Offset, Partition};
use read_model::Store;

use crate::applier::record_hash;
use crate::rows::{JOURNAL, JournalRow, POSITIONS, PositionRow};

/// A log may answer with an older end for a moment after its leader changed.
const ASKED: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);

/// Why a replica cannot go on from its rows.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error(transparent)]
    Log(#[from] Error),
    #[error(transparent)]
    Store(#[from] read_model::Error),
    #[error(
        "{topic}: {what}. Another or a truncated history lies under this data folder: point the service at the log it belongs to, or give it an empty data folder if the log is right (docs/errors/foreign-history.md)"
    )]
    Foreign { topic: String, what: String },
}

/// Where each partition goes on. Fresh rows are marked as belonging to this journal.
pub(crate) async fn resume(
    log: &Arc<dyn Log>,
    store: &Store,
    genesis: &Genesis,
) -> Result<Vec<PositionRow>, Refused> {
    let here = JournalRow {
        journal: genesis.cluster_uuid,
        partitions: genesis.partitions,
    };
    match store.read(|rows| JOURNAL.get(rows, &()))? {
        None => {
            let mut tx = store.begin()?;
            JOURNAL.put(&mut tx, &(), &here)?;
            store.commit(tx)?;
        }
        Some(known) if known == here => {}
        Some(known) => {
            let what = format!(
                "the rows were built from journal {}, this is {}",
                known.journal, here.journal
            );
            return Err(foreign(log, what));
        }
    }
    let mut positions = Vec::new();
    for partition in 0..genesis.partitions {
        let position = store
            .read(|rows| POSITIONS.get(rows, &partition))?
            .unwrap_or_default();
        recognise(log, partition, &position).await?;
        positions.push(position);
    }
    Ok(positions)
}

/// Where each partition ends now.
pub(crate) async fn ends(log: &Arc<dyn Log>, genesis: &Genesis) -> Result<Vec<Offset>, Refused> {
    let mut ends = Vec::new();
    for partition in 0..genesis.partitions {
        ends.push(log.end(partition).await?);
    }
    Ok(ends)
}

/// Reads the last applied record again.
async fn recognise(
    log: &Arc<dyn Log>,
    partition: Partition,
    position: &PositionRow,
) -> Result<(), Refused> {
    let Some(last) = position.next.checked_sub(1) else {
        return Ok(());
    };
    let end = settled_end(log, partition, position.next).await?;
    if end < position.next {
        let what = format!(
            "partition {partition} ends at offset {end}, but {} records were applied",
            position.next
        );
        return Err(foreign(log, what));
    }
    let records = log.tail(partition, last).next().await?;
    let same = records.first().is_some_and(|first| {
        first.offset == last && record_hash(&first.record.value) == position.last_record
    });
    if same {
        return Ok(());
    }
    Err(foreign(
        log,
        format!("partition {partition} has another record at offset {last}"),
    ))
}

async fn settled_end(
    log: &Arc<dyn Log>,
    partition: Partition,
    wanted: Offset,
) -> Result<Offset, Error> {
    let mut end = log.end(partition).await?;
    for _ in 1..ASKED {
        if end >= wanted {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        end = log.end(partition).await?;
    }
    Ok(end)
}

fn foreign(log: &Arc<dyn Log>, what: String) -> Refused {
    Refused::Foreign {
        topic: log.topic().to_owned(),
        what,
    }
}
