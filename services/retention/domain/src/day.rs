//! A day has come: what follows for a customer although nobody did anything (policy R5).

#[cfg(test)]
mod tests;

use eventsourcing::{Aggregate as _, Days, Time};
use money::Rate;
use uuid::Uuid;

use crate::customer::{Customer, Event};
use crate::input::When;
use crate::promise::{NoteOverdue, State};
use crate::refusal::Refusal;
use crate::relationship::{Cause, EndRelationship};
use crate::risk::{AssessRisk, REVERSAL_COUNTS};

/// Lets a day come. Once all has followed from it, the same day brings nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveDay {
    /// The request, from which actions take their ids.
    pub request_id: Uuid,
    /// 00:00 of the day, which is the present.
    pub midnight: Time,
    /// How long a customer may be silent; without it, for ever.
    pub inactivity: Option<Days>,
    /// The chance that the customer is alive, if a model says one.
    pub p_alive: Option<Rate>,
}

impl Customer {
    /// Since when a customer who is not lost has bought nothing. Who pays month by month is not silent.
    pub fn silent_since(&self) -> Option<Time> {
        self.bought_nothing_since()
            .filter(|_| self.monthly_revenue() <= 0)
    }

    /// The same, whatever is paid month by month: a model knows nothing but purchases.
    pub fn bought_nothing_since(&self) -> Option<Time> {
        let relationship = self
            .relationship
            .as_ref()
            .filter(|known| !known.is_lost())?;
        let began = relationship.won_back_at.max(Some(relationship.acquired_at));
        began.max(self.totals.last_purchase_at)
    }

    /// The earliest moment at which a day may bring something, silence apart. `now` is the present: what can
    /// be told already comes with the next day.
    pub fn awaits(&self, now: Time) -> Option<Time> {
        let relationship = self
            .relationship
            .as_ref()
            .filter(|known| !known.is_lost())?;
        let notice = relationship.notice.as_ref();
        let unnoted = self
            .promises
            .values()
            .filter(|promise| promise.state == State::Open && promise.overdue_noted_at.is_none());
        let due = unnoted.filter_map(|promise| promise.terms.due_at).min();
        let ends = notice.map(|notice| notice.effective_at);
        [ends, due, self.risk_awaits(now)]
            .into_iter()
            .flatten()
            .min()
    }

    /// When an assessment will find another band, as far as the state alone says.
    fn risk_awaits(&self, now: Time) -> Option<Time> {
        if self.changes_band(now) {
            return Some(now);
        }
        let counts_until = self.totals.last_reversal_at?.plus_days(REVERSAL_COUNTS);
        (counts_until > now && self.changes_band(counts_until)).then_some(counts_until)
    }

    fn changes_band(&self, now: Time) -> bool {
        let assessed = self.assess_risk(AssessRisk {
            request_id: Uuid::nil(),
            p_alive: None,
            now,
        });
        assessed.is_ok_and(|events| !events.is_empty())
    }

    /// In this order: a notice that has become effective ended the relationship before the day came; promises
    /// become overdue; silence ends the relationship with the day; and what is left is at a risk.
    pub(crate) fn live_day(&self, day: LiveDay) -> Result<Vec<Event>, Refusal> {
        self.opened()?;
        let steps = [
            Self::notice_becomes_effective,
            Self::promises_become_overdue,
            Self::silence_ends,
            Self::risk_is_assessed,
        ];
        let mut state = self.clone();
        let mut all = Vec::new();
        for step in steps {
            let events = step(&state, day)?;
            for event in &events {
                state.evolve(event);
            }
            all.extend(events);
        }
        Ok(all)
    }

    fn notice_becomes_effective(&self, day: LiveDay) -> Result<Vec<Event>, Refusal> {
        let notice = self.opened()?.notice.as_ref();
        match notice.filter(|notice| notice.effective_at <= day.midnight) {
            Some(notice) => self.end(notice.ending(day.request_id, day.midnight)),
            None => Ok(vec![]),
        }
    }

    fn promises_become_overdue(&self, day: LiveDay) -> Result<Vec<Event>, Refusal> {
        self.note_overdue(NoteOverdue {
            request_id: day.request_id,
            now: day.midnight,
        })
    }

    /// A day that is lived through late may come before what was told meanwhile; then it ends nothing.
    fn silence_ends(&self, day: LiveDay) -> Result<Vec<Event>, Refusal> {
        let LiveDay {
            request_id,
            midnight,
            inactivity,
            ..
        } = day;
        let since = self.silent_since();
        let silent = since
            .zip(inactivity)
            .is_some_and(|(since, longest)| since.plus_days(longest) < midnight);
        let told = self.opened()?.changed_at > midnight
            || self.lines.values().any(|line| line.since > midnight);
        if !silent || told {
            return Ok(vec![]);
        }
        self.end(EndRelationship {
            request_id,
            cause: Cause::Inactivity,
            reason: None,
            competitor: None,
            when: When {
                now: midnight,
                occurred_at: Some(midnight),
            },
        })
    }

    fn risk_is_assessed(&self, day: LiveDay) -> Result<Vec<Event>, Refusal> {
        self.assess_risk(AssessRisk {
            request_id: day.request_id,
            p_alive: day.p_alive,
            now: day.midnight,
        })
    }
}
