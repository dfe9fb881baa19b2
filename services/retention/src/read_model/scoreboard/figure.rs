//! The customers behind a figure of the scoreboard: as many as it says.

use std::ops::ControlFlow;

use eventsourcing::Time;
use money::Currency;
use read_model::{Error, Rows};
use server::Moment;
use uuid::Uuid;

use super::{Period, Share, Turn, visit};
use crate::read_model::equity::facts;

/// A figure that opens to customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    Created,
    Kept,
    Lost,
    WonBack,
    /// At the end.
    Active,
}

/// A customer behind a figure, once for each time that it is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) place: Place,
    pub(crate) currency: Currency,
    /// When it was created, lost or won back.
    pub(crate) at: Option<Time>,
    /// What it is worth at the end of the period if it is active then, in minor units.
    pub(crate) value: Option<i64>,
}

/// Where an entry stands: currency code, customer, and the number among those of the customer.
pub(crate) type Place = (String, Uuid, u32);

impl Figure {
    /// Once for each time that the customer is counted, and when that was.
    fn counts(self, share: &Share) -> Vec<Option<Time>> {
        let once = |counted: bool| counted.then_some(None).into_iter().collect();
        let wanted = match self {
            Self::Kept => return once(share.is_kept()),
            Self::Active => return once(share.closing),
            Self::Created => Turn::Created,
            Self::Lost => Turn::Lost,
            Self::WonBack => Turn::WonBack,
        };
        let turns = share.turns.iter().filter(|(turn, _)| *turn == wanted);
        turns.map(|(_, at)| Some(*at)).collect()
    }
}

/// The first entries behind a place, in the order of places.
pub(crate) fn behind(
    rows: &dyn Rows,
    figure: Figure,
    period: Period,
    moment: &Moment,
    after: Option<&Place>,
    wanted: usize,
) -> Result<Vec<Entry>, Error> {
    let mut found: Vec<Entry> = Vec::new();
    for currency in facts::currencies(rows)? {
        let code = currency.to_string();
        if found.len() >= wanted || after.is_some_and(|(after, ..)| code < *after) {
            continue;
        }
        // The customer itself once more: not all of its entries may stand on the page before.
        let same = after.filter(|(after, ..)| *after == code);
        let before = same.and_then(|(_, customer, _)| customer.as_u128().checked_sub(1));
        let from = (currency, before.map(Uuid::from_u128));
        visit(rows, from, period, moment, |customer, share| {
            let value = share.closing.then_some(share.line.equity);
            for (number, at) in (0..).zip(figure.counts(&share)) {
                let place = (code.clone(), customer, number);
                if after.is_none_or(|after| place > *after) {
                    found.push(Entry {
                        place,
                        currency,
                        at,
                        value,
                    });
                }
            }
            if found.len() < wanted {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
    }
    found.truncate(wanted);
    Ok(found)
}
