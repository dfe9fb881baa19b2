//! What a customer bought, and what was taken back of it.

mod record;
mod reverse;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use eventsourcing::Time;
use money::{Currency, Money};
use serde::{Deserialize, Serialize};

use crate::customer::Customer;
use crate::id::{PurchaseId, ReversalId};

pub(crate) use record::first;
pub use record::{FirstPurchase, RecordPurchase};
pub use reverse::ReversePurchase;

/// How many purchases a customer may have.
pub const MAX_PURCHASES: u32 = 100_000;
/// How many reversals a purchase may have.
pub const MAX_REVERSALS: u32 = 100;

/// Where a contribution margin comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MarginSource {
    /// It was given.
    Given,
    /// It was worked out by default, and is frozen since.
    Default,
}

/// A purchase. Amounts are minor units of the customer's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase {
    /// What was paid; 0 for a free one.
    pub amount: i64,
    /// What it left after its own costs; negative when it cost more than it brought.
    pub contribution_margin: i64,
    /// Where that margin comes from.
    pub margin_source: MarginSource,
    /// When it happened.
    pub occurred_at: Time,
    /// What was taken back of it.
    pub reversals: BTreeMap<ReversalId, Reversal>,
    /// The sum of the reversals' amounts.
    pub amount_reversed: i64,
    /// The sum of the reversals' margins.
    pub margin_reversed: i64,
}

/// A part of a purchase that was taken back. Amounts are minor units of the customer's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversal {
    /// What was paid back.
    pub amount: i64,
    /// The margin that went with it.
    pub contribution_margin: i64,
    /// Where that margin comes from.
    pub margin_source: MarginSource,
    /// When it happened.
    pub occurred_at: Time,
}

/// A customer's purchases in total, over all time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// How many purchases there are.
    pub purchases: u32,
    /// How many reversals there are.
    pub reversals: u32,
    /// Amounts less what was reversed, in minor units of the customer's currency.
    pub revenue: i64,
    /// Margins less what was reversed, in minor units of the customer's currency.
    pub contribution_margin: i64,
    /// When the latest purchase happened.
    pub last_purchase_at: Option<Time>,
    /// When the latest reversal happened.
    pub last_reversal_at: Option<Time>,
}

/// That something was bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The id of the purchase.
    pub purchase_id: PurchaseId,
    /// What was paid; 0 for a free purchase.
    pub amount: Money,
    /// What it left after its own costs.
    pub contribution_margin: Money,
    /// Where that margin comes from.
    pub margin_source: MarginSource,
    /// When it happened.
    pub occurred_at: Time,
}

/// That a purchase was taken back, in whole or in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversed {
    /// Which purchase.
    pub purchase_id: PurchaseId,
    /// The id of the reversal.
    pub reversal_id: ReversalId,
    /// What was paid back.
    pub amount: Money,
    /// The margin that went with it.
    pub contribution_margin: Money,
    /// Where that margin comes from.
    pub margin_source: MarginSource,
    /// When it happened.
    pub occurred_at: Time,
}

impl Purchase {
    /// What is left of its amount.
    pub const fn remaining(&self) -> i64 {
        self.amount.saturating_sub(self.amount_reversed)
    }

    /// Whether nothing is left to reverse. A free purchase is reversed once, for the sake of its margin.
    fn is_reversed(&self) -> bool {
        self.remaining() <= 0 && !self.reversals.is_empty()
    }
}

impl Customer {
    pub(crate) fn purchase_recorded(&mut self, recorded: &Recorded) {
        let purchase = Purchase {
            amount: recorded.amount.minor_units,
            contribution_margin: recorded.contribution_margin.minor_units,
            margin_source: recorded.margin_source,
            occurred_at: recorded.occurred_at,
            reversals: BTreeMap::new(),
            amount_reversed: 0,
            margin_reversed: 0,
        };
        let totals = &mut self.totals;
        totals.purchases = totals.purchases.saturating_add(1);
        totals.last_purchase_at = totals.last_purchase_at.max(Some(purchase.occurred_at));
        totals.add(purchase.amount, purchase.contribution_margin);
        self.purchases
            .insert(recorded.purchase_id.clone(), purchase);
    }

    pub(crate) fn purchase_reversed(&mut self, reversed: &Reversed) {
        let reversal = Reversal {
            amount: reversed.amount.minor_units,
            contribution_margin: reversed.contribution_margin.minor_units,
            margin_source: reversed.margin_source,
            occurred_at: reversed.occurred_at,
        };
        let (amount, margin) = (reversal.amount, reversal.contribution_margin);
        let totals = &mut self.totals;
        totals.reversals = totals.reversals.saturating_add(1);
        totals.last_reversal_at = totals.last_reversal_at.max(Some(reversal.occurred_at));
        totals.add(amount.saturating_neg(), margin.saturating_neg());
        if let Some(purchase) = self.purchases.get_mut(&reversed.purchase_id) {
            purchase.amount_reversed = purchase.amount_reversed.saturating_add(amount);
            purchase.margin_reversed = purchase.margin_reversed.saturating_add(margin);
            purchase
                .reversals
                .insert(reversed.reversal_id.clone(), reversal);
        }
    }
}

impl Totals {
    fn add(&mut self, amount: i64, margin: i64) {
        self.revenue = self.revenue.saturating_add(amount);
        self.contribution_margin = self.contribution_margin.saturating_add(margin);
    }
}

/// Whether a margin, given or left out, is the one that was recorded.
fn says(given: Option<Money>, margin: i64, source: MarginSource, currency: Currency) -> bool {
    given.map_or(source == MarginSource::Default, |given| {
        source == MarginSource::Given && given == Money::new(currency, margin)
    })
}
