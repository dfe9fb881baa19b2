//! Sealing, opening and erasing with several vaults over one topic.

use std::sync::Arc;

use eventsourcing::{FixedClock, Time};
use journal::memory::MemoryTopics;
use journal::{Kind, Log, TopicSpec, Topics as _};
use tokio_util::task::TaskTracker;
use uuid::Uuid;
use vault::{
    Closed, Entry, Error, Field, KEYS_TOPIC, MasterKey, MasterKeys, PARTITIONS, Person, Vault,
};

const ADA: Person = Person(Uuid::from_u128(0xada));
const BOB: Person = Person(Uuid::from_u128(0xb0b));

fn topics() -> MemoryTopics {
    MemoryTopics::new(Arc::new(FixedClock::at(Time::EPOCH)))
}

async fn keys(topics: &MemoryTopics) -> Arc<dyn Log> {
    let topic = TopicSpec {
        name: KEYS_TOPIC.to_owned(),
        partitions: PARTITIONS,
        kind: Kind::Keys,
    };
    topics.open(&topic).await.unwrap()
}

/// All that the topic says, partition by partition.
async fn entries(topics: &MemoryTopics) -> Vec<Entry> {
    let log = keys(topics).await;
    let mut all = Vec::new();
    for partition in 0..PARTITIONS {
        let end = log.end(partition).await.unwrap();
        let mut tail = log.tail(partition, 0);
        let mut at = 0;
        while at < end {
            for stored in tail.next().await.unwrap() {
                at = stored.offset + 1;
                all.extend(Entry::read(&stored.record).unwrap());
            }
        }
    }
    all
}

fn master() -> MasterKeys {
    MasterKeys::new(MasterKey::random(), vec![])
}

#[tokio::test]
async fn one_vault_opens_what_another_has_sealed() {
    let (topics, master) = (topics(), master());
    let one = Vault::open(&topics, master.clone()).await.unwrap();
    let other = Vault::open(&topics, master).await.unwrap();
    let sealed = one.seal(ADA, Field::Name, "Ada Lovelace").await.unwrap();
    assert_eq!(sealed.subject, ADA.to_string());
    other.catch_up(ADA).await.unwrap();
    assert_eq!(
        other
            .open_box(Field::Name, &sealed)
            .as_deref()
            .map(String::as_str),
        Ok("Ada Lovelace")
    );
    let again = other.seal(ADA, Field::Name, "Ada Lovelace").await.unwrap();
    assert_eq!(again.key_id, sealed.key_id, "the key is there already");
    assert_ne!(again.ciphertext, sealed.ciphertext);
}

#[tokio::test]
async fn a_box_is_of_one_person_and_one_kind() {
    let vault = Vault::open(&topics(), master()).await.unwrap();
    let sealed = vault
        .seal(ADA, Field::Email, "ada@example.org")
        .await
        .unwrap();
    let of_bob = vault
        .seal(BOB, Field::Email, "bob@example.org")
        .await
        .unwrap();
    assert_eq!(
        vault.open_box(Field::Phone, &sealed).unwrap_err(),
        Closed::Damaged
    );
    let mut passed_off = sealed.clone();
    passed_off.subject = of_bob.subject.clone();
    assert_eq!(
        vault.open_box(Field::Email, &passed_off).unwrap_err(),
        Closed::NoKey
    );
    passed_off.key_id = of_bob.key_id;
    assert_eq!(
        vault.open_box(Field::Email, &passed_off).unwrap_err(),
        Closed::Damaged
    );
}

