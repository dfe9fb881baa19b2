//! Sealing, opening, erasing: what services use.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use eventsourcing::Sealed;
use journal::{Append, ErrorKind, Kind, Log, Offset, Partition, TopicSpec, Topics};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

use crate::cache::Cache;
use crate::cipher::{self, Secret};
use crate::entry::{Entry, nudge};
use crate::field::Field;
use crate::keyring::Keyring;
use crate::master::MasterKeys;
use crate::person::{KeyId, Person};
use crate::reader;

/// The topic of keys.
pub const KEYS_TOPIC: &str = "patron.keys";
/// How many partitions it has, for ever: all keys of a person are in one of them.
pub const PARTITIONS: u32 = 12;

/// How long a record of the topic may take to be read back.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the end of a compacted partition may be out of sight before it is shown by a record.
const NUDGE_AFTER: Duration = Duration::from_secs(1);
/// How long starting waits for a topic that cannot be asked.
const START_PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(200);

/// The keys of people, and what can be done with them.
#[derive(Debug)]
pub struct Vault {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) stop: CancellationToken,
    pub(crate) tracker: TaskTracker,
    master: MasterKeys,
    ring: RwLock<Keyring>,
    cache: Mutex<Cache>,
    /// Up to where each partition was read.
    read: watch::Sender<Vec<Offset>>,
    failed: watch::Sender<Option<String>>,
    /// How many keys were seen destroyed. It begins at 1: what was destroyed before the start may still lie about.
    destroyed: AtomicU64,
    /// How many that were when the last scrub began. Locked while one is under way, which all who wait share.
    scrubbed: tokio::sync::Mutex<u64>,
}

/// Why something cannot be sealed or erased.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The person is erased: nothing about it is sealed any more.
    #[error("the person is erased")]
    Erased,
    /// The keys cannot be read or written now.
    #[error("the keys of personal data are out of reach ({0}): retry")]
    Away(String),
}

/// Why a box stays closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The person is erased.
    Erased,
    /// The key has not been read yet; after [`Vault::catch_up`] there is none.
    NoKey,
    /// The box is damaged, or was sealed as another kind of field.
    Damaged,
}

impl Vault {
    /// Opens the topic of keys, makes it if it is missing and `topics` may, and reads all of it. Wraps anew what
    /// is wrapped by another than the first master key.
    ///
    /// # Errors
    /// The log's; [`ErrorKind::Misconfigured`] if a key is wrapped by a master key that is not known.
    pub async fn open(topics: &dyn Topics, master: MasterKeys) -> Result<Self, journal::Error> {
        let topic = TopicSpec {
            name: KEYS_TOPIC.to_owned(),
            partitions: PARTITIONS,
            kind: Kind::Keys,
        };
        let log = topics.open(&topic).await?;
        let inner = Arc::new(Inner {
            log,
            stop: CancellationToken::new(),
            tracker: TaskTracker::new(),
            master,
            ring: RwLock::default(),
            cache: Mutex::default(),
            read: watch::Sender::new(vec![0; PARTITIONS as usize]),
            failed: watch::Sender::new(None),
            destroyed: AtomicU64::new(1),
            scrubbed: tokio::sync::Mutex::default(),
        });
        reader::start(&inner);
        let vault = Self { inner };
        if let Err(error) = vault.begin().await {
            vault.close().await;
            return Err(error);
        }
        Ok(vault)
    }

    async fn begin(&self) -> Result<(), journal::Error> {
        let until = Instant::now() + START_PATIENCE;
        let away = |error: Error| journal::Error::new(ErrorKind::Unavailable, error.to_string());
        for partition in 0..PARTITIONS {
            while let Err(error) = self.inner.reach_end(partition).await {
                if let Some(failed) = self.failure() {
                    return Err(journal::Error::new(ErrorKind::Unreadable, failed));
                }
                if Instant::now() >= until {
                    return Err(away(error));
                }
                sleep(PAUSE).await;
            }
        }
        let current = self.inner.master.current();
        let others = self.inner.with_ring(|ring| ring.to_rewrap(current));
        let unknown = |master| !self.inner.master.knows(master);
        if let Some((.., key)) = others.iter().find(|(.., key)| unknown(key.master)) {
            let what = format!(
                "personal data is sealed under the master key {}, which is not in the master key's file: add it there",
                key.master
            );
            return Err(journal::Error::new(ErrorKind::Misconfigured, what).with_page("master-key"));
        }
        let keys = others.len();
        for (person, key, wrapped) in others {
            let secret = self.inner.master.unwrap(person, key, &wrapped);
            let again = secret.and_then(|secret| self.inner.master.wrap(person, key, &secret));
            let Some(again) = again else {
                tracing::error!(%person, %key, "a key is damaged: what it seals cannot be opened");
                continue;
            };
            let entry = Entry::Key(person, key, again);
            self.inner.append(&entry).await.map_err(away)?;
        }
        if keys > 0 {
            tracing::info!(keys, master = %current, "keys were wrapped anew");
        }
        Ok(())
    }

