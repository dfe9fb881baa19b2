//! Which keys count: a fold over the topic of keys, and the rule that makes erasure final.
//!
//! ```text
//!   key/P/1   key/P/2   erased/P   key/P/3   key/P/1   key/P/1 destroyed ...
//!   counts    counts       │       void      void
//!                          └── from here on no key of P counts, whoever writes it and why
//! ```
//! Somebody may make a key for a person, or wrap one anew with another master key, at the very moment at which
//! the person is erased. Nobody can prevent that record from being written. But the topic has one order, the
//! marker stands in it for ever, and every reader voids what comes behind it. So nothing needs a lock, and
//! whoever meets a void key takes it away.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use crate::entry::{Entry, Wrapped};
use crate::mutant::Mutant;
use crate::person::{KeyId, Person};

/// The keys that count, as far as the topic was read.
#[derive(Debug, Default)]
pub struct Keyring {
    people: HashMap<Person, Standing>,
    /// Keys of the erased that nobody has destroyed yet.
    void: BTreeSet<(Person, KeyId)>,
}

#[derive(Debug)]
enum Standing {
    /// The keys, the oldest first.
    Living(Vec<(KeyId, Wrapped)>),
    Erased,
}

impl Keyring {
    /// Takes in the next record; the keys that count no longer.
    pub fn apply(&mut self, entry: Entry) -> Vec<(Person, KeyId)> {
        match entry {
            Entry::Key(person, key, wrapped) => {
                let fresh = || Standing::Living(Vec::new());
                match self.people.entry(person).or_insert_with(fresh) {
                    Standing::Living(keys) => {
                        match keys.iter_mut().find(|(known, _)| *known == key) {
                            Some((_, known)) => *known = wrapped,
                            None => keys.push((key, wrapped)),
                        }
                    }
                    Standing::Erased if Mutant::KeysAfterTheMarkerCount.is() => {
                        self.people
                            .insert(person, Standing::Living(vec![(key, wrapped)]));
                    }
                    Standing::Erased => {
                        self.void.insert((person, key));
                    }
                }
                Vec::new()
            }
            Entry::Destroyed(person, key) => {
                self.void.remove(&(person, key));
                if let Some(Standing::Living(keys)) = self.people.get_mut(&person) {
                    keys.retain(|(known, _)| *known != key);
                }
                vec![(person, key)]
            }
            Entry::Erased(person) => {
                let before = self.people.insert(person, Standing::Erased);
                let Some(Standing::Living(keys)) = before else {
                    return Vec::new();
                };
                let keys: Vec<_> = keys.into_iter().map(|(key, _)| (person, key)).collect();
                self.void.extend(&keys);
                keys
            }
        }
    }

    /// Whether the person is erased.
    pub fn is_erased(&self, person: Person) -> bool {
        matches!(self.people.get(&person), Some(Standing::Erased))
    }

    /// The key with which a person's data is sealed from now on, if there is one.
    pub fn current(&self, person: Person) -> Option<(KeyId, &Wrapped)> {
        let (key, wrapped) = self.keys(person).first()?;
        Some((*key, wrapped))
    }

    /// One key of a person, if it counts.
    pub fn key(&self, person: Person, key: KeyId) -> Option<&Wrapped> {
        let mut keys = self.keys(person).iter();
        keys.find(|(known, _)| *known == key)
            .map(|(_, wrapped)| wrapped)
    }

    /// What is to be written next to erase a person; nothing when that is done.
    pub fn to_erase(&self, person: Person) -> Vec<Entry> {
        if Mutant::NoMarker.is() {
            let keys = self.keys(person).iter();
            return keys
                .map(|(key, _)| Entry::Destroyed(person, *key))
                .collect();
        }
        if !self.is_erased(person) {
            return vec![Entry::Erased(person)];
        }
        if Mutant::MarkerIsEnough.is() {
            return Vec::new();
        }
        let (first, last) = (KeyId([0; 8]), KeyId([u8::MAX; 8]));
        let void = self.void.range((person, first)..=(person, last));
        void.map(|(_, key)| Entry::Destroyed(person, *key))
            .collect()
    }

    /// What takes away keys of the erased that came behind their marker, at most `limit`.
    pub fn to_sweep(&self, limit: usize) -> Vec<Entry> {
        let void = self.void.iter().filter(|_| !Mutant::NoSweep.is());
        void.take(limit)
            .map(|(person, key)| Entry::Destroyed(*person, *key))
            .collect()
    }

    /// The keys that are wrapped by another master key than this one.
    pub fn to_rewrap(&self, master: KeyId) -> Vec<(Person, KeyId, Wrapped)> {
        let living = self.people.iter().filter_map(|(person, standing)| {
            let Standing::Living(keys) = standing else {
                return None;
            };
            Some(
                keys.iter()
                    .map(move |(key, wrapped)| (person, key, wrapped)),
            )
        });
        let others = living.flatten().filter(|(.., it)| it.master != master);
        others
            .map(|(person, key, wrapped)| (*person, *key, wrapped.clone()))
            .collect()
    }

    fn keys(&self, person: Person) -> &[(KeyId, Wrapped)] {
        match self.people.get(&person) {
            Some(Standing::Living(keys)) => keys,
            Some(Standing::Erased) | None => &[],
        }
    }
}
