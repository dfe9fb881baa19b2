//! When each customer was active: acquired, lost, won back.

use eventsourcing::Time;
use money::Currency;
use read_model::{Error, Rows, RowsMut, Table};
use retention_domain::Event;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const LIVES: Table<Uuid, Life> = Table::new("life");

/// When a customer was active.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Life {
    pub(crate) acquired_at: Time,
    pub(crate) currency: Currency,
    /// Losses and win-backs in turn; they never go back in time.
    pub(crate) turns: Vec<Turn>,
}

/// A loss, or a win-back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Turn {
    pub(crate) at: Time,
    pub(crate) active: bool,
}

impl Life {
    /// Whether the customer was active after everything that happened before this moment.
    pub(crate) fn is_active_before(&self, moment: Time) -> bool {
        let mut turns = self.turns.iter().filter(|turn| turn.at < moment);
        self.acquired_at < moment && turns.next_back().is_none_or(|turn| turn.active)
    }
}

/// All lives, by customer.
pub(crate) fn all(rows: &dyn Rows) -> Result<Vec<(Uuid, Life)>, Error> {
    LIVES.scan(rows, &(), None, usize::MAX)
}

/// Lets an event happen, if it is about the life.
pub(crate) fn apply(rows: &mut dyn RowsMut, id: Uuid, event: &Event) -> Result<(), Error> {
    let turn = match event {
        Event::RelationshipOpened(opening) => {
            let (acquired_at, currency) = (opening.acquired_at, opening.currency);
            return LIVES.put(
                rows,
                &id,
                &Life {
                    acquired_at,
                    currency,
                    turns: Vec::new(),
                },
            );
        }
        Event::RelationshipLost(loss) => Turn {
            at: loss.ended_at,
            active: false,
        },
        Event::RelationshipWonBack { won_back_at } => Turn {
            at: *won_back_at,
            active: true,
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