#[tokio::test]
async fn erasing_somebody_is_final_and_leaves_the_others_alone() {
    let (topics, master) = (topics(), master());
    let vault = Vault::open(&topics, master.clone()).await.unwrap();
    let of_ada = vault.seal(ADA, Field::Name, "Ada").await.unwrap();
    let of_bob = vault.seal(BOB, Field::Name, "Bob").await.unwrap();
    vault.erase(ADA).await.unwrap();
    vault.erase(ADA).await.unwrap();
    assert!(vault.is_erased(ADA) && !vault.is_erased(BOB));
    assert_eq!(
        vault.open_box(Field::Name, &of_ada).unwrap_err(),
        Closed::Erased
    );
    let refused = vault.seal(ADA, Field::Name, "Ada").await;
    assert_eq!(refused, Err(Error::Erased));
    let key = of_ada.key_id.parse().unwrap();
    let all = entries(&topics).await;
    assert!(all.contains(&Entry::Erased(ADA)));
    assert_eq!(
        all.last_of(ADA),
        Some(&Entry::Destroyed(ADA, key)),
        "the answer comes after the tombstone"
    );
    let later = Vault::open(&topics, master).await.unwrap();
    assert_eq!(
        later.open_box(Field::Name, &of_ada).unwrap_err(),
        Closed::Erased
    );
    assert_eq!(*later.open_box(Field::Name, &of_bob).unwrap(), "Bob");
}

trait LastOf {
    fn last_of(&self, person: Person) -> Option<&Entry>;
}

impl LastOf for Vec<Entry> {
    fn last_of(&self, person: Person) -> Option<&Entry> {
        self.iter().rev().find(|entry| entry.person() == person)
    }
}

