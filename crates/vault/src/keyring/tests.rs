//! Sealing, erasing and changing the master key at the same time, in every order that chance finds; and
//! deliberate faults, which must be noticed.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use uuid::Uuid;

use super::Keyring;
use crate::cipher::{self, Secret};
use crate::entry::Entry;
use crate::master::{MasterKey, MasterKeys};
use crate::mutant::{self, Mutant};
use crate::person::{KeyId, Person};

const PEOPLE: u8 = 3;
const MEMBERS: usize = 3;
const TEXT: &[u8] = b"Ada Lovelace";

/// One thing that one member does.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// Reads so many records.
    Read(u8),
    /// Seals with the key that it knows, or makes one; that reaches the log later.
    Seal(u8),
    /// Lets what it has made, or wrapped anew, reach the log.
    Flush,
    /// Goes on with erasing somebody.
    Erase(u8),
    /// Takes the new master key, and wraps anew what it knows; that reaches the log later.
    Rotate,
    /// Takes void keys away.
    Sweep,
    /// The log forgets what was written again.
    Compact,
}

fn act() -> impl Strategy<Value = (usize, Act)> {
    let act = prop_oneof![
        4 => (1..4_u8).prop_map(Act::Read),
        3 => (0..PEOPLE).prop_map(Act::Seal),
        3 => Just(Act::Flush),
        3 => (0..PEOPLE).prop_map(Act::Erase),
        1 => Just(Act::Rotate),
        1 => Just(Act::Sweep),
        1 => Just(Act::Compact),
    ];
    (0..MEMBERS, act)
}

struct Member {
    ring: Keyring,
    at: usize,
    master: MasterKeys,
    /// On its way to the log.
    unsent: Vec<Entry>,
    erasing: BTreeSet<Person>,
}

struct Sealed {
    person: Person,
    key: KeyId,
    nonce: [u8; 24],
    text: Vec<u8>,
}

struct World {
    log: Vec<Option<Entry>>,
    /// Where the first marker of each person stood; a second one takes it away.
    marked: BTreeMap<Person, usize>,
    members: Vec<Member>,
    masters: [MasterKey; 2],
    boxes: Vec<Sealed>,
    begun: BTreeSet<Person>,
    answered: BTreeSet<Person>,
}

fn person(number: u8) -> Person {
    Person(Uuid::from_u128(u128::from(number)))
}

impl World {
    fn new() -> Self {
        let masters = [MasterKey::random(), MasterKey::random()];
        let mut world = Self {
            log: Vec::new(),
            marked: BTreeMap::new(),
            members: Vec::new(),
            masters,
            boxes: Vec::new(),
            begun: BTreeSet::new(),
            answered: BTreeSet::new(),
        };
        (0..MEMBERS).for_each(|_| world.join());
        world
    }

    fn join(&mut self) {
        let [old, new] = self.masters.clone();
        self.members.push(Member {
            ring: Keyring::default(),
            at: 0,
            master: MasterKeys::new(old, vec![new]),
            unsent: Vec::new(),
            erasing: BTreeSet::new(),
        });
    }

    fn run(&mut self, member: usize, act: Act) -> Result<(), String> {
        match act {
            Act::Read(count) => self.read(member, usize::from(count)),
            Act::Seal(number) => self.seal(member, person(number)),
            Act::Flush => {
                let unsent = std::mem::take(&mut self.members[member].unsent);
                self.write(unsent);
            }
            Act::Erase(number) => return self.erase(member, person(number)),
            Act::Rotate => {
                let [old, new] = self.masters.clone();
                let it = &mut self.members[member];
                it.master = MasterKeys::new(new, vec![old]);
                for (person, key, wrapped) in it.ring.to_rewrap(it.master.current()) {
                    let secret = it.master.unwrap(person, key, &wrapped).unwrap();
                    let again = it.master.wrap(person, key, &secret).unwrap();
                    it.unsent.push(Entry::Key(person, key, again));
                }
            }
            Act::Sweep => {
                let void = self.members[member].ring.to_sweep(10);
                self.write(void);
            }
            Act::Compact => self.compact(),
        }
        Ok(())
    }

