//! Purchases that come without a margin get the default of their ledger, as it is in force when they are recorded.

use money::{Currency, Rate};
use read_model::{Error, Rows};
use retention_domain::Command;
use retention_domain::ledger::Assumptions;

use crate::read_model::equity::books;

/// What a command is made with, before it is known which ledger it concerns.
pub(crate) fn before_any() -> Rate {
    Assumptions::default().default_margin_rate
}

/// Gives a command the default margin rate of the ledger of its currency.
///
/// The ledger is another aggregate, so a rate that is being set at this moment may be seen a little later. What
/// was recorded with the purchase stays.
pub(crate) fn put_in_force(rows: &dyn Rows, command: &mut Command) -> Result<(), Error> {
    if let Command::RecordPurchase(purchase) = command {
        set(
            rows,
            purchase.amount.currency,
            &mut purchase.default_margin_rate,
        )?;
    } else if let Command::OpenRelationship(open) = command
        && let Some(first) = &mut open.first_purchase
    {
        set(rows, open.opening.currency, &mut first.default_margin_rate)?;
    }
    Ok(())
}

fn set(rows: &dyn Rows, currency: Currency, rate: &mut Rate) -> Result<(), Error> {
    *rate = books::in_force(rows, currency)?.default_margin_rate;
    Ok(())
}
