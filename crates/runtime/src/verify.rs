//! Replays a journal into fresh rows and compares them with the live ones, row for row and by digest.

use std::sync::Arc;

use journal::{Log, Offset};
use read_model::{KeyRange, Rows, Store};

use crate::applier::Applier;
use crate::progress::Progress;
use crate::recent::Recent;
use crate::rows::{JOURNAL, JournalRow, PositionRow};
use crate::tailer::Feed;
use crate::waiters::Waiters;
use crate::{Engine, Service};

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Records read.
    pub records: u64,
    /// Commits that the rule accepted.
    pub accepted: u64,
    /// Rows compared.
    pub rows: u64,
    /// The first differences, at most ten.
    pub differences: Vec<Difference>,
    /// Whether the digests of live and replayed rows are the same.
    pub same_digest: bool,
}

/// A row that is not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The row's key, in hexadecimal.
    pub key: String,
    /// Where it stands: `live`, `replayed` or `both`.
    pub stands_in: &'static str,
}

impl Verification {
    /// Whether everything was as it must be.
    pub fn is_sound(&self) -> bool {
        self.same_digest && self.differences.is_empty()
    }
}

const SHOWN: usize = 10;
const PAGE: usize = 1_000;

/// Replays the journal of `engine` up to where it stands, and compares.
///
/// # Errors
/// The first record at which the journal is not contiguous or cannot be read, or why rows could not be
/// compared. Nothing may be written meanwhile, or the comparison is of two different moments.
pub async fn verify<S: Service>(
    engine: &Arc<Engine<S>>,
    service: Arc<S>,
) -> Result<Verification, String> {
    let say = |error: &dyn std::fmt::Display| error.to_string();
    let position = engine.barrier().await.map_err(|error| say(&error))?;
    let partitions = u32::try_from(position.offsets.len()).unwrap_or(u32::MAX);
    let store = Store::in_memory();
    let mut tx = store.begin().map_err(|error| say(&error))?;
    let journal = JournalRow {
        journal: position.journal,
        partitions,
    };
    JOURNAL
        .put(&mut tx, &(), &journal)
        .map_err(|error| say(&error))?;
    store.commit(tx).map_err(|error| say(&error))?;
    let mut applier = Applier {
        service,
        store: store.clone(),
        placement: *engine.placement(),
        positions: vec![PositionRow::default(); position.offsets.len()],
        progress: Progress::at(vec![0; position.offsets.len()]),
        recent: Recent::at([], 0),
        waiters: Arc::new(Waiters::default()),
    };
    for (partition, end) in (0..partitions).zip(&position.offsets) {
        replay(&mut applier, engine.log(), partition, *end).await?;
    }
    let records = position.offsets.iter().sum();
    let accepted = applier
        .positions
        .iter()
        .map(|position| position.accepted)
        .sum();
    let (rows, differences) = engine
        .store()
        .read(|live| store.read(|replayed| compare(live, replayed)))
        .map_err(|error| say(&error))?;
    let same_digest = engine.store().digest() == store.digest();
    Ok(Verification {
        records,
        accepted,
        rows,
        differences,
        same_digest,
    })
}

async fn replay<S: Service>(
    applier: &mut Applier<S>,
    log: &dyn Log,
    partition: u32,
    end: Offset,
) -> Result<(), String> {
    let mut next = 0;
    let mut tail = log.tail(partition, 0);
    while next < end {
        let mut records = tail.next().await.map_err(|error| error.to_string())?;
        records.retain(|stored| stored.offset < end);
        next = records.last().map_or(end, |last| last.offset + 1);
        applier
            .step(&[Feed { partition, records }])
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Walks both row sets side by side.
fn compare(
    live: &dyn Rows,
    replayed: &dyn Rows,
) -> Result<(u64, Vec<Difference>), read_model::Error> {
    let mut rows = 0;
    let mut differences = Vec::new();
    let mut note = |key: &[u8], stands_in| {
        if differences.len() < SHOWN {
            let key = key
                .iter()
                .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
            differences.push(Difference { key, stands_in });
        }
    };
    each(live, &mut |key, value| {
        rows += 1;
        match replayed.get(key)? {
            Some(other) if other == value => {}
            Some(_) => note(key, "both"),
            None => note(key, "live"),
        }
        Ok(())
    })?;
    each(replayed, &mut |key, _| {
        if live.get(key)?.is_none() {
            note(key, "replayed");
        }
        Ok(())
    })?;
    Ok((rows, differences))
}

type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), read_model::Error> + 'a;

fn each(rows: &dyn Rows, visit: &mut Visit<'_>) -> Result<(), read_model::Error> {
    let mut range = KeyRange::all();
    loop {
        let page = rows.scan(&range, PAGE)?;
        for (key, value) in &page {
            visit(key, value)?;
        }
        match page.last() {
            Some((last, _)) if page.len() == PAGE => range = KeyRange::all().after(last),
            _ => return Ok(()),
        }
    }
}
