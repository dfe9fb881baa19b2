//! What retention tells of its ledgers: what customers are valued with.

use bytes::Bytes;
use money::{Currency, Rate};
use patron_proto::retention::v1 as proto;
use patron_proto::retention::v1::{ModelFlag, PurchaseModel, ValueMethod};
use read_model::{Error, RowsMut};
use runtime::Recorded;
use server::{Wrong, present, resource_id};

use super::{Told, message};
use crate::read_model::valuation::{self, Assumptions, Method, Model, UNIT_DAYS, Variant};
use crate::wire::{small, small_out};

/// Something that was told of a ledger.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OfLedger {
    currency: Currency,
    what: What,
}

#[derive(Debug, Clone, PartialEq)]
enum What {
    Assumed(Assumptions),
    Fitted(Model),
    /// A guess does better than the model: no value rests on it.
    FittedInVain,
}

fn ledger(name: &str) -> Result<Currency, Wrong> {
    let [code] = resource_id("ledger", name, ["ledgers"])?;
    server::currency("ledger", code)
}

fn rate(field: &str, value: f64) -> Result<Rate, Wrong> {
    let what = "is no decimal with at most twelve places in [0, 1)";
    let rate = Rate::from_f64(value).filter(|rate| rate.is_below_one());
    rate.ok_or_else(|| Wrong::new(field, what))
}

pub(super) fn assumed(payload: &Bytes) -> Result<Told, Wrong> {
    let event: proto::AssumptionsSet = message(payload)?;
    let read = present("assumptions", event.assumptions)?;
    let method = match ValueMethod::try_from(read.method) {
        Ok(ValueMethod::Simple) => Method::Simple,
        Ok(ValueMethod::MbgNbd) => Method::MbgNbd,
        Ok(ValueMethod::Unspecified) | Err(_) => {
            return Err(Wrong::new(
                "assumptions.method",
                "is none of SIMPLE, MBG_NBD",
            ));
        }
    };
    Ok(Told::Ledger(OfLedger {
        currency: ledger(&event.ledger)?,
        what: What::Assumed(Assumptions {
            method,
            annual_retention_rate: rate(
                "assumptions.annual_retention_rate",
                read.annual_retention_rate,
            )?,
            annual_discount_rate: rate(
                "assumptions.annual_discount_rate",
                read.annual_discount_rate,
            )?,
            horizon_months: small("assumptions.horizon_months", read.horizon_months)?,
        }),
    }))
}

pub(super) fn fitted(payload: &Bytes) -> Result<Told, Wrong> {
    let event: proto::ModelFitted = message(payload)?;
    let currency = ledger(&event.ledger)?;
    let fit = present("fit", event.fit)?;
    if fit.flags.contains(&(ModelFlag::WorseThanNaive as i32)) {
        return Ok(Told::Ledger(OfLedger {
            currency,
            what: What::FittedInVain,
        }));
    }
    if fit.unit_days != small_out(UNIT_DAYS) {
        let what = "is another unit of time than this release knows";
        return Err(Wrong::new("fit.unit_days", what));
    }
    let purchases = present("fit.purchases", fit.purchases)?;
    let variant = match PurchaseModel::try_from(purchases.model) {
        Ok(PurchaseModel::BgNbd) => Variant::BgNbd,
        Ok(PurchaseModel::MbgNbd) => Variant::MbgNbd,
        Ok(PurchaseModel::Unspecified) | Err(_) => {
            let what = "is none of BG_NBD, MBG_NBD";
            return Err(Wrong::new("fit.purchases.model", what));
        }
    };
    let bought = present("fit.purchases.parameters", purchases.parameters)?;
    let spend = present("fit.spend", fit.spend)?;
    let spent = present("fit.spend.parameters", spend.parameters)?;
    let model = Model {
        number: small("number", event.number)?,
        variant,
        purchases: [bought.r, bought.alpha, bought.a, bought.b],
        spend: [spent.p, spent.q, spent.v],
    };
    if model.models().is_none() {
        let what = "is no model: parameters are above 0, and q is above 1";
        return Err(Wrong::new("fit", what));
    }
    Ok(Told::Ledger(OfLedger {
        currency,
        what: What::Fitted(model),
    }))
}

/// Folds what was told into the views; `told` is its place among all that was told.
pub(super) fn apply(
    rows: &mut dyn RowsMut,
    recorded: Recorded,
    told: u64,
    OfLedger { currency, what }: &OfLedger,
) -> Result<(), Error> {
    let of = (*currency, told);
    match what {
        What::Assumed(assumptions) => valuation::assume(rows, of, recorded, *assumptions),
        What::Fitted(model) => valuation::fitted(rows, of, recorded, *model),
        What::FittedInVain => Ok(()),
    }
}
