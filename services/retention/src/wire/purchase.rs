//! Purchases and their reversals.

use money::{Currency, Money};
use patron_proto::retention::v1 as proto;
use patron_proto::types::v1 as types;
use retention_domain::id::PurchaseId;
use retention_domain::purchase::{MarginSource, Purchase, Reversal};
use server::{Wrong, money, money_out, pairs, present, timestamp};

pairs!(margin_source_out, margin_source: MarginSource = proto::MarginSource {
    Given = Given, Default = Default,
});

/// An amount that must be there.
pub(crate) fn amount(field: &str, amount: Option<&types::Money>) -> Result<Money, Wrong> {
    money(field, present(field, amount)?)
}

/// An amount that may be left out.
pub(crate) fn optional_amount(
    field: &str,
    amount: Option<&types::Money>,
) -> Result<Option<Money>, Wrong> {
    amount.map(|amount| money(field, amount)).transpose()
}

/// A purchase and what was taken back of it.
pub(crate) fn purchase_out(
    id: &PurchaseId,
    purchase: &Purchase,
    currency: Currency,
) -> proto::Purchase {
    let amount = |minor_units| Some(money_out(Money::new(currency, minor_units)));
    let reversal = |reversal_id: String, reversal: &Reversal| proto::Reversal {
        reversal_id,
        amount: amount(reversal.amount),
        contribution_margin: amount(reversal.contribution_margin),
        occurred_at: Some(timestamp(reversal.occurred_at)),
        margin_source: margin_source_out(reversal.margin_source),
    };
    let reversals = purchase.reversals.iter();
    proto::Purchase {
        purchase_id: id.to_string(),
        amount: amount(purchase.amount),
        contribution_margin: amount(purchase.contribution_margin),
        margin_source: margin_source_out(purchase.margin_source),
        occurred_at: Some(timestamp(purchase.occurred_at)),
        reversals: reversals
            .map(|(id, taken)| reversal(id.to_string(), taken))
            .collect(),
    }
}
