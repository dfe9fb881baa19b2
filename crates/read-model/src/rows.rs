//! Ordered rows of bytes: what a view may ask and change, whatever lies underneath.

use std::ops::{Bound, ControlFlow};

use bytes::Bytes;

use crate::Error;

/// Called with key and value of each row; `Break` ends the visit.
pub type Visitor<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// Reading ordered rows. Object safe: views take `&dyn Rows`.
pub trait Rows {
    /// The value under exactly this key.
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error>;

    /// Calls `visit` for the rows of a range in key order, or in the reverse order. Lazy: a visit
    /// costs one seek and the rows it is shown, wherever in the range it starts.
    fn visit(
        &self,
        range: &KeyRange,
        direction: Direction,
        visit: &mut Visitor<'_>,
    ) -> Result<(), Error>;

    /// The first `limit` rows of a range.
    fn scan(&self, range: &KeyRange, limit: usize) -> Result<Vec<(Bytes, Bytes)>, Error> {
        collect(self, range, Direction::Forward, limit)
    }

    /// The last `limit` rows of a range, last first.
    fn scan_rev(&self, range: &KeyRange, limit: usize) -> Result<Vec<(Bytes, Bytes)>, Error> {
        collect(self, range, Direction::Reverse, limit)
    }
}

/// Staging changes to ordered rows; reads see what was staged. Object safe.
pub trait RowsMut: Rows {
    /// Sets the row.
    fn put(&mut self, key: Bytes, value: Bytes);

    /// Removes the row; nothing happens if there is none.
    fn delete(&mut self, key: Bytes);
}

fn collect<R: Rows + ?Sized>(
    rows: &R,
    range: &KeyRange,
    direction: Direction,
    limit: usize,
) -> Result<Vec<(Bytes, Bytes)>, Error> {
    let mut found = Vec::new();
    if limit == 0 {
        return Ok(found);
    }
    rows.visit(range, direction, &mut |key, value| {
        found.push((Bytes::copy_from_slice(key), Bytes::copy_from_slice(value)));
        if found.len() < limit {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    Ok(found)
}

/// The order in which rows are visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest key first.
    Forward,
    /// Largest key first.
    Reverse,
}

/// A half-open range of keys: from `start`, included, up to `end`, excluded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    start: Vec<u8>,
    end: Option<Vec<u8>>,
}

impl KeyRange {
    /// Every key.
    pub fn all() -> Self {
        Self {
            start: Vec::new(),
            end: None,
        }
    }

    /// The keys from `start`, included, up to `end`, excluded.
    pub fn between(start: impl Into<Vec<u8>>, end: impl Into<Vec<u8>>) -> Self {
        Self {
            start: start.into(),
            end: Some(end.into()),
        }
    }

    /// The keys that begin with these bytes.
    pub fn prefix(prefix: impl Into<Vec<u8>>) -> Self {
        let start = prefix.into();
        // The first key behind the prefix: the last byte that can grow, grown by one.
        let mut end = start.clone();
        while let Some(last) = end.pop() {
            if let Some(next) = last.checked_add(1) {
                end.push(next);
                return Self {
                    start,
                    end: Some(end),
                };
            }
        }
        Self { start, end: None }
    }

    /// What of this range lies behind `key`: how the next page of a forward scan begins.
    #[must_use]
    pub fn after(mut self, key: &[u8]) -> Self {
        let mut next = key.to_vec();
        next.push(0);
        self.start = self.start.max(next);
        self
    }

    /// What of this range lies before `key`: how the next page of a reverse scan begins.
    #[must_use]
    pub fn before(mut self, key: &[u8]) -> Self {
        if self.end.as_deref().is_none_or(|end| key < end) {
            self.end = Some(key.to_vec());
        }
        self
    }

    /// Whether no key can be in it.
    pub fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.start)
    }

    pub(crate) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        let end = self
            .end
            .as_deref()
            .map_or(Bound::Unbounded, Bound::Excluded);
        (Bound::Included(&self.start), end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_the_next_key_without_it() {
        assert_eq!(KeyRange::prefix("ab"), KeyRange::between("ab", "ac"));
        assert_eq!(KeyRange::prefix([7, 255]), KeyRange::between([7, 255], [8]));
        assert_eq!(
            KeyRange::prefix([255, 255]),
            KeyRange {
                start: vec![255, 255],
                end: None
            }
        );
        assert_eq!(KeyRange::prefix(""), KeyRange::all());
    }

    #[test]
    fn pages_stay_inside_their_range() {
        let range = KeyRange::prefix("b");
        assert_eq!(range.clone().after(b"a"), range);
        assert_eq!(range.clone().before(b"z"), range);
        assert_eq!(
            range.clone().after(b"bb"),
            KeyRange::between(*b"bb\0", *b"c")
        );
        assert_eq!(range.clone().before(b"bb"), KeyRange::between("b", "bb"));
        assert!(range.clone().after(b"z").is_empty());
        assert!(range.before(b"a").is_empty());
    }
}
