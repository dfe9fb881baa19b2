//! Who is known by an identity, without the identity being written anywhere.
//!
//! ```text
//!   rows: which prospects' identities changed ──► open them ──► keyed hash ──► prospects
//! ```
//! The index is built from the rows and kept in memory alone, under a key that is drawn at the start and never
//! leaves the process: no log and no file holds anything that an address could be guessed from. A hit is
//! verified by opening the prospect's own identity, and an erased prospect leaves the index.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use acquisition_domain::prospect::{IdentityKind, Prospect, State};
use rand::RngCore as _;
use read_model::{Error, Rows};
use runtime::Engine;
use server::Opener;
use uuid::Uuid;
use vault::Vault;

use crate::read_model::identities::{self, Place};
use crate::read_model::prospects;
use crate::service::Acquisition;
use crate::wire::personal::{Plain, field_of};

/// How many changes are taken in between two looks at the rows.
const STEP: usize = 1_000;

type Hash = [u8; 16];

/// Who is known by an identity.
pub(crate) struct BlindIndex {
    key: [u8; 32],
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Up to where each partition was read.
    read: HashMap<u32, Place>,
    by_hash: HashMap<Hash, Vec<Uuid>>,
    hashes: HashMap<Uuid, Vec<Hash>>,
    /// Prospects with an identity whose key is still on its way.
    missed: BTreeSet<Uuid>,
}

impl BlindIndex {
    /// Knows nobody yet.
    pub(crate) fn new() -> Self {
        let mut key = [0; 32];
        rand::rng().fill_bytes(&mut key);
        Self {
            key,
            known: Mutex::default(),
        }
    }

    /// Takes in what has changed since.
    pub(crate) fn catch_up(
        &self,
        engine: &Engine<Acquisition>,
        vault: &Arc<Vault>,
    ) -> Result<(), Error> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let missed = std::mem::take(&mut known.missed);
        engine.store().read(|rows| -> Result<(), Error> {
            for id in missed {
                self.look(rows, &mut known, vault, id)?;
            }
            Ok(())
        })?;
        for partition in 0..engine.placement().partitions() {
            loop {
                let after = known.read.get(&partition).copied();
                let more = engine.store().read(|rows| -> Result<bool, Error> {
                    let changes = identities::changes(rows, partition, after.as_ref(), STEP)?;
                    for (place, id) in &changes {
                        self.look(rows, &mut known, vault, *id)?;
                        known.read.insert(partition, *place);
                    }
                    Ok(changes.len() == STEP)
                })?;
                if !more {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Who is known by this identity, by id. Merged prospects are told by the one that goes on.
    pub(crate) fn find(
        &self,
        rows: &dyn Rows,
        asked: &Plain,
        opener: &Opener,
        limit: usize,
    ) -> Result<Vec<(Uuid, Prospect)>, Error> {
        let candidates = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let hash = self.hash(asked.kind, &asked.value);
            known.by_hash.get(&hash).cloned().unwrap_or_default()
        };
        let mut found = BTreeSet::new();
        for id in candidates {
            let Some(state) = prospects::get(rows, id)? else {
                continue;
            };
            let is_it = state.identities.iter().any(|identity| {
                let opened = opener.open(field_of(identity.kind), &identity.value);
                opened.is_ok_and(|value| asked.is(identity.kind, &value))
            });
            if is_it {
                found.insert(goes_on(rows, id, state.state)?);
            }
        }
        let mut shown = Vec::new();
        for id in found.into_iter().take(limit) {
            let state = prospects::get(rows, id)?;
            let state = state.filter(|state| state.erased_at.is_none());
            shown.extend(state.map(|state| (id, state)));
        }
        Ok(shown)
    }

    /// Puts a prospect where its identities say.
    fn look(
        &self,
        rows: &dyn Rows,
        known: &mut Known,
        vault: &Arc<Vault>,
        id: Uuid,
    ) -> Result<(), Error> {
        for hash in known.hashes.remove(&id).unwrap_or_default() {
            if let Some(ids) = known.by_hash.get_mut(&hash) {
                ids.retain(|other| *other != id);
                if ids.is_empty() {
                    known.by_hash.remove(&hash);
                }
            }
        }
        let state = prospects::get(rows, id)?.unwrap_or_default();
        let opener = Opener::new(vault);
        let mut hashes = Vec::new();
        for identity in &state.identities {
            if let Ok(value) = opener.open(field_of(identity.kind), &identity.value) {
                hashes.push(self.hash(identity.kind, &value));
            }
        }
        for hash in &hashes {
            known.by_hash.entry(*hash).or_default().push(id);
        }
        if !hashes.is_empty() {
            known.hashes.insert(id, hashes);
        }
        if opener.has_missed() {
            known.missed.insert(id);
        }
        Ok(())
    }

    fn hash(&self, kind: IdentityKind, value: &str) -> Hash {
        let mut hash = [0; 16];
        blake3::Hasher::new_keyed(&self.key)
            .update(kind.name().as_bytes())
            .update(&[0])
            .update(Plain::normal(kind, value).as_bytes())
            .finalize_xof()
            .fill(&mut hash);
        hash
    }
}

/// The end of the chain of merges.
fn goes_on(rows: &dyn Rows, mut id: Uuid, mut state: State) -> Result<Uuid, Error> {
    while let State::Merged { into } = state {
        id = into;
        state = prospects::get(rows, into)?.unwrap_or_default().state;
    }
    Ok(id)
}

impl fmt::Debug for BlindIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlindIndex").finish_non_exhaustive()
    }
}
