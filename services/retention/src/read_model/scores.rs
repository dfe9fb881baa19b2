//! What customers said of promises, score by score: added to, never changed.

use eventsourcing::Time;
use read_model::{Error, Rows, RowsMut, Table};
use retention_domain::promise::Promise;
use retention_domain::{Customer, Event};
use runtime::Recorded;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// By customer, promise, and offset in the journal.
const SCORES: Table<(Uuid, String, u64), Scored> = Table::new("score");

/// A score that a customer gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scored {
    pub(crate) proposition: String,
    pub(crate) benefit_id: String,
    pub(crate) expected: u32,
    /// Perceived less expected.
    pub(crate) gap: i32,
    pub(crate) importance: u32,
    pub(crate) at: Time,
    pub(crate) recorded: Recorded,
}

/// Whose promise, and which.
pub(crate) type OfPromise = (Uuid, String);

/// Every score, by customer and promise, in the order of the journal.
pub(crate) fn all(rows: &dyn Rows) -> Result<Vec<(OfPromise, Scored)>, Error> {
    let found = SCORES.scan(rows, &(), None, usize::MAX)?;
    let found = found.into_iter();
    Ok(found
        .map(|((customer, promise, _), scored)| ((customer, promise), scored))
        .collect())
}

/// Lets an event happen, if it gives a score. `state` is the customer's after it.
pub(crate) fn apply(
    rows: &mut dyn RowsMut,
    id: Uuid,
    state: &Customer,
    event: &Event,
    recorded: Recorded,
) -> Result<(), Error> {
    let (Event::PromiseKept(assessed) | Event::PromiseBroken(assessed)) = event else {
        return Ok(());
    };
    let promise = state.promises.get(&assessed.promise_id);
    let (Some(score), Some(Promise { terms, .. })) = (assessed.score, promise) else {
        return Ok(());
    };
    let row = Scored {
        proposition: terms.proposition.to_string(),
        benefit_id: terms.benefit_id.to_string(),
        expected: terms.expected_score,
        gap: score.gap,
        importance: terms.importance,
        at: assessed.occurred_at,
        recorded,
    };
    let key = (id, assessed.promise_id.to_string(), recorded.offset);
    SCORES.put(rows, &key, &row)
}
