//! What the engine writes for itself: that a policy acts from here on, that a tick began, that it is done.

use bytes::Bytes;
use eventsourcing::Time;
use journal::Event;
use patron_proto::journal::v1::{PolicyActivated, TickBegun, TickDone};
use prost::Message;
use read_model::{Error, RowsMut};
use uuid::Uuid;

use crate::Fact;
use crate::rows::{ACTIVATIONS, ActivationRow, TICKS, TickRow};

const POLICY_ACTIVATED: &str = "patron.journal.v1.PolicyActivated";
const TICK_BEGUN: &str = "patron.journal.v1.TickBegun";
const TICK_DONE: &str = "patron.journal.v1.TickDone";

pub(crate) fn policy_activated(policy: &str, activated_at: Time) -> Event {
    let (policy, day) = (policy.to_owned(), activated_at.day());
    let message = PolicyActivated { policy, day };
    event(POLICY_ACTIVATED, &message)
}

pub(crate) fn tick_begun(day: i64, instance: Uuid) -> Event {
    let instance = Bytes::copy_from_slice(instance.as_bytes());
    event(TICK_BEGUN, &TickBegun { day, instance })
}

pub(crate) fn tick_done(day: i64) -> Event {
    event(TICK_DONE, &TickDone { day })
}

fn event(kind: &str, message: &impl Message) -> Event {
    Event {
        kind: kind.to_owned(),
        schema: 1,
        public: false,
        payload: Bytes::from(message.encode_to_vec()),
    }
}

/// Folds an event if it is one of these; else it is the service's.
pub(crate) fn fold(rows: &mut dyn RowsMut, fact: &Fact<'_>) -> Result<bool, Error> {
    match fact.event.kind.as_str() {
        POLICY_ACTIVATED => activated(rows, fact)?,
        TICK_BEGUN => begun(rows, fact)?,
        TICK_DONE => done(rows, fact)?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn activated(rows: &mut dyn RowsMut, fact: &Fact<'_>) -> Result<(), Error> {
    let Some(message) = read::<PolicyActivated>(fact) else {
        return Ok(());
    };
    let key = (message.policy, fact.partition);
    if ACTIVATIONS.contains(rows, &key)? {
        return Ok(());
    }
    let row = ActivationRow {
        offset: fact.offset,
        day: message.day.min(fact.recorded_at.day()),
    };
    ACTIVATIONS.put(rows, &key, &row)
}

fn begun(rows: &mut dyn RowsMut, fact: &Fact<'_>) -> Result<(), Error> {
    let Some(message) = read::<TickBegun>(fact) else {
        return Ok(());
    };
    let done = TICKS
        .get(rows, &fact.partition)?
        .and_then(|known| known.done);
    let row = TickRow {
        done,
        begun: message.day,
        by: Uuid::from_slice(&message.instance).unwrap_or_default(),
    };
    TICKS.put(rows, &fact.partition, &row)
}

fn done(rows: &mut dyn RowsMut, fact: &Fact<'_>) -> Result<(), Error> {
    let Some(message) = read::<TickDone>(fact) else {
        return Ok(());
    };
    let known = TICKS.get(rows, &fact.partition)?.unwrap_or(TickRow {
        done: None,
        begun: message.day,
        by: Uuid::nil(),
    });
    let row = TickRow {
        done: known.done.max(Some(message.day)),
        ..known
    };
    TICKS.put(rows, &fact.partition, &row)
}

/// What this engine writes it can read; anything else that is called so means nothing, to all replicas.
fn read<M: Message + Default>(fact: &Fact<'_>) -> Option<M> {
    M::decode(fact.event.payload.clone()).ok()
}
