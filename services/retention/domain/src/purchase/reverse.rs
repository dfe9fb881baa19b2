//! A purchase is taken back, at once or bit by bit, and never more of it than there was.

use money::{Currency, Money};

use crate::customer::{Customer, Event, told_again};
use crate::id::{PurchaseId, ReversalId};
use crate::input::{Invalid, When, minor_units};
use crate::margin;
use crate::purchase::{MAX_REVERSALS, Purchase, Reversal, Reversed, says};
use crate::refusal::{Refusal, Thing};

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

impl Customer {
    pub(crate) fn reverse_purchase(&self, command: ReversePurchase) -> Result<Vec<Event>, Refusal> {
        let currency = self.opened()?.currency;
        let Some(purchase) = self.purchases.get(&command.purchase_id) else {
            return Err(Refusal::NotFound(Thing::Purchase(command.purchase_id)));
        };
        if let Some(known) = purchase.reversals.get(&command.reversal_id) {
            let same = command.repeats(known, currency);
            return told_again(same, Thing::Reversal(command.reversal_id));
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
