//! A purchase is recorded once, with a margin that is frozen from then on.

use money::{Currency, Money, Rate};

use crate::customer::{Customer, Event, told_again};
use crate::id::PurchaseId;
use crate::input::{When, not_negative};
use crate::margin;
use crate::purchase::{MAX_PURCHASES, Purchase, Recorded, says};
use crate::refusal::{Refusal, Thing};
use crate::relationship::Opening;

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

/// The purchase with which a customer became one. It happened at that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstPurchase {
    /// The id that the client chose.
    pub purchase_id: PurchaseId,
    /// What was paid.
    pub amount: Money,
    /// What it left after its own costs; left out, the default rate of the amount.
    pub contribution_margin: Option<Money>,
    /// The default margin rate in force now.
    pub default_margin_rate: Rate,
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

/// The purchase at the beginning of a relationship.
pub(crate) fn first(opening: &Opening, first: FirstPurchase) -> Result<Event, Refusal> {
    let FirstPurchase {
        purchase_id,
        amount,
        contribution_margin,
        default_margin_rate,
    } = first;
    let paid = not_negative("first_purchase.amount", amount, opening.currency)?;
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
            return told_again(same, Thing::Purchase(command.purchase_id));
        }
        let RecordPurchase {
            purchase_id,
            amount,
            contribution_margin,
            ..
        } = command;
        let currency = relationship.currency;
        let paid = not_negative("amount", amount, currency)?;
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
}
