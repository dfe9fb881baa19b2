//! Customers: the state that decisions are taken on, with their purchases and closed actions beside it.

use eventsourcing::Aggregate as _;
use read_model::{Error, Rows, RowsMut, Table};
use retention_domain::action::Action;
use retention_domain::id::{ActionId, PurchaseId};
use retention_domain::purchase::Purchase;
use retention_domain::{Customer, Event, PartId};
use uuid::Uuid;

const STATES: Table<Uuid, Customer> = Table::new("customer");
const PURCHASES: Table<(Uuid, String), Purchase> = Table::new("purchase");
const CLOSED_ACTIONS: Table<(Uuid, String), Action> = Table::new("action");

/// The state of a customer, with the parts that are named.
pub(crate) fn load(rows: &dyn Rows, id: Uuid, parts: &[PartId]) -> Result<Customer, Error> {
    let mut state = STATES.get(rows, &id)?.unwrap_or_default();
    for part in parts {
        match part {
            PartId::Purchase(purchase) => {
                if let Some(known) = self::purchase(rows, id, purchase)? {
                    state.purchases.load(purchase.clone(), known);
                }
            }
            PartId::ClosedAction(action) => {
                if let Some(known) = CLOSED_ACTIONS.get(rows, &(id, action.to_string()))? {
                    state.closed_actions.load(action.clone(), known);
                }
            }
        }
    }
    Ok(state)
}

/// A customer, if it exists.
pub(crate) fn get(rows: &dyn Rows, id: Uuid) -> Result<Option<Customer>, Error> {
    STATES.get(rows, &id)
}

/// Whether there is such a customer.
pub(crate) fn known(rows: &dyn Rows, id: Uuid) -> Result<bool, Error> {
    STATES.contains(rows, &id)
}

/// Customers by id, after the one given.
pub(crate) fn list(
    rows: &dyn Rows,
    after: Option<Uuid>,
    limit: usize,
) -> Result<Vec<(Uuid, Customer)>, Error> {
    STATES.scan(rows, &(), after.as_ref(), limit)
}

/// One purchase.
pub(crate) fn purchase(
    rows: &dyn Rows,
    id: Uuid,
    purchase: &PurchaseId,
) -> Result<Option<Purchase>, Error> {
    PURCHASES.get(rows, &(id, purchase.to_string()))
}

/// Purchases of a customer by id, after the one given.
pub(crate) fn purchases(
    rows: &dyn Rows,
    id: Uuid,
    after: Option<String>,
    limit: usize,
) -> Result<Vec<(PurchaseId, Purchase)>, Error> {
    let after = after.map(|purchase| (id, purchase));
    let found = PURCHASES.scan(rows, &(id,), after.as_ref(), limit)?;
    Ok(parsed(found))
}

/// Actions for a customer by id, open and closed, after the one given.
pub(crate) fn actions(
    rows: &dyn Rows,
    id: Uuid,
    after: Option<String>,
    limit: usize,
) -> Result<Vec<(ActionId, Action)>, Error> {
    let after = after.map(|action| (id, action));
    let mut found = parsed(CLOSED_ACTIONS.scan(rows, &(id,), after.as_ref(), limit)?);
    let state = STATES.get(rows, &id)?.unwrap_or_default();
    let behind = |action: &ActionId| {
        after
            .as_ref()
            .is_none_or(|(_, last)| action.as_str() > last.as_str())
    };
    found.extend(
        state
            .open_actions
            .into_iter()
            .filter(|(action, _)| behind(action)),
    );
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found.truncate(limit);
    Ok(found)
}

/// Lets an event happen, and gives back the state after it.
pub(crate) fn apply(rows: &mut dyn RowsMut, id: Uuid, event: &Event) -> Result<Customer, Error> {
    let mut state = load(rows, id, &event.parts())?;
    state.evolve(event);
    for (purchase, changed) in state.purchases.take_changes() {
        PURCHASES.put(rows, &(id, purchase.to_string()), changed)?;
    }
    for (action, changed) in state.closed_actions.take_changes() {
        CLOSED_ACTIONS.put(rows, &(id, action.to_string()), changed)?;
    }
    STATES.put(rows, &id, &state)?;
    Ok(state)
}

/// Rows under their typed ids. Only well-formed ids are ever written.
fn parsed<K: std::str::FromStr, V>(rows: Vec<((Uuid, String), V)>) -> Vec<(K, V)> {
    let rows = rows.into_iter();
    rows.filter_map(|((_, id), value)| Some((id.parse().ok()?, value)))
        .collect()
}

#[cfg(test)]
mod tests;
