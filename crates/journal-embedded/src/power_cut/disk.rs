//! A disk with a cache that forgets: only what was synced is certain to be there after a power cut.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::Rng as _;
use rand::rngs::SmallRng;
use redb::StorageBackend;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// Clones are the same disk.
#[derive(Debug, Clone)]
pub(super) struct Disk(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// What reads see.
    cached: Vec<u8>,
    /// What is certain to survive.
    synced: Vec<u8>,
    /// What was done since, in order.
    unsynced: Vec<Change>,
    /// So many changes and syncs until the power fails.
    left: u64,
    lies: bool,
}

#[derive(Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

impl Disk {
    /// A disk that holds `image` and loses power at the change or sync after `left` more of them.
    pub(super) fn new(image: Vec<u8>, left: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            cached: image.clone(),
            synced: image,
            unsynced: Vec::new(),
            left,
            lies: false,
        })))
    }

    /// The same disk, but it says it has synced and has not.
    pub(super) fn that_lies(self) -> Self {
        self.state().lies = true;
        self
    }

    pub(super) fn is_dead(&self) -> bool {
        self.state().left == 0
    }

    /// What is certain to be found.
    pub(super) fn synced(&self) -> Vec<u8> {
        self.state().synced.clone()
    }

    /// What is found when the power is back: of what was not synced, each change by itself is there, is
    /// missing, or is there in some of its sectors.
    pub(super) fn after_the_cut(&self, chance: &mut SmallRng) -> Vec<u8> {
        let state = self.state();
        let mut image = state.synced.clone();
        for change in &state.unsynced {
            match (chance.random_range(0..3), change) {
                (0, _) => {}
                (1, Change::Write(at, bytes)) => write_some(&mut image, *at, bytes, chance),
                (_, change) => change.apply(&mut image),
            }
        }
        image
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: Change) -> io::Result<()> {
        let mut state = self.state();
        let alive = state.spend();
        if alive.is_ok() {
            change.apply(&mut state.cached);
        }
        // The change that the power fails in may still reach the disk.
        state.unsynced.push(change);
        alive
    }
}

impl State {
    fn spend(&mut self) -> io::Result<()> {
        if self.left == 0 {
            return Err(io::Error::other("there is no power"));
        }
        self.left -= 1;
        if self.left == 0 {
            return Err(io::Error::other("the power fails"));
        }
        Ok(())
    }
}

impl Change {
    fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Self::Write(at, bytes) => write(image, *at, bytes),
            Self::Length(length) => image.resize(*length, 0),
        }
    }
}

fn write(image: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if image.len() < end {
        image.resize(end, 0);
    }
    image[at..end].copy_from_slice(bytes);
}

fn write_some(image: &mut Vec<u8>, at: usize, bytes: &[u8], chance: &mut SmallRng) {
    for (number, sector) in bytes.chunks(SECTOR).enumerate() {
        if chance.random() {
            write(image, at + number * SECTOR, sector);
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().cached.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let at = usize::try_from(offset).unwrap();
        let state = self.state();
        let found = state.cached.get(at..at + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(Change::Length(usize::try_from(len).unwrap()))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state();
        state.spend()?;
        if !state.lies {
            let State {
                synced, unsynced, ..
            } = &mut *state;
            for change in unsynced.drain(..) {
                change.apply(synced);
            }
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let at = usize::try_from(offset).unwrap();
        self.change(Change::Write(at, data.to_vec()))
    }
}
