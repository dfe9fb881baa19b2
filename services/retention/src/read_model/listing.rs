//! Customers by what sets them apart: owner, territory, band of risk, state.
//!
//! Most customers are active and at low risk, so these two have no rows: whoever asks for them looks at
//! all customers.

use std::collections::BTreeSet;

use read_model::{Error, Rows, RowsMut, Table};
use retention_domain::Customer;
use retention_domain::owner::Territory;
use retention_domain::relationship::State;
use retention_domain::risk::Band;
use retention_domain::text::Label;
use uuid::Uuid;

use super::customers;

/// By mark, its value and the customer.
const MARKED: Table<(String, String, Uuid), ()> = Table::new("marked");
/// The marks of each customer that has some.
const MARKS: Table<Uuid, BTreeSet<(String, String)>> = Table::new("marks");

/// How many customers are looked at for one page, at most, so that every page costs the same.
const LOOKED_AT: usize = 5_000;

const OWNER: &str = "owner";
const TERRITORY: &str = "territory";
const BAND: &str = "band";
const STATE: &str = "state";

/// What is asked of the customers of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) owner: Option<Label>,
    /// The customers of its parts are in it too.
    pub(crate) territory: Option<Territory>,
    pub(crate) band: Option<Band>,
    pub(crate) state: Option<State>,
}

/// Where a list goes on: behind this customer, and in a territory behind this part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) part: String,
    pub(crate) id: Uuid,
}

/// Customers of a list, and where it goes on if that is not its end.
pub(crate) type Found = (Vec<(Uuid, Customer)>, Option<Place>);

impl Filter {
    fn fits(&self, state: &Customer) -> bool {
        let Some(relationship) = &state.relationship else {
            return false;
        };
        let assignment = relationship.assignment.as_ref();
        let owner = assignment.map(|assignment| &assignment.owner);
        let territory = assignment.and_then(|assignment| assignment.territory.as_ref());
        self.owner.as_ref().is_none_or(|it| owner == Some(it))
            && self
                .territory
                .as_ref()
                .is_none_or(|whole| territory.is_some_and(|part| part.lies_in(whole)))
            && self.band.is_none_or(|band| band == state.risk.band)
            && self.state.is_none_or(|it| it == relationship.state)
    }

    /// The mark with the fewest customers, as far as one can tell.
    fn mark(&self) -> Option<(&'static str, String)> {
        let owner = self.owner.as_ref().map(|owner| (OWNER, owner.to_string()));
        let band = self.band.filter(|band| *band != Band::Low);
        let band = band.map(|band| (BAND, band.to_string()));
        let state = self.state.filter(|state| *state != State::Active);
        owner
            .or(band)
            .or(state.map(|state| (STATE, state.to_string())))
    }
}

/// A page of the customers that fit, by id; those of a territory by its parts first. It may be shorter
/// than the limit, and still not the last one.
pub(crate) fn list(
    rows: &dyn Rows,
    filter: &Filter,
    after: Option<&Place>,
    limit: usize,
) -> Result<Found, Error> {
    let mut found = Vec::new();
    let mut last = after.cloned();
    let mut looked_at = 0;
    while looked_at < LOOKED_AT {
        let places = candidates(rows, filter, last.as_ref(), limit)?;
        let ended = places.len() < limit;
        for (place, state) in places {
            looked_at += 1;
            let state = state.map_or_else(|| customers::get(rows, place.id), |it| Ok(Some(it)))?;
            if let Some(state) = state
                && filter.fits(&state)
            {
                if found.len() == limit {
                    return Ok((found, last));
                }
                found.push((place.id, state));
            }
            last = Some(place);
        }
        if ended {
            return Ok((found, None));
        }
    }
    Ok((found, last))
}