    fn write(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            if let Entry::Erased(person) = &entry {
                self.marked.entry(*person).or_insert(self.log.len());
            }
            self.log.push(Some(entry));
        }
    }

    fn read(&mut self, member: usize, count: usize) {
        let it = &mut self.members[member];
        for entry in self.log.iter().skip(it.at).take(count) {
            it.at += 1;
            if let Some(entry) = entry.clone() {
                it.ring.apply(entry);
            }
        }
    }

    fn seal(&mut self, member: usize, person: Person) {
        let it = &mut self.members[member];
        if it.ring.is_erased(person) {
            return;
        }
        let Some((key, wrapped)) = it.ring.current(person) else {
            let key = KeyId(cipher::random());
            let wrapped = it.master.wrap(person, key, &cipher::secret());
            it.unsent.push(Entry::Key(person, key, wrapped.unwrap()));
            return;
        };
        let secret: Secret = it.master.unwrap(person, key, wrapped).unwrap();
        let nonce = cipher::random();
        self.boxes.push(Sealed {
            person,
            key,
            nonce,
            text: cipher::seal(&secret, &nonce, &[], TEXT).unwrap(),
        });
    }

    fn erase(&mut self, member: usize, person: Person) -> Result<(), String> {
        self.begun.insert(person);
        let it = &mut self.members[member];
        let steps = it.ring.to_erase(person);
        if steps.is_empty() && it.erasing.contains(&person) {
            self.answered.insert(person);
            let marked = self.marked.get(&person).copied().unwrap_or(usize::MAX);
            let before = self.log.iter().take(marked);
            let keys: Vec<_> = before.flatten().filter_map(key_of).collect();
            let gone = self.log.iter().flatten().filter_map(tombstone_of);
            let gone: BTreeSet<_> = gone.collect();
            let left = keys.iter().filter(|(whose, _)| *whose == person);
            if left.clone().any(|key| !gone.contains(key)) {
                return Err("the answer came while a key was there".to_owned());
            }
            it.erasing.remove(&person);
            return Ok(());
        }
        it.erasing.insert(person);
        self.write(steps);
        Ok(())
    }

    /// Of each record key, the newest record stays.
    fn compact(&mut self) {
        let mut seen = BTreeSet::new();
        for entry in self.log.iter_mut().rev() {
            let key = entry.as_ref().map(|entry| entry.record().key.unwrap());
            if key.is_some_and(|key| !seen.insert(key)) {
                *entry = None;
            }
        }
    }

    /// Everything reaches the log and is read, and what is begun is ended.
    fn settle(&mut self) -> Result<(), String> {
        for round in 0..20 {
            for member in 0..MEMBERS {
                if round < 3 {
                    self.run(member, Act::Flush)?;
                }
                self.read(member, usize::MAX);
                for person in self.members[member].erasing.clone() {
                    self.erase(member, person)?;
                }
                self.run(member, Act::Sweep)?;
            }
        }
        self.join();
        self.read(MEMBERS, usize::MAX);
        self.compact();
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        for (person, _) in self.log.iter().flatten().filter_map(key_of) {
            if self.answered.contains(&person) {
                return Err("a key of somebody erased is in the log".to_owned());
            }
        }
        for it in &self.members {
            for sealed in &self.boxes {
                let opens = it.opens(sealed);
                if self.answered.contains(&sealed.person) && opens {
                    return Err("somebody erased can be read".to_owned());
                }
                if !self.begun.contains(&sealed.person) && !opens {
                    return Err("somebody who was not erased cannot be read".to_owned());
                }
            }
        }
        Ok(())
    }
}

impl Member {
    fn opens(&self, sealed: &Sealed) -> bool {
        let wrapped = self.ring.key(sealed.person, sealed.key);
        let secret = wrapped.and_then(|it| self.master.unwrap(sealed.person, sealed.key, it));
        let open = |secret| cipher::open(&secret, &sealed.nonce, &[], &sealed.text);
        secret.and_then(open).is_some()
    }
}

fn key_of(entry: &Entry) -> Option<(Person, KeyId)> {
    match entry {
        Entry::Key(person, key, _) => Some((*person, *key)),
        Entry::Destroyed(..) | Entry::Erased(_) => None,
    }
}

fn tombstone_of(entry: &Entry) -> Option<(Person, KeyId)> {
    match entry {
        Entry::Destroyed(person, key) => Some((*person, *key)),
        Entry::Key(..) | Entry::Erased(_) => None,
    }
}

fn violated_by(cases: u32) -> Option<String> {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 0,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&vec(act(), 0..60), |acts| {
        let mut world = World::new();
        let lived = acts
            .into_iter()
            .try_for_each(|(member, act)| world.run(member, act));
        let held = lived
            .and_then(|()| world.settle())
            .and_then(|()| world.check());
        held.map_err(TestCaseError::fail)
    });
    outcome.err().map(|error| error.to_string())
}

#[test]
fn whoever_is_erased_stays_so_and_everybody_else_can_be_read() {
    mutant::activate(None);
    assert_eq!(violated_by(400), None);
}

#[test]
fn each_fault_is_noticed() {
    for fault in Mutant::ALL {
        mutant::activate(Some(fault));
        let noticed = violated_by(2_000);
        mutant::activate(None);
        assert!(noticed.is_some(), "{fault:?}");
    }
}
