//! A typed view of the rows that share a name: keys in order, values through postcard.

use std::fmt;
use std::marker::PhantomData;
use std::ops::ControlFlow;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Direction, Error, Key, KeyRange, Prefix, Rows, RowsMut};

/// A table: a constant beside the view that owns it.
///
/// ```
/// # use read_model::{Store, Table};
/// const BY_DAY: Table<(u32, String), u64> = Table::new("by_day");
/// # fn main() -> Result<(), read_model::Error> {
/// let store = Store::in_memory();
/// let mut tx = store.begin()?;
/// BY_DAY.put(&mut tx, &(7, "p-1".into()), &100)?;
/// BY_DAY.put(&mut tx, &(7, "p-2".into()), &250)?;
/// store.commit(tx)?;
/// let page = store.read(|rows| BY_DAY.scan(rows, &(7,), None, 50))?;
/// assert_eq!(page, [((7, "p-1".into()), 100), ((7, "p-2".into()), 250)]);
/// # Ok(())
/// # }
/// ```
pub struct Table<K, V> {
    name: &'static str,
    types: PhantomData<fn(K) -> V>,
}

impl<K, V> Table<K, V> {
    /// The table of this name, which must be unique in its store and hold no zero byte. The name is
    /// part of every key, so a short one is a kind one.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            types: PhantomData,
        }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<K: Key, V: Serialize + DeserializeOwned> Table<K, V> {
    /// The value under this key.
    pub fn get(&self, rows: &dyn Rows, key: &K) -> Result<Option<V>, Error> {
        rows.get(&self.encode(key))?
            .map(|value| self.value(&value))
            .transpose()
    }

    /// Whether there is a row under this key.
    pub fn contains(&self, rows: &dyn Rows, key: &K) -> Result<bool, Error> {
        Ok(rows.get(&self.encode(key))?.is_some())
    }

    /// Sets the row.
    pub fn put(&self, rows: &mut dyn RowsMut, key: &K, value: &V) -> Result<(), Error> {
        let value = postcard::to_stdvec(value).map_err(|error| self.error(error.to_string()))?;
        rows.put(self.encode(key).into(), value.into());
        Ok(())
    }

    /// Removes the row; nothing happens if there is none.
    pub fn delete(&self, rows: &mut dyn RowsMut, key: &K) {
        rows.delete(self.encode(key).into());
    }

    /// Up to `limit` rows whose keys begin with `prefix`, in order, from the first one behind
    /// `after`: a page, whose cost does not depend on how many came before.
    pub fn scan<P: Prefix<K>>(
        &self,
        rows: &dyn Rows,
        prefix: &P,
        after: Option<&K>,
        limit: usize,
    ) -> Result<Vec<(K, V)>, Error> {
        let range = self.under(prefix);
        let range = after
            .map(|key| self.encode(key))
            .iter()
            .fold(range, |r, key| r.after(key));
        self.page(rows, &range, Direction::Forward, limit)
    }

    /// The same backwards: the last rows first, from the last one before `before`.
    pub fn scan_rev<P: Prefix<K>>(
        &self,
        rows: &dyn Rows,
        prefix: &P,
        before: Option<&K>,
        limit: usize,
    ) -> Result<Vec<(K, V)>, Error> {
        let range = self.under(prefix);
        let range = before
            .map(|key| self.encode(key))
            .iter()
            .fold(range, |r, key| r.before(key));
        self.page(rows, &range, Direction::Reverse, limit)
    }

    /// Up to `limit` rows from `start`, included, up to `end`, excluded, in order.
    pub fn range(
        &self,
        rows: &dyn Rows,
        start: &K,
        end: &K,
        limit: usize,
    ) -> Result<Vec<(K, V)>, Error> {
        let range = KeyRange::between(self.encode(start), self.encode(end));
        self.page(rows, &range, Direction::Forward, limit)
    }

    /// Calls `visit` for every row whose key begins with `prefix`, in order, until it breaks.
    pub fn visit<P: Prefix<K>>(
        &self,
        rows: &dyn Rows,
        prefix: &P,
        mut visit: impl FnMut(K, V) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.decode_each(rows, &self.under(prefix), Direction::Forward, &mut visit)
    }

    fn page(
        &self,
        rows: &dyn Rows,
        range: &KeyRange,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<(K, V)>, Error> {
        let mut page = Vec::new();
        if limit > 0 {
            self.decode_each(rows, range, direction, &mut |key, value| {
                page.push((key, value));
                if page.len() < limit {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })?;
        }
        Ok(page)
    }

    fn decode_each(
        &self,
        rows: &dyn Rows,
        range: &KeyRange,
        direction: Direction,
        visit: &mut dyn FnMut(K, V) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let mut outcome = Ok(());
        rows.visit(range, direction, &mut |key, value| match self
            .key(key)
            .and_then(|key| Ok((key, self.value(value)?)))
        {
            Ok((key, value)) => visit(key, value),
            Err(error) => {
                outcome = Err(error);
                ControlFlow::Break(())
            }
        })?;
        outcome
    }

    fn under(&self, prefix: &impl Key) -> KeyRange {
        KeyRange::prefix(self.encode(prefix))
    }

    /// The name is ended by a zero byte, so no table's keys can begin with another's name.
    fn encode(&self, key: &impl Key) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.name.len() + 40);
        out.extend_from_slice(self.name.as_bytes());
        out.push(0);
        key.encode(&mut out);
        out
    }

    fn key(&self, bytes: &[u8]) -> Result<K, Error> {
        let mut rest = bytes.get(self.name.len() + 1..).unwrap_or_default();
        K::decode(&mut rest)
            .filter(|_| rest.is_empty())
            .ok_or_else(|| self.error("a stored key is not one of this table".to_owned()))
    }

    fn value(&self, bytes: &[u8]) -> Result<V, Error> {
        postcard::from_bytes(bytes).map_err(|error| self.error(error.to_string()))
    }

    fn error(&self, reason: String) -> Error {
        Error::Codec {
            table: self.name,
            reason,
        }
    }
}

impl<K, V> fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Table").field(&self.name).finish()
    }
}