#[tokio::test]
async fn somebody_may_be_erased_before_anything_was_sealed() {
    let vault = Vault::open(&topics(), master()).await.unwrap();
    vault.erase(ADA).await.unwrap();
    let refused = vault.seal(ADA, Field::Name, "Ada").await;
    assert_eq!(refused, Err(Error::Erased));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sealing_and_erasing_at_once_ends_with_nothing_to_read() {
    let (topics, master) = (topics(), master());
    let one = Arc::new(Vault::open(&topics, master.clone()).await.unwrap());
    let other = Arc::new(Vault::open(&topics, master).await.unwrap());
    let work = TaskTracker::new();
    for number in 0..40 {
        let person = Person(Uuid::from_u128(number));
        let sealing = Arc::clone(&one);
        let sealing = work.spawn(async move { sealing.seal(person, Field::Name, "x").await });
        let (sealed, erased) = tokio::join!(sealing, other.erase(person));
        erased.unwrap();
        one.catch_up(person).await.unwrap();
        if let Ok(sealed) = sealed.unwrap() {
            assert_eq!(
                one.open_box(Field::Name, &sealed).unwrap_err(),
                Closed::Erased
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_comes_behind_the_marker_is_taken_away_by_whoever_sees_it() {
    let (topics, master) = (topics(), master());
    let vault = Vault::open(&topics, master.clone()).await.unwrap();
    let sealed = vault.seal(ADA, Field::Name, "Ada").await.unwrap();
    let all = entries(&topics).await;
    let key = all.last_of(ADA).unwrap().clone();
    vault.erase(ADA).await.unwrap();
    // Another instance had it in its hands all the time: to wrap it anew, say.
    let log = keys(&topics).await;
    let mut partition = 0;
    for candidate in 0..PARTITIONS {
        if log.end(candidate).await.unwrap() > 0 {
            partition = candidate;
        }
    }
    let _ = log.append(partition, key.record()).await;
    vault.catch_up(ADA).await.unwrap();
    assert_eq!(
        vault.open_box(Field::Name, &sealed).unwrap_err(),
        Closed::Erased
    );
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    let all = entries(&topics).await;
    assert!(matches!(all.last_of(ADA), Some(Entry::Destroyed(..))));
}

#[tokio::test]
async fn a_master_key_is_changed_in_three_restarts() {
    let topics = topics();
    let (old, new) = (MasterKey::random(), MasterKey::random());
    let first = MasterKeys::new(old.clone(), vec![new.clone()]);
    let vault = Vault::open(&topics, first).await.unwrap();
    let sealed = vault.seal(ADA, Field::Name, "Ada").await.unwrap();
    vault.close().await;
    let second = MasterKeys::new(new.clone(), vec![old.clone()]);
    let vault = Vault::open(&topics, second).await.unwrap();
    vault.close().await;
    let third = MasterKeys::new(new, vec![]);
    let vault = Vault::open(&topics, third).await.unwrap();
    assert_eq!(*vault.open_box(Field::Name, &sealed).unwrap(), "Ada");
    let lost = Vault::open(&topics, MasterKeys::new(old, vec![])).await;
    let lost = lost.unwrap_err().to_string();
    assert!(lost.contains("not in the master key's file"), "{lost}");
}

#[tokio::test]
async fn nothing_of_a_text_is_in_the_topic_of_keys_or_in_what_is_shown() {
    let topics = topics();
    let vault = Vault::open(&topics, master()).await.unwrap();
    let sealed = vault.seal(ADA, Field::Name, "Ada Lovelace").await.unwrap();
    let shown = format!("{vault:?} {sealed:?} {:?}", entries(&topics).await);
    assert!(!shown.contains("Lovelace"), "{shown}");
    assert!(!String::from_utf8_lossy(&sealed.ciphertext).contains("Lovelace"));
}

/// A log in memory that counts how often it is scrubbed, and takes its time.
#[derive(Debug)]
struct Counting {
    log: Arc<dyn Log>,
    scrubs: Arc<std::sync::atomic::AtomicU32>,
}

impl Log for Counting {
    fn topic(&self) -> &str {
        self.log.topic()
    }
    fn partitions(&self) -> u32 {
        self.log.partitions()
    }
    fn append(
        &self,
        partition: u32,
        record: journal::Record,
    ) -> journal::BoxFuture<'static, journal::Append> {
        self.log.append(partition, record)
    }
    fn end(&self, partition: u32) -> journal::BoxFuture<'static, Result<u64, journal::Error>> {
        self.log.end(partition)
    }
    fn tail(&self, partition: u32, from: u64) -> Box<dyn journal::Tail> {
        self.log.tail(partition, from)
    }
    fn scrub(&self) -> journal::BoxFuture<'static, Result<(), journal::Error>> {
        self.scrubs
            .fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Box::pin(async {
            tokio::time::sleep(std::time::Duration::from_secs(5)).await;
            Ok(())
        })
    }
}

impl journal::Topics for Counting {
    fn open(&self, _: &TopicSpec) -> journal::BoxFuture<'_, Result<Arc<dyn Log>, journal::Error>> {
        let log: Arc<dyn Log> = Arc::new(Self {
            log: Arc::clone(&self.log),
            scrubs: Arc::clone(&self.scrubs),
        });
        Box::pin(async { Ok(log) })
    }
}

#[tokio::test(start_paused = true)]
async fn one_scrub_serves_all_who_wait_and_none_is_made_for_nothing() {
    let scrubs = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counted = || scrubs.load(std::sync::atomic::Ordering::SeqCst);
    let topics = Counting {
        log: keys(&topics()).await,
        scrubs: Arc::clone(&scrubs),
    };
    let vault = Vault::open(&topics, master()).await.unwrap();
    let people: Vec<Person> = (1..=20).map(|n| Person(Uuid::from_u128(n))).collect();
    for person in &people {
        vault.seal(*person, Field::Name, "Ada").await.unwrap();
    }
    let erased = people.iter().map(|person| vault.erase(*person));
    futures::future::try_join_all(erased).await.unwrap();
    assert!((1..=2).contains(&counted()), "{}", counted());
    // Once more, and somebody who had no key: nothing was destroyed.
    let before = counted();
    vault.erase(people[0]).await.unwrap();
    vault.erase(ADA).await.unwrap();
    assert_eq!(counted(), before);
    // A key that is destroyed afterwards is scrubbed away.
    vault.seal(BOB, Field::Name, "Bob").await.unwrap();
    vault.erase(BOB).await.unwrap();
    assert_eq!(counted(), before + 1);
}
