//! The book of business: the customers of an owner or a territory, and their value, as of any moment.

use std::collections::BTreeMap;

use money::Currency;
use read_model::{Error, Rows};
use retention_domain::owner::Territory;
use retention_domain::relationship::State;
use retention_domain::text::Label;
use server::Moment;
use uuid::Uuid;

use super::holdings::{self, Standing};
use super::worth::Worth;

/// Whose book it is: one of both at least.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Whose {
    pub(crate) owner: Option<Label>,
    /// The customers of its parts are in it too.
    pub(crate) territory: Option<Territory>,
}

/// A customer of the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) id: Uuid,
    pub(crate) standing: Standing,
    /// In minor units.
    pub(crate) value: i64,
}

/// The customers of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Total {
    pub(crate) customers: i64,
    /// Of these, the ones who gave notice.
    pub(crate) leaving: i64,
    /// In minor units.
    pub(crate) equity: i64,
    /// Of that, with those who gave notice.
    pub(crate) under_notice: i64,
}

/// A line's place: by currency, value with the largest first, and customer.
pub(crate) type Place = (Currency, i64, Uuid);

impl Whose {
    fn fits(&self, standing: &Standing) -> bool {
        let owner = self.owner.as_ref();
        let territory = self.territory.as_ref();
        owner.is_none_or(|owner| owner.as_str() == standing.owner)
            && territory.is_none_or(|whole| {
                let part = standing.territory.as_ref();
                part.is_some_and(|part| part.lies_in(whole))
            })
    }
}

impl Line {
    pub(crate) fn place(&self) -> Place {
        (self.standing.currency, self.value.saturating_neg(), self.id)
    }
}

/// The active customers of a book at a moment, in the order of their places.
pub(crate) fn book(
    rows: &dyn Rows,
    whose: &Whose,
    worth: &Worth,
    moment: &Moment,
) -> Result<Vec<Line>, Error> {
    let candidates = match (&whose.owner, &whose.territory) {
        (Some(owner), _) => holdings::held(rows, owner.as_str())?,
        (None, Some(territory)) => holdings::placed(rows, territory)?,
        (None, None) => return Ok(vec![]),
    };
    let mut lines = Vec::new();
    for id in candidates {
        let Some(standing) = holdings::standing(rows, id, moment)? else {
            continue;
        };
        if standing.state == State::Lost || !whose.fits(&standing) {
            continue;
        }
        let value = worth.at(rows, (standing.currency, id), moment)?;
        lines.push(Line {
            id,
            standing,
            value,
        });
    }
    lines.sort_by_key(Line::place);
    Ok(lines)
}

/// The lines of each currency in total.
pub(crate) fn totals(lines: &[Line]) -> BTreeMap<Currency, Total> {
    let mut totals: BTreeMap<Currency, Total> = BTreeMap::new();
    for line in lines {
        let total = totals.entry(line.standing.currency).or_default();
        total.customers += 1;
        total.equity = total.equity.saturating_add(line.value);
        if line.standing.state == State::Leaving {
            total.leaving += 1;
            total.under_notice = total.under_notice.saturating_add(line.value);
        }
    }
    totals
}
