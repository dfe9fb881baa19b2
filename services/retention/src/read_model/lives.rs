//! When each customer was active: acquired, lost, won back; where it came from and why it left.

use std::iter::Peekable;
use std::vec;

use eventsourcing::Time;
use money::Currency;
use read_model::{Error, Rows, RowsMut, Table};
use retention_domain::Event;
use retention_domain::relationship::{Cause, Origin, Reason};
use runtime::Recorded;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::wire::text;

const LIVES: Table<Uuid, Life> = Table::new("life");

/// When a customer was active.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Life {
    pub(crate) acquired_at: Time,
    pub(crate) currency: Currency,
    /// The campaign that won the customer, by its name; empty if none did.
    pub(crate) campaign: String,
    /// The presentation, by its name; empty if there was none.
    pub(crate) presentation: String,
    /// Where the opening stands in the journal.
    pub(crate) recorded: Recorded,
    /// Losses and win-backs in turn; they never go back in time.
    pub(crate) turns: Vec<Turn>,
}

/// A loss, or a win-back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Turn {
    pub(crate) at: Time,
    pub(crate) active: bool,
    /// How it came to a loss.
    pub(crate) why: Option<(Cause, Option<Reason>)>,
    /// Its place in the journal.
    pub(crate) recorded: Recorded,
}

/// The presentation's full name where the proposition is known, its id where it is not.
fn presentation(origin: &Origin) -> String {
    match (&origin.proposition, &origin.presentation_id) {
        (Some(proposition), Some(id)) => format!("{proposition}/presentations/{id}"),
        (None, Some(id)) => id.to_string(),
        (_, None) => String::new(),
    }
}

impl Life {
    /// Whether the customer was active after everything that happened before this moment.
    pub(crate) fn is_active_before(&self, moment: Time) -> bool {
        let mut turns = self.turns.iter().filter(|turn| turn.at < moment);
        self.acquired_at < moment && turns.next_back().is_none_or(|turn| turn.active)
    }
}

/// How many lives are read at a time.
const AT_ONCE: usize = 4_096;

/// All lives, by customer.
pub(crate) fn all(rows: &dyn Rows) -> Result<Vec<(Uuid, Life)>, Error> {
    LIVES.scan(rows, &(), None, usize::MAX)
}

/// A walk along all lives, in the order of customers, of which only a few are in memory at once.
pub(crate) struct Walk<'a> {
    rows: &'a dyn Rows,
    read: Peekable<vec::IntoIter<(Uuid, Life)>>,
    last: Option<Uuid>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(rows: &'a dyn Rows) -> Self {
        Self {
            rows,
            read: Vec::new().into_iter().peekable(),
            last: None,
        }
    }

    /// The next life.
    pub(crate) fn next(&mut self) -> Result<Option<(Uuid, Life)>, Error> {
        self.read_on()?;
        Ok(self.read.next())
    }

    /// The life of this customer. Whoever asks asks in the order of customers.
    pub(crate) fn of(&mut self, customer: Uuid) -> Result<Option<Life>, Error> {
        loop {
            self.read_on()?;
            while self.read.next_if(|(id, _)| *id < customer).is_some() {}
            if self.read.peek().is_some() || self.last.is_none_or(|last| last >= customer) {
                let found = self.read.next_if(|(id, _)| *id == customer);
                return Ok(found.map(|(_, life)| life));
            }
        }
    }

    fn read_on(&mut self) -> Result<(), Error> {
        if self.read.peek().is_none() {
            let read = LIVES.scan(self.rows, &(), self.last.as_ref(), AT_ONCE)?;
            self.last = read.last().map_or(Some(Uuid::max()), |(id, _)| Some(*id));
            self.read = read.into_iter().peekable();
        }
        Ok(())
    }
}

/// Lets an event happen, if it is about the life.
pub(crate) fn apply(
    rows: &mut dyn RowsMut,
    id: Uuid,
    event: &Event,
    recorded: Recorded,
) -> Result<(), Error> {
    let turn = match event {
        Event::RelationshipOpened(opening) => {
            let life = Life {
                acquired_at: opening.acquired_at,
                currency: opening.currency,
                campaign: text(opening.origin.campaign.as_ref()),
                presentation: presentation(&opening.origin),
                recorded,
                turns: Vec::new(),
            };
            return LIVES.put(rows, &id, &life);
        }
        Event::RelationshipLost(loss) => Turn {
            at: loss.ended_at,
            active: false,
            why: Some((loss.cause, loss.reason)),
            recorded,
        },
        Event::RelationshipWonBack { won_back_at } => Turn {
            at: *won_back_at,
            active: true,
            why: None,
            recorded,
        },
        Event::PromiseMade(_)
        | Event::PurchaseRecorded(_)
        | Event::PurchaseReversed(_)
        | Event::PromiseKept(_)
        | Event::PromiseBroken(_)
        | Event::PromiseRepaired { .. }
        | Event::PromiseWaived { .. }
        | Event::ActionProposed(_)
        | Event::ActionCancelled { .. }
        | Event::NoticeGiven(_)
        | Event::NoticeWithdrawn { .. }
        | Event::PromiseOverdue(_)
        | Event::RiskChanged(_)
        | Event::OwnerAssigned(_)
        | Event::RecurringRevenueSet(_)
        | Event::ConsentChanged(_)
        | Event::ActionCompleted(_)
        | Event::Erased { .. }
        | Event::KeysDestroyed { .. } => return Ok(()),
    };
    let Some(mut life) = LIVES.get(rows, &id)? else {
        return Ok(());
    };
    life.turns.push(turn);
    LIVES.put(rows, &id, &life)
}
