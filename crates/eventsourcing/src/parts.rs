//! A large collection of an aggregate, of which only the entries in question are in memory.

use std::collections::{BTreeMap, BTreeSet};

/// The entries of a collection that one decision needs: a customer's purchases, a prospect's touchpoints.
///
/// A customer may have 100,000 purchases, and a command must not become slower with each of them. So the
/// caller loads the entries that the command or event names, says which of them do not exist, and writes
/// back what [`take_changes`](Parts::take_changes) returns. In tests of the rules nothing is left out:
/// the default is a complete, empty collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts<K, V> {
    entries: BTreeMap<K, V>,
    changed: BTreeSet<K>,
}

impl<K, V> Default for Parts<K, V> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            changed: BTreeSet::new(),
        }
    }
}

impl<K: Ord + Clone, V> Parts<K, V> {
    /// Puts an entry that is stored already, so it does not count as changed.
    pub fn load(&mut self, key: K, value: V) {
        self.entries.insert(key, value);
    }

    /// The entry under `key`, if it exists (and was loaded).
    pub fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    /// Adds or replaces an entry.
    pub fn insert(&mut self, key: K, value: V) {
        self.changed.insert(key.clone());
        self.entries.insert(key, value);
    }

    /// The entry under `key` for changing it.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let entry = self.entries.get_mut(key)?;
        self.changed.insert(key.clone());
        Some(entry)
    }

    /// The loaded entries in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter()
    }

    /// The entries changed since the last call, in the order of their keys.
    pub fn take_changes(&mut self) -> Vec<(K, &V)> {
        let changed = std::mem::take(&mut self.changed);
        changed
            .into_iter()
            .filter_map(|key| self.entries.get(&key).map(|value| (key, value)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Parts;

    #[test]
    fn a_loaded_entry_is_not_a_change() {
        let mut parts = Parts::default();
        parts.load("a", 1);
        assert_eq!(parts.get(&"a"), Some(&1));
        assert!(parts.take_changes().is_empty());
    }

    #[test]
    fn inserted_and_edited_entries_are_changes_once() {
        let mut parts = Parts::default();
        parts.load("a", 1);
        *parts.get_mut(&"a").unwrap() += 1;
        parts.insert("b", 7);
        assert_eq!(parts.take_changes(), vec![("a", &2), ("b", &7)]);
        assert!(parts.take_changes().is_empty());
    }
}
