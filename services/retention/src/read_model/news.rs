//! What has changed in the work of each owner, in the order in which it was recorded: added to, never changed.

use std::collections::BTreeSet;

use eventsourcing::Time;
use read_model::{Error, Rows, RowsMut, Table};
use retention_domain::promise::{Assessed, Overdue};
use retention_domain::risk::Band;
use retention_domain::{Customer, Event};
use runtime::Recorded;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::customers;

/// By owner (the empty one is nobody), recorded microsecond, customer, and the customer's so many-th.
const NEWS: Table<(String, i64, Uuid, u32), News> = Table::new("news");
/// How many news there are of a customer.
const COUNTS: Table<Uuid, u32> = Table::new("news-count");

/// Something that has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum News {
    ActionProposed(String),
    ActionCompleted(String),
    ActionCancelled(String),
    PromiseBroken(String),
    PromiseOverdue(String),
    PromiseRepaired(String),
    NoticeGiven,
    NoticeWithdrawn,
    Lost,
    WonBack,
    RiskChanged(Band),
    /// Who looks after the customer since.
    OwnerChanged(String),
}

/// Where a piece of news stands among those of its owner.
pub(crate) type Place = (i64, Uuid, u32);

/// News of an owner from a place on.
pub(crate) fn since(
    rows: &dyn Rows,
    owner: &str,
    from: Place,
    limit: usize,
) -> Result<Vec<(Place, News)>, Error> {
    let (micros, id, number) = from;
    let start = (owner.to_owned(), micros, id, number);
    let end = (owner.to_owned(), i64::MAX, Uuid::max(), u32::MAX);
    let found = NEWS.range(rows, &start, &end, limit)?.into_iter();
    Ok(found
        .map(|((_, micros, id, number), news)| ((micros, id, number), news))
        .collect())
}

/// The first place of what was recorded from a moment on.
pub(crate) const fn from(moment: Time) -> Place {
    (moment.micros(), Uuid::nil(), 0)
}

/// The place behind one.
pub(crate) const fn behind(place: Place) -> Place {
    (place.0, place.1, place.2.saturating_add(1))
}

/// Who has looked after a customer until an event that changes it, which has not happened yet.
pub(crate) fn owner_before(
    rows: &dyn Rows,
    id: Uuid,
    event: &Event,
) -> Result<Option<String>, Error> {
    if !matches!(event, Event::OwnerAssigned(_)) {
        return Ok(None);
    }
    Ok(customers::get(rows, id)?.as_ref().map(owner))
}

/// Lets an event happen, if it is news. `state` is the customer's after it, `before` who looked after it
/// until then, if that has changed.
pub(crate) fn apply(
    rows: &mut dyn RowsMut,
    id: Uuid,
    before: Option<String>,
    state: &Customer,
    event: &Event,
    recorded: Recorded,
) -> Result<(), Error> {
    let Some((news, named)) = news(event, state) else {
        return Ok(());
    };
    let mut owners = BTreeSet::from([owner(state)]);
    owners.extend(before.into_iter().chain(named));
    let number = COUNTS.get(rows, &id)?.unwrap_or_default();
    COUNTS.put(rows, &id, &number.saturating_add(1))?;
    for owner in owners {
        NEWS.put(rows, &(owner, recorded.at.micros(), id, number), &news)?;
    }
    Ok(())
}

/// Who looks after a customer; the empty owner is nobody.
fn owner(state: &Customer) -> String {
    let relationship = state.relationship.as_ref();
    let assignment = relationship.and_then(|relationship| relationship.assignment.as_ref());
    assignment
        .map(|assignment| assignment.owner.to_string())
        .unwrap_or_default()
}

/// What an event tells, and whom it names beside the one who looks after the customer.
fn news(event: &Event, state: &Customer) -> Option<(News, Option<String>)> {
    let named = |action_id| {
        let open = state.open_actions.get(action_id);
        let action = open.or_else(|| state.closed_actions.get(action_id));
        action
            .and_then(|action| action.owner.as_ref())
            .map(ToString::to_string)
    };
    Some(match event {
        Event::ActionProposed(it) => (
            News::ActionProposed(it.action_id.to_string()),
            named(&it.action_id),
        ),
        Event::ActionCompleted(it) => (
            News::ActionCompleted(it.action_id.to_string()),
            named(&it.action_id),
        ),
        Event::ActionCancelled { action_id, .. } => (
            News::ActionCancelled(action_id.to_string()),
            named(action_id),
        ),
        Event::PromiseBroken(Assessed { promise_id, .. }) => {
            (News::PromiseBroken(promise_id.to_string()), None)
        }
        Event::PromiseOverdue(Overdue { promise_id, .. }) => {
            (News::PromiseOverdue(promise_id.to_string()), None)
        }
        Event::PromiseRepaired { promise_id, .. } => {
            (News::PromiseRepaired(promise_id.to_string()), None)
        }
        Event::NoticeGiven(_) => (News::NoticeGiven, None),
        Event::NoticeWithdrawn { .. } => (News::NoticeWithdrawn, None),
        Event::RelationshipLost(_) => (News::Lost, None),
        Event::RelationshipWonBack { .. } => (News::WonBack, None),
        Event::RiskChanged(changed) => (News::RiskChanged(changed.band), None),
        Event::OwnerAssigned(_) => (News::OwnerChanged(owner(state)), None),
        Event::RelationshipOpened(_)
        | Event::PromiseMade(_)
        | Event::PromiseKept(_)
        | Event::PromiseWaived { .. }
        | Event::PurchaseRecorded(_)
        | Event::PurchaseReversed(_)
        | Event::RecurringRevenueSet(_)
        | Event::ConsentChanged(_)
        | Event::Erased { .. }
        | Event::KeysDestroyed { .. } => return None,
    })
}
