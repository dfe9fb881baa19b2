//! Staged changes over rows that do not move: read-your-own-writes, kept or thrown away as a whole.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;

use crate::merge::{Directed, merge};
use crate::{Direction, Error, KeyRange, Rows, RowsMut, Visitor};

/// Changes on top of any rows that are never written anywhere: to decide on what would be.
pub struct Scratch<'a> {
    base: &'a dyn Rows,
    staged: Staged,
}

impl<'a> Scratch<'a> {
    /// Nothing staged yet.
    pub fn new(base: &'a dyn Rows) -> Self {
        Self {
            base,
            staged: Staged::default(),
        }
    }
}

impl fmt::Debug for Scratch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch")
            .field("staged", &self.staged.0.len())
            .finish_non_exhaustive()
    }
}

impl Rows for Scratch<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        self.staged.get(self.base, key)
    }

    fn visit(
        &self,
        range: &KeyRange,
        direction: Direction,
        visit: &mut Visitor<'_>,
    ) -> Result<(), Error> {
        self.staged.visit(self.base, range, direction, visit)
    }
}

impl RowsMut for Scratch<'_> {
    fn put(&mut self, key: Bytes, value: Bytes) {
        self.staged.set(key, Some(value));
    }

    fn delete(&mut self, key: Bytes) {
        self.staged.set(key, None);
    }
}

/// The changes themselves; `None` is a deletion.
#[derive(Debug, Default)]
pub(crate) struct Staged(pub(crate) BTreeMap<Bytes, Option<Bytes>>);

impl Staged {
    pub(crate) fn set(&mut self, key: Bytes, value: Option<Bytes>) {
        self.0.insert(key, value);
    }

    pub(crate) fn get(&self, base: &dyn Rows, key: &[u8]) -> Result<Option<Bytes>, Error> {
        match self.0.get(key) {
            Some(change) => Ok(change.clone()),
            None => base.get(key),
        }
    }

    pub(crate) fn visit(
        &self,
        base: &dyn Rows,
        range: &KeyRange,
        direction: Direction,
        visit: &mut Visitor<'_>,
    ) -> Result<(), Error> {
        if range.is_empty() {
            return Ok(());
        }
        let staged = Directed::new(self.0.range::<[u8], _>(range.bounds()), direction)
            .map(|(key, value)| (key.as_ref(), value.as_deref()));
        merge(
            staged,
            direction,
            |below| base.visit(range, direction, below),
            visit,
        )
    }
}
