//! What each customer is valued by, customer by customer within a currency: read in one go, in this order.
//!
//! Facts are kept in pages, so that a million customers with a few purchases are a million rows, and one with
//! a hundred thousand purchases costs a new one no more than a short page.

use std::ops::ControlFlow;

use money::Currency;
use read_model::{Error, Rows, RowsMut, Table};
use retention_domain::Event;
use retention_domain::ledger::statement::{Fact, Standing, What};
use retention_domain::relationship::Relationship;
use runtime::Recorded;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::read_model::customers;

const PAGES: Table<(String, Uuid, u32), Vec<Kept>> = Table::new("equity");

/// How many facts a page holds.
const PAGE: usize = 32;
/// How many pages are read at a time.
const AT_ONCE: usize = 4_096;

/// A fact and its place in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) fact: Fact,
    /// What was paid, or (negative) paid back, in minor units.
    pub(crate) revenue: i64,
    pub(crate) recorded: Recorded,
}

/// Shows the facts of each customer of a currency, in the order in which they were recorded: customers by id,
/// from the first one behind `after`, until `each` breaks.
pub(crate) fn visit(
    rows: &dyn Rows,
    currency: Currency,
    after: Option<Uuid>,
    mut each: impl FnMut(Uuid, &[Kept]) -> ControlFlow<()>,
) -> Result<(), Error> {
    let code = currency.to_string();
    let mut at = after.map(|customer| (code.clone(), customer, u32::MAX));
    let mut of: Option<Uuid> = None;
    let mut facts: Vec<Kept> = Vec::new();
    loop {
        let pages = PAGES.scan(rows, &(code.clone(),), at.as_ref(), AT_ONCE)?;
        let Some((last, _)) = pages.last() else {
            break;
        };
        at = Some(last.clone());
        for ((_, customer, _), page) in pages {
            if of.is_some_and(|of| of != customer) {
                let flow = of.map_or(ControlFlow::Continue(()), |of| each(of, &facts));
                if flow.is_break() {
                    return Ok(());
                }
                facts.clear();
            }
            of = Some(customer);
            facts.extend(page);
        }
    }
    if let Some(of) = of {
        // Nobody comes after the last one: whether it breaks does not matter.
        let _ = each(of, &facts);
    }
    Ok(())
}

/// The facts of one customer, in the order in which they were recorded.
pub(crate) fn of_customer(
    rows: &dyn Rows,
    currency: Currency,
    id: Uuid,
) -> Result<Vec<Kept>, Error> {
    let pages = PAGES.scan(rows, &(currency.to_string(), id), None, usize::MAX)?;
    Ok(pages.into_iter().flat_map(|(_, page)| page).collect())
}

/// How a customer stands by the facts that count, on top of an empty standing.
pub(crate) fn standing(
    rows: &dyn Rows,
    (currency, id): (Currency, Uuid),
    mut standing: Standing,
    counts: impl Fn(&Kept) -> bool,
) -> Result<Standing, Error> {
    for kept in of_customer(rows, currency, id)? {
        if counts(&kept) {
            standing.take(&kept.fact);
        }
    }
    Ok(standing)
}

/// Keeps an event of a customer, if its value rests on it.
pub(crate) fn apply(
    rows: &mut dyn RowsMut,
    id: Uuid,
    event: &Event,
    recorded: Recorded,
) -> Result<(), Error> {
    let Some((currency, fact)) = fact_of(rows, id, event)? else {
        return Ok(());
    };
    let last = PAGES.scan_rev(rows, &(currency.to_string(), id), None, 1)?;
    let (number, mut page) = match last.into_iter().next() {
        None => (0, Vec::new()),
        Some(((_, _, number), page)) if page.len() < PAGE => (number, page),
        Some(((_, _, number), _)) => (number.saturating_add(1), Vec::new()),
    };
    page.push(Kept {
        fact,
        revenue: revenue(event),
        recorded,
    });
    PAGES.put(rows, &(currency.to_string(), id, number), &page)
}

/// The currencies in which there are facts.
pub(crate) fn currencies(rows: &dyn Rows) -> Result<Vec<Currency>, Error> {
    let mut found = Vec::new();
    let mut last = None;
    while let Some(((code, ..), _)) = PAGES.scan(rows, &(), last.as_ref(), 1)?.into_iter().next() {
        // Only codes of currencies are ever written.
        found.extend(code.parse::<Currency>());
        last = Some((code, Uuid::max(), u32::MAX));
    }
    Ok(found)
}

/// What was paid by an event, or (negative) paid back, in minor units.
fn revenue(event: &Event) -> i64 {
    if let Event::PurchaseRecorded(bought) = event {
        bought.amount.minor_units
    } else if let Event::PurchaseReversed(taken) = event {
        taken.amount.minor_units.saturating_neg()
    } else {
        0
    }
}

/// The fact in an event, and the currency of its customer.
fn fact_of(rows: &dyn Rows, id: Uuid, event: &Event) -> Result<Option<(Currency, Fact)>, Error> {
    let mut currency = None;
    let (at, what) = match event {
        Event::RelationshipOpened(opening) => {
            currency = Some(opening.currency);
            (opening.acquired_at, What::Opened)
        }
        Event::RelationshipLost(loss) => (loss.ended_at, What::Lost),
        Event::RelationshipWonBack { won_back_at } => (*won_back_at, What::WonBack),
        Event::NoticeGiven(notice) => (notice.notice_at, What::NoticeGiven),
        Event::NoticeWithdrawn { withdrawn_at } => (*withdrawn_at, What::NoticeWithdrawn),
        Event::PurchaseRecorded(recorded) => {
            currency = Some(recorded.amount.currency);
            let margin = recorded.contribution_margin.minor_units;
            (recorded.occurred_at, What::Bought { margin })
        }
        Event::PurchaseReversed(reversed) => {
            let Some(purchase) = customers::purchase(rows, id, &reversed.purchase_id)? else {
                return Ok(None);
            };
            currency = Some(reversed.amount.currency);
            let margin = reversed.contribution_margin.minor_units;
            let what = What::Reversed {
                margin,
                bought_at: purchase.occurred_at,
                purchase: Uuid::new_v5(&id, reversed.purchase_id.to_string().as_bytes()),
                paid: purchase.amount,
                amount: reversed.amount.minor_units,
                told_last: purchase.remaining() == 0,
            };
            (reversed.occurred_at, what)
        }
        Event::PromiseMade(_)
        | Event::PromiseKept(_)
        | Event::PromiseBroken(_)
        | Event::PromiseRepaired { .. }
        | Event::PromiseWaived { .. }
        | Event::ActionProposed(_)
        | Event::ActionCancelled { .. }
        | Event::PromiseOverdue(_)
        | Event::RiskChanged(_)
        | Event::OwnerAssigned(_)
        | Event::RecurringRevenueSet(_)
        | Event::ConsentChanged(_)
        | Event::ActionCompleted(_)
        | Event::Erased { .. }
        | Event::KeysDestroyed { .. } => return Ok(None),
    };
    let currency = match currency {
        Some(currency) => Some(currency),
        None => currency_of(rows, id)?,
    };
    Ok(currency.map(|currency| (currency, Fact { at, what })))
}

fn currency_of(rows: &dyn Rows, id: Uuid) -> Result<Option<Currency>, Error> {
    let state = customers::get(rows, id)?;
    let relationship: Option<Relationship> = state.and_then(|state| state.relationship);
    Ok(relationship.map(|relationship| relationship.currency))
}
