//! A layer of changes over the rows below it, seen as one: the upper layer wins, nothing is copied.

use std::cmp::Ordering;
use std::ops::ControlFlow;

use crate::{Direction, Error, Visitor};

/// A change as a layer holds it: the key, and the new value or `None` for "deleted".
pub(crate) type Change<'a> = (&'a [u8], Option<&'a [u8]>);

/// Visits `upper` and the rows that `lower` visits, both in `direction`, as one sequence. A change
/// in the upper layer hides the row of the same key below it.
pub(crate) fn merge<'a>(
    upper: impl Iterator<Item = Change<'a>>,
    direction: Direction,
    lower: impl FnOnce(&mut Visitor<'_>) -> Result<(), Error>,
    visit: &mut Visitor<'_>,
) -> Result<(), Error> {
    let mut upper = upper.peekable();
    let mut flow = ControlFlow::Continue(());
    lower(&mut |key, value| {
        let mut hidden = false;
        while let Some(change) = upper.next_if(|(above, _)| {
            let order = direction.compare(above, key);
            hidden |= order == Ordering::Equal;
            order != Ordering::Greater
        }) {
            flow = show(change, visit);
            if flow.is_break() {
                return flow;
            }
        }
        if !hidden {
            flow = visit(key, value);
        }
        flow
    })?;
    while flow.is_continue()
        && let Some(change) = upper.next()
    {
        flow = show(change, visit);
    }
    Ok(())
}

fn show((key, value): Change<'_>, visit: &mut Visitor<'_>) -> ControlFlow<()> {
    value.map_or(ControlFlow::Continue(()), |value| visit(key, value))
}

impl Direction {
    fn compare(self, left: &[u8], right: &[u8]) -> Ordering {
        match self {
            Self::Forward => left.cmp(right),
            Self::Reverse => right.cmp(left),
        }
    }
}

/// An iterator of either direction over one layer, without a box.
pub(crate) enum Directed<I> {
    Forward(I),
    Reverse(std::iter::Rev<I>),
}

impl<I: DoubleEndedIterator> Directed<I> {
    pub(crate) fn new(iter: I, direction: Direction) -> Self {
        match direction {
            Direction::Forward => Self::Forward(iter),
            Direction::Reverse => Self::Reverse(iter.rev()),
        }
    }
}

impl<I: DoubleEndedIterator> Iterator for Directed<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Forward(iter) => iter.next(),
            Self::Reverse(iter) => iter.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(upper: &[Change<'_>], lower: &[(&str, &str)], limit: usize) -> Vec<(String, String)> {
        let mut seen = Vec::new();
        merge(
            upper.iter().copied(),
            Direction::Forward,
            |visit| {
                let _ = lower
                    .iter()
                    .try_for_each(|(k, v)| visit(k.as_bytes(), v.as_bytes()));
                Ok(())
            },
            &mut |key, value| {
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                seen.push((text(key), text(value)));
                if seen.len() < limit {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            },
        )
        .unwrap();
        seen
    }

    fn pairs(rows: &[(&str, &str)]) -> Vec<(String, String)> {
        rows.iter()
            .map(|(k, v)| ((*k).to_string(), (*v).to_string()))
            .collect()
    }

    #[test]
    fn the_upper_layer_adds_replaces_and_hides() {
        let upper: [Change<'_>; 5] = [
            (b"a", Some(b"new")),
            (b"c", Some(b"changed")),
            (b"d", None),
            (b"e", None),
            (b"z", Some(b"last")),
        ];
        let lower = [("b", "1"), ("c", "2"), ("d", "3"), ("f", "4")];
        let expected = pairs(&[
            ("a", "new"),
            ("b", "1"),
            ("c", "changed"),
            ("f", "4"),
            ("z", "last"),
        ]);
        assert_eq!(merged(&upper, &lower, 9), expected);
        for limit in 1..=expected.len() {
            assert_eq!(
                merged(&upper, &lower, limit),
                expected[..limit],
                "stopped after {limit}"
            );
        }
    }

    #[test]
    fn either_layer_may_be_empty() {
        assert_eq!(merged(&[], &[("b", "1")], 9), pairs(&[("b", "1")]));
        assert_eq!(merged(&[(b"b", Some(b"1"))], &[], 9), pairs(&[("b", "1")]));
    }
}
