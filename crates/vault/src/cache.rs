//! Opened keys, so that a page of names costs one unwrapping a person and not one a field.

use std::collections::HashMap;
use std::fmt;

use crate::cipher::Secret;
use crate::person::{KeyId, Person};

/// How many keys are kept open at once.
const MOST: usize = 4_096;

/// Opened keys. Each is wiped from memory when it leaves.
#[derive(Default)]
pub(crate) struct Cache(HashMap<(Person, KeyId), Secret>);

impl Cache {
    pub(crate) fn get(&self, person: Person, key: KeyId) -> Option<Secret> {
        self.0.get(&(person, key)).cloned()
    }

    /// Takes a key in. A full cache begins anew: what is needed again is opened again.
    pub(crate) fn put(&mut self, person: Person, key: KeyId, secret: Secret) {
        if self.0.len() >= MOST {
            self.0.clear();
        }
        self.0.insert((person, key), secret);
    }

    /// Forgets a key.
    pub(crate) fn forget(&mut self, person: Person, key: KeyId) {
        self.0.remove(&(person, key));
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cache({} keys)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::{Cache, MOST};
    use crate::cipher::secret;
    use crate::person::{KeyId, Person};
    use uuid::Uuid;

    #[test]
    fn it_never_holds_more_than_it_may() {
        let mut cache = Cache::default();
        for number in 0..10_000 {
            let person = Person(Uuid::from_u128(number));
            cache.put(person, KeyId([0; 8]), secret());
            assert!(cache.0.len() <= MOST);
            assert!(cache.get(person, KeyId([0; 8])).is_some());
        }
    }
}
