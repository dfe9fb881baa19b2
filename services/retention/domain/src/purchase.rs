//! What a customer bought, and what was taken back of it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use eventsourcing::Time;
use money::{Currency, Money, Rate};
use serde::{Deserialize, Serialize};

use crate::customer::{Customer, Event};
use crate::id::{PurchaseId, ReversalId};
use crate::input::{Invalid, When, minor_units};
use crate::margin;
use crate::refusal::{Refusal, Thing};
use crate::relationship::{FirstPurchase, Opening};

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

/// Records a purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPurchase {
    /// The id that the client chose.
    pub purchase_id: PurchaseId,
    /// What was paid; 0 for a free one.
    pub amount: Money,
    /// What it left after its own costs; left out, the default rate of the amount.
    pub contribution_margin: Option<Money>,
    /// The default margin rate in force now.
    pub default_margin_rate: Rate,
    /// When it happened.
    pub when: When,
}

/// Takes a purchase back, in whole or in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReversePurchase {
    /// Which purchase.
    pub purchase_id: PurchaseId,
    /// The id that the client chose.
    pub reversal_id: ReversalId,
    /// What is paid back; 0 only of a free purchase.
    pub amount: Money,
    /// The margin that goes with it; left out, its share of the purchase's margin.
    pub contribution_margin: Option<Money>,
    /// When it happened.
    pub when: When,
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

/// The purchase at the beginning of a relationship.
pub(crate) fn first(opening: &Opening, first: FirstPurchase) -> Result<Event, Refusal> {
    let FirstPurchase {
        purchase_id,
        amount,
        contribution_margin,
        default_margin_rate,
    } = first;
    let paid = paid("first_purchase.amount", amount, opening.currency)?;
    let (margin, margin_source) = margin::of_purchase(
        ("first_purchase.amount", paid),
        ("first_purchase.contribution_margin", contribution_margin),
        default_margin_rate,
        opening.currency,
    )?;
    Ok(Event::PurchaseRecorded(Recorded {
        purchase_id,
        amount,
        contribution_margin: Money::new(opening.currency, margin),
        margin_source,
        occurred_at: opening.acquired_at,
    }))
}

impl Customer {
    pub(crate) fn record_purchase(&self, command: RecordPurchase) -> Result<Vec<Event>, Refusal> {
        let relationship = self.opened()?;
        if let Some(known) = self.purchases.get(&command.purchase_id) {
            let same = command.repeats(known, relationship.currency);
            let taken = Refusal::AlreadyExists(Thing::Purchase(command.purchase_id));
            return if same { Ok(vec![]) } else { Err(taken) };
        }
        let RecordPurchase {
            purchase_id,
            amount,
            contribution_margin,
            ..
        } = command;
        let currency = relationship.currency;
        let paid = paid("amount", amount, currency)?;
        let (margin, margin_source) = margin::of_purchase(
            ("amount", paid),
            ("contribution_margin", contribution_margin),
            command.default_margin_rate,
            currency,
        )?;
        let acquired_at = relationship.acquired_at;
        let occurred_at = command.when.happened_since("occurred_at", acquired_at)?;
        if relationship
            .ended_at()
            .is_some_and(|ended_at| occurred_at > ended_at)
        {
            relationship.must_go_on()?;
        }
        if self.totals.purchases >= MAX_PURCHASES {
            return Err(Refusal::Limit {
                what: "purchases",
                limit: MAX_PURCHASES,
            });
        }
        Ok(vec![Event::PurchaseRecorded(Recorded {
            purchase_id,
            amount,
            contribution_margin: Money::new(currency, margin),
            margin_source,
            occurred_at,
        })])
    }

    pub(crate) fn reverse_purchase(&self, command: ReversePurchase) -> Result<Vec<Event>, Refusal> {
        let currency = self.opened()?.currency;
        let Some(purchase) = self.purchases.get(&command.purchase_id) else {
            return Err(Refusal::NotFound(Thing::Purchase(command.purchase_id)));
        };
        if let Some(known) = purchase.reversals.get(&command.reversal_id) {
            let same = command.repeats(known, currency);
            let taken = Refusal::AlreadyExists(Thing::Reversal(command.reversal_id));
            return if same { Ok(vec![]) } else { Err(taken) };
        }
        let ReversePurchase {
            purchase_id,
            reversal_id,
            amount,
            contribution_margin,
            when,
        } = command;
        let taken_back = taken_back(purchase, amount, currency)?;
        let occurred_at = when.happened_since("occurred_at", purchase.occurred_at)?;
        if taken_back > purchase.remaining() || purchase.is_reversed() {
            let remaining = Money::new(currency, purchase.remaining());
            return Err(Refusal::OverReversed {
                purchase_id,
                remaining,
            });
        }
        if purchase.reversals.len() >= MAX_REVERSALS as usize {
            let what = "reversals of this purchase";
            return Err(Refusal::Limit {
                what,
                limit: MAX_REVERSALS,
            });
        }
        let (margin, margin_source) =
            margin::of_reversal(purchase, taken_back, contribution_margin, currency)?;
        Ok(vec![Event::PurchaseReversed(Reversed {
            purchase_id,
            reversal_id,
            amount,
            contribution_margin: Money::new(currency, margin),
            margin_source,
            occurred_at,
        })])
    }

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
        self.totals.reversals = self.totals.reversals.saturating_add(1);
        self.totals
            .add(amount.saturating_neg(), margin.saturating_neg());
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

impl RecordPurchase {
    /// Whether it says again what was recorded. The rate in force may be another by now.
    fn repeats(&self, known: &Purchase, currency: Currency) -> bool {
        self.amount == Money::new(currency, known.amount)
            && says(
                self.contribution_margin,
                known.contribution_margin,
                known.margin_source,
                currency,
            )
            && self.when.may_mean(known.occurred_at)
    }
}

impl ReversePurchase {
    /// Whether it says again what was recorded.
    fn repeats(&self, known: &Reversal, currency: Currency) -> bool {
        self.amount == Money::new(currency, known.amount)
            && says(
                self.contribution_margin,
                known.contribution_margin,
                known.margin_source,
                currency,
            )
            && self.when.may_mean(known.occurred_at)
    }
}

/// Whether a margin, given or left out, is the one that was recorded.
fn says(given: Option<Money>, margin: i64, source: MarginSource, currency: Currency) -> bool {
    given.map_or(source == MarginSource::Default, |given| {
        source == MarginSource::Given && given == Money::new(currency, margin)
    })
}

/// The minor units that were paid.
fn paid(field: &'static str, amount: Money, currency: Currency) -> Result<i64, Invalid> {
    let paid = minor_units(field, amount, currency)?;
    if paid < 0 {
        return Err(Invalid::WrongSign {
            field,
            amount,
            wanted: "of 0 or more",
        });
    }
    Ok(paid)
}

/// The minor units that are paid back.
fn taken_back(purchase: &Purchase, amount: Money, currency: Currency) -> Result<i64, Invalid> {
    let field = "amount";
    let taken_back = minor_units(field, amount, currency)?;
    let nothing_of_something = taken_back == 0 && purchase.amount != 0;
    if taken_back < 0 || nothing_of_something {
        return Err(Invalid::WrongSign {
            field,
            amount,
            wanted: "above 0",
        });
    }
    Ok(taken_back)
}