/// The next customers that may fit, with the states that were read on the way.
fn candidates(
    rows: &dyn Rows,
    filter: &Filter,
    after: Option<&Place>,
    limit: usize,
) -> Result<Vec<(Place, Option<Customer>)>, Error> {
    if let Some((mark, value)) = filter.mark() {
        let key = |place: &Place| (mark.to_owned(), value.clone(), place.id);
        let after = after.map(key);
        let prefix = (mark.to_owned(), value.clone());
        let found = MARKED.scan(rows, &prefix, after.as_ref(), limit)?;
        return Ok(places(found, |_| String::new()));
    }
    let Some(whole) = &filter.territory else {
        let after = after.map(|place| place.id);
        let found = customers::list(rows, after, limit)?.into_iter();
        return Ok(found
            .map(|(id, state)| {
                let part = String::new();
                (Place { part, id }, Some(state))
            })
            .collect());
    };
    in_territory(rows, whole, after, limit)
}

/// The next customers of a territory and its parts: of the whole, then of the paths below it.
fn in_territory(
    rows: &dyn Rows,
    whole: &Territory,
    after: Option<&Place>,
    limit: usize,
) -> Result<Vec<(Place, Option<Customer>)>, Error> {
    let key = |part: String, id| (TERRITORY.to_owned(), part, id);
    let mut found = Vec::new();
    if after.is_none_or(|place| place.part == whole.as_str()) {
        let after = after.map(|place| key(place.part.clone(), place.id));
        let prefix = (TERRITORY.to_owned(), whole.to_string());
        found = MARKED.scan(rows, &prefix, after.as_ref(), limit)?;
    }
    // The paths below it begin with it and a slash; '0' is the character behind the slash.
    let below = after.filter(|place| place.part != whole.as_str());
    let start = below.map_or_else(
        || key(format!("{whole}/"), Uuid::nil()),
        |place| key(place.part.clone(), place.id),
    );
    let end = key(format!("{whole}0"), Uuid::nil());
    let wanted = (limit + 1).saturating_sub(found.len());
    let parts = MARKED.range(rows, &start, &end, wanted)?;
    found.extend(parts.into_iter().filter(|(key, ())| *key != start));
    found.truncate(limit);
    Ok(places(found, |part| part))
}

fn places(
    found: Vec<((String, String, Uuid), ())>,
    part: impl Fn(String) -> String,
) -> Vec<(Place, Option<Customer>)> {
    let found = found.into_iter();
    found
        .map(|((_, value, id), ())| {
            let part = part(value);
            (Place { part, id }, None)
        })
        .collect()
}

/// A customer stands as it does in `state` now.
pub(crate) fn changed(rows: &mut dyn RowsMut, id: Uuid, state: &Customer) -> Result<(), Error> {
    let (before, after) = (MARKS.get(rows, &id)?.unwrap_or_default(), marks(state));
    if before == after {
        return Ok(());
    }
    for (mark, value) in before.difference(&after) {
        MARKED.delete(rows, &(mark.clone(), value.clone(), id));
    }
    for (mark, value) in after.difference(&before) {
        MARKED.put(rows, &(mark.clone(), value.clone(), id), &())?;
    }
    if after.is_empty() {
        MARKS.delete(rows, &id);
        return Ok(());
    }
    MARKS.put(rows, &id, &after)
}

fn marks(state: &Customer) -> BTreeSet<(String, String)> {
    let relationship = state.relationship.as_ref();
    let assignment = relationship.and_then(|relationship| relationship.assignment.as_ref());
    let territory = assignment.and_then(|assignment| assignment.territory.as_ref());
    let band = Some(state.risk.band).filter(|band| *band != Band::Low);
    let stands = relationship.map(|relationship| relationship.state);
    let stands = stands.filter(|state| *state != State::Active);
    [
        assignment.map(|assignment| (OWNER, assignment.owner.to_string())),
        territory.map(|territory| (TERRITORY, territory.to_string())),
        band.map(|band| (BAND, band.to_string())),
        stands.map(|state| (STATE, state.to_string())),
    ]
    .into_iter()
    .flatten()
    .map(|(mark, value)| (mark.to_owned(), value))
    .collect()
}