    /// Seals a text about somebody; makes a key if there is none yet, and uses it when it was read back.
    ///
    /// # Errors
    /// [`Error::Erased`] for somebody who is erased; [`Error::Away`] when no key can be made now.
    pub async fn seal(&self, person: Person, field: Field, text: &str) -> Result<Sealed, Error> {
        let (key, secret) = self.key_of(person).await?;
        let nonce = cipher::random();
        let bound = bound(person, key, field);
        let ciphertext = cipher::seal(&secret, &nonce, &bound, text.as_bytes());
        Ok(Sealed {
            subject: person.to_string(),
            key_id: key.to_string(),
            nonce,
            ciphertext: ciphertext.ok_or_else(|| Error::Away("the text is too long".to_owned()))?,
        })
    }

    /// Opens what was sealed, if it was sealed as this kind of field. Never waits.
    ///
    /// # Errors
    /// Why it stays closed.
    pub fn open_box(&self, field: Field, sealed: &Sealed) -> Result<Zeroizing<String>, Closed> {
        let person: Person = sealed.subject.parse().map_err(|_| Closed::Damaged)?;
        let key: KeyId = sealed.key_id.parse().map_err(|_| Closed::Damaged)?;
        let secret = self.secret(person, key)?;
        let bound = bound(person, key, field);
        let opened = cipher::open(&secret, &sealed.nonce, &bound, &sealed.ciphertext);
        let opened = opened.ok_or(Closed::Damaged)?;
        let text = std::str::from_utf8(&opened).map_err(|_| Closed::Damaged)?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    /// Erases somebody for ever: a marker that stays, then every key destroyed. Returns when that was read back.
    /// Doing it again is no harm.
    ///
    /// # Errors
    /// [`Error::Away`] when it is not certain that it is done: try again.
    pub async fn erase(&self, person: Person) -> Result<(), Error> {
        loop {
            let steps = self.inner.with_ring(|ring| ring.to_erase(person));
            if steps.is_empty() {
                return self.scrub().await;
            }
            for step in &steps {
                self.inner.append(step).await?;
            }
            self.inner
                .until(|| {
                    let left = self.inner.with_ring(|ring| ring.to_erase(person));
                    let done = steps.iter().all(|step| !left.contains(step));
                    done.then_some(())
                })
                .await?;
        }
    }

    /// What is deleted is gone from the disk too, where that is in our hands.
    async fn scrub(&self) -> Result<(), Error> {
        let needed = self.inner.destroyed.load(Ordering::SeqCst);
        let mut scrubbed = self.inner.scrubbed.lock().await;
        if *scrubbed >= needed {
            return Ok(());
        }
        let begun = self.inner.destroyed.load(Ordering::SeqCst);
        let done = self.inner.log.scrub().await;
        done.map_err(|error| Error::Away(error.to_string()))?;
        *scrubbed = begun;
        Ok(())
    }

    /// Whether somebody is erased, as far as this instance knows.
    pub fn is_erased(&self, person: Person) -> bool {
        self.inner.with_ring(|ring| ring.is_erased(person))
    }

    /// Whether somebody has a key already, as far as this instance knows.
    pub fn has_key(&self, person: Person) -> bool {
        self.inner.with_ring(|ring| ring.current(person).is_some())
    }

    /// Waits until this instance knows all that the topic holds about somebody now.
    ///
    /// # Errors
    /// [`Error::Away`] when the topic cannot be asked or read.
    pub async fn catch_up(&self, person: Person) -> Result<(), Error> {
        self.inner.reach_end(partition_of(person)).await
    }

    /// The same about everybody.
    ///
    /// # Errors
    /// As [`catch_up`](Self::catch_up).
    pub async fn catch_up_with_all(&self) -> Result<(), Error> {
        let partitions = (0..PARTITIONS).map(|partition| self.inner.reach_end(partition));
        futures::future::try_join_all(partitions).await.map(|_| ())
    }

    /// Why the keys cannot be followed any more, if that is so.
    pub fn failure(&self) -> Option<String> {
        self.inner.failed.borrow().clone()
    }

    /// Resolves when the keys cannot be followed any more, with the reason. Who goes on then does not hear of
    /// what others erase.
    pub async fn failed(&self) -> String {
        let mut failed = self.inner.failed.subscribe();
        let found = failed.wait_for(Option::is_some).await;
        found.ok().and_then(|why| why.clone()).unwrap_or_default()
    }

    /// Reads no more.
    pub async fn close(&self) {
        self.inner.stop.cancel();
        self.inner.tracker.close();
        self.inner.tracker.wait().await;
    }

    async fn key_of(&self, person: Person) -> Result<(KeyId, Secret), Error> {
        let known = || {
            self.inner.with_ring(|ring| {
                if ring.is_erased(person) {
                    return Some(Err(Error::Erased));
                }
                ring.current(person).map(|(key, _)| Ok(key))
            })
        };
        let key = if let Some(known) = known() {
            known?
        } else {
            let key = KeyId(cipher::random());
            let wrapped = self.inner.master.wrap(person, key, &cipher::secret());
            let wrapped = wrapped.ok_or_else(|| Error::Away("no key is made".to_owned()))?;
            self.inner.append(&Entry::Key(person, key, wrapped)).await?;
            // Somebody else may have made one meanwhile: the first in the topic's order is everybody's.
            self.inner.until(known).await??
        };
        let secret = self.secret(person, key);
        let secret = secret.map_err(|closed| match closed {
            Closed::Erased => Error::Erased,
            Closed::NoKey | Closed::Damaged => {
                Error::Away("the person's key is unreadable".to_owned())
            }
        })?;
        Ok((key, secret))
    }

    fn secret(&self, person: Person, key: KeyId) -> Result<Secret, Closed> {
        if let Some(secret) = self.inner.cache().get(person, key) {
            return Ok(secret);
        }
        // The ring stays locked until the key is in the cache, so that nothing erased can enter it late.
        self.inner.with_ring(|ring| {
            if ring.is_erased(person) {
                return Err(Closed::Erased);
            }
            let wrapped = ring.key(person, key).ok_or(Closed::NoKey)?;
            let secret = self.inner.master.unwrap(person, key, wrapped);
            let secret = secret.ok_or(Closed::Damaged)?;
            self.inner.cache().put(person, key, secret.clone());
            Ok(secret)
        })
    }
}

impl Drop for Vault {
    fn drop(&mut self) {
        self.inner.stop.cancel();
    }
}

impl Inner {
    pub(crate) fn with_ring<T>(&self, look: impl FnOnce(&Keyring) -> T) -> T {
        look(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn take_in(&self, entries: impl Iterator<Item = Entry>) {
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        let mut cache = self.cache();
        for entry in entries {
            if matches!(entry, Entry::Destroyed(..)) {
                self.destroyed.fetch_add(1, Ordering::SeqCst);
            }
            for (person, key) in ring.apply(entry) {
                cache.forget(person, key);
            }
        }
    }

    pub(crate) fn has_read(&self, partition: Partition, up_to: Offset) {
        self.read.send_modify(|read| {
            if let Some(read) = read.get_mut(partition as usize) {
                *read = up_to;
            }
        });
    }

    pub(crate) fn fail(&self, error: &journal::Error) {
        tracing::error!(%error, "the topic of keys cannot be followed any more");
        self.failed.send_replace(Some(error.to_string()));
    }

    pub(crate) async fn append(&self, entry: &Entry) -> Result<(), Error> {
        let appended = self
            .log
            .append(partition_of(entry.person()), entry.record());
        match appended.await {
            // What is not certain is seen when it is read back, or not.
            Append::Written(_) | Append::Unknown(_) => Ok(()),
            Append::NotWritten(why) => Err(Error::Away(why)),
        }
    }

    /// Waits until this vault has read all that its topic holds now.
    async fn reach_end(&self, partition: Partition) -> Result<(), Error> {
        let end = self.log.end(partition).await;
        let end = end.map_err(|error| Error::Away(error.to_string()))?;
        let reached = || {
            let read = self.read.borrow().get(partition as usize).copied();
            (read >= Some(end)).then_some(())
        };
        let soon = Instant::now() + NUDGE_AFTER;
        if let Ok(reached) = timeout_at(soon, self.until(reached)).await {
            return reached;
        }
        // The last records may have been forgotten; one that is new is certain to be handed out.
        if let Append::NotWritten(why) = self.log.append(partition, nudge()).await {
            return Err(Error::Away(why));
        }
        self.until(reached).await
    }

    /// Waits, a bounded time, until something that was read makes `look` find something.
    async fn until<T>(&self, look: impl Fn() -> Option<T>) -> Result<T, Error> {
        let mut read = self.read.subscribe();
        let mut failed = self.failed.subscribe();
        let until = Instant::now() + PATIENCE;
        loop {
            read.borrow_and_update();
            if let Some(found) = look() {
                return Ok(found);
            }
            if let Some(why) = failed.borrow_and_update().clone() {
                return Err(Error::Away(why));
            }
            let changed = async {
                tokio::select! {
                    _ = read.changed() => {}
                    _ = failed.changed() => {}
                }
            };
            if !within(until, changed).await {
                return Err(Error::Away(
                    "the topic of keys is not read in time".to_owned(),
                ));
            }
        }
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("log", &self.log)
            .field("master", &self.master)
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}

async fn within(until: Instant, work: impl Future<Output = ()>) -> bool {
    timeout_at(until, work).await.is_ok()
}

/// What a box is bound to.
fn bound(person: Person, key: KeyId, field: Field) -> Vec<u8> {
    cipher::bound_to(&[person.0.as_bytes(), &key.0, field.name().as_bytes()])
}

/// Where all keys of somebody are.
fn partition_of(person: Person) -> Partition {
    let hash = blake3::hash(person.0.as_bytes());
    let first = hash.as_bytes().first_chunk::<8>().copied();
    let number = u64::from_le_bytes(first.unwrap_or_default()) % u64::from(PARTITIONS);
    u32::try_from(number).unwrap_or(0)
}
