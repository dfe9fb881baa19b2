//! A promise is overdue: its day has passed, and nobody has said whether it was kept.

#[cfg(test)]
mod tests;

use eventsourcing::Time;
use uuid::Uuid;

use crate::customer::{Customer, Event};
use crate::id::PromiseId;
use crate::promise::{Promise, State};
use crate::refusal::Refusal;

/// Notes every promise whose day has passed. A promise is noted once, and none of a lost customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoteOverdue {
    /// The request, from which a save action takes its id.
    pub request_id: Uuid,
    /// The present.
    pub now: Time,
}

/// That the day of a promise has passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overdue {
    /// Which promise.
    pub promise_id: PromiseId,
    /// When it was due.
    pub due_at: Time,
    /// When it was noted.
    pub occurred_at: Time,
}

impl Promise {
    /// When it was due, if it is open and that has passed.
    pub fn overdue_since(&self, now: Time) -> Option<Time> {
        self.terms
            .due_at
            .filter(|&due_at| self.state == State::Open && due_at < now)
    }

    /// Whether it is open and was noted as overdue.
    pub fn is_noted_overdue(&self) -> bool {
        self.state == State::Open && self.overdue_noted_at.is_some()
    }
}

impl Customer {
    pub(crate) fn note_overdue(&self, command: NoteOverdue) -> Result<Vec<Event>, Refusal> {
        let NoteOverdue { request_id, now } = command;
        if self.opened()?.is_lost() {
            return Ok(vec![]);
        }
        let unnoted = self.promises.iter();
        let unnoted = unnoted.filter(|(_, promise)| promise.overdue_noted_at.is_none());
        let mut events: Vec<Event> = unnoted
            .filter_map(|(promise_id, promise)| {
                Some(Event::PromiseOverdue(Overdue {
                    promise_id: promise_id.clone(),
                    due_at: promise.overdue_since(now)?,
                    occurred_at: now,
                }))
            })
            .collect();
        if !events.is_empty() {
            events.extend(self.save("OVERDUE", request_id, now));
        }
        Ok(events)
    }

    pub(crate) fn promise_overdue(&mut self, overdue: &Overdue) {
        if let Some(promise) = self.promises.get_mut(&overdue.promise_id) {
            promise.overdue_noted_at = Some(overdue.occurred_at);
        }
    }
}
