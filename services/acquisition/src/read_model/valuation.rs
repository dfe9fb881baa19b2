//! What customers are valued with: the assumptions and models of retention's ledgers, as they are told.
//!
//! A ledger lies in one partition, so the order told is the order in which it was decided. Rows are only
//! added; a report takes the last that were known, whatever moment it is about.

use customer_value::bg_nbd::{self, Parameters};
use customer_value::gamma_gamma::{SpendModel, SpendParameters};
use customer_value::{Scorer, Simple, Unit};
use eventsourcing::Time;
use money::{Currency, Rate};
use read_model::{Error, Rows, RowsMut, Table};
use runtime::Recorded;
use serde::{Deserialize, Serialize};
use server::Known;

use super::customers::{Account, day};

/// By currency and the place among all that was told.
const ASSUMED: Table<(String, u64), Kept<Assumptions>> = Table::new("assumed");
const MODELS: Table<(String, u64), Kept<Model>> = Table::new("model");

/// The unit of time of the parameters of a model.
const UNIT: Unit = Unit::Weeks;
/// How many days that is.
pub(crate) const UNIT_DAYS: u32 = 7;

/// Something that was told, and where the journal took it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Kept<T> {
    recorded: Recorded,
    what: T,
}

/// How a customer's value is worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Method {
    Simple,
    MbgNbd,
}

/// What customers are valued with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Assumptions {
    pub(crate) method: Method,
    pub(crate) annual_retention_rate: Rate,
    pub(crate) annual_discount_rate: Rate,
    /// How far a model looks ahead.
    pub(crate) horizon_months: u32,
}

/// As long as nobody has set any.
impl Default for Assumptions {
    fn default() -> Self {
        Self {
            method: Method::Simple,
            annual_retention_rate: Rate::per_mille(750),
            annual_discount_rate: Rate::per_mille(250),
            horizon_months: 12,
        }
    }
}

/// A model that values may rest on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Model {
    pub(crate) number: u32,
    pub(crate) variant: Variant,
    /// r, alpha, a and b.
    pub(crate) purchases: [f64; 4],
    /// p, q and v.
    pub(crate) spend: [f64; 3],
}

/// Which model of purchases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Variant {
    BgNbd,
    MbgNbd,
}

impl Model {
    /// Nothing if the parameters are none.
    pub(crate) fn models(&self) -> Option<(bg_nbd::Model, SpendModel)> {
        let variant = match self.variant {
            Variant::BgNbd => bg_nbd::Variant::BgNbd,
            Variant::MbgNbd => bg_nbd::Variant::MbgNbd,
        };
        let [r, alpha, a, b] = self.purchases;
        let purchases = bg_nbd::Model::new(variant, Parameters { r, alpha, a, b })?;
        Some((purchases, self.spending()?))
    }

    fn spending(&self) -> Option<SpendModel> {
        let [p, q, v] = self.spend;
        SpendModel::new(SpendParameters { p, q, v })
    }
}

/// How a value was worked out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Basis {
    pub(crate) currency: Currency,
    /// The method is the one that was really used.
    pub(crate) assumptions: Assumptions,
    /// The number of the model, if one was used.
    pub(crate) model: Option<u32>,
}

/// What customers of a currency are valued with.
#[derive(Debug)]
pub(crate) struct Valuation {
    pub(crate) basis: Basis,
    scorer: Option<Scorer>,
}

impl Valuation {
    /// By what was last known of the ledger of a currency. The method is SIMPLE without a usable model.
    pub(crate) fn known(rows: &dyn Rows, currency: Currency, known: &Known) -> Result<Self, Error> {
        let mut assumptions = last(&ASSUMED, rows, currency, known)?.unwrap_or_default();
        let model = match assumptions.method {
            Method::Simple => None,
            Method::MbgNbd => last(&MODELS, rows, currency, known)?,
        };
        let used = model.and_then(|model| {
            let terms = (
                assumptions.horizon_months,
                assumptions.annual_discount_rate.to_f64(),
            );
            let scorer = Scorer::new(model.models()?, UNIT, terms, currency.decimals())?;
            Some((model.number, scorer))
        });
        if used.is_none() {
            assumptions.method = Method::Simple;
        }
        let (model, scorer) = used.unzip();
        let basis = Basis {
            currency,
            assumptions,
            model,
        };
        Ok(Self { basis, scorer })
    }

    /// What a customer who left this is worth at a moment, in minor units, as if it were active.
    pub(crate) fn value(&self, account: &Account, at: Time) -> i64 {
        let Some(scorer) = &self.scorer else {
            let simple = Simple {
                retention: self.basis.assumptions.annual_retention_rate,
                discount: self.basis.assumptions.annual_discount_rate,
            };
            return simple.value(account.trailing_margin(at));
        };
        // Nothing before the first purchase.
        let summary = account.days(at).as_of(day(at)).ok();
        let seen = summary.and_then(|summary| scorer.seen(&summary, day(at)));
        seen.map_or(0, |seen| scorer.value(&seen))
    }
}

fn last<T: Serialize + for<'de> Deserialize<'de>>(
    table: &Table<(String, u64), Kept<T>>,
    rows: &dyn Rows,
    currency: Currency,
    known: &Known,
) -> Result<Option<T>, Error> {
    let all = table.scan_rev(rows, &(currency.to_string(),), None, usize::MAX)?;
    let last = all
        .into_iter()
        .find(|(_, kept)| known.includes(&kept.recorded));
    Ok(last.map(|(_, kept)| kept.what))
}

/// Customers are valued with these from now on; `told` is the place among all that was told.
pub(crate) fn assume(
    rows: &mut dyn RowsMut,
    (currency, told): (Currency, u64),
    recorded: Recorded,
    what: Assumptions,
) -> Result<(), Error> {
    ASSUMED.put(
        rows,
        &(currency.to_string(), told),
        &Kept { recorded, what },
    )
}

/// A model was fitted that values may rest on.
pub(crate) fn fitted(
    rows: &mut dyn RowsMut,
    (currency, told): (Currency, u64),
    recorded: Recorded,
    what: Model,
) -> Result<(), Error> {
    MODELS.put(
        rows,
        &(currency.to_string(), told),
        &Kept { recorded, what },
    )
}
