//! Models as protobuf has them: the same in the event and in the answers.

use money::Currency;
use patron_proto::retention::v1 as proto;
use retention_domain::ledger::model::{
    Fitted, Flag, Holdout, Model, PurchaseFit, Purchasing, SpendFit, Spending, Tenth, UNIT_DAYS,
    Variant,
};
use server::{Wrong, pairs, present, resource_id, timestamp};

use super::{small, small_out, time};

pairs!(variant_out, variant: Variant = proto::PurchaseModel {
    BgNbd = BgNbd, MbgNbd = MbgNbd,
});
pairs!(flag_out, flag: Flag = proto::ModelFlag {
    WorseThanNaive = WorseThanNaive, Provisional = Provisional, Weak = Weak,
    SpendDependsOnFrequency = SpendDependsOnFrequency, Biased = Biased, Stale = Stale,
});

/// The name of a model: `ledgers/{currency}/models/{model}`.
pub(crate) fn model_name(currency: Currency, number: u32) -> String {
    format!("ledgers/{currency}/models/{number}")
}

/// The name of a model, if there is one.
pub(crate) fn optional_name(currency: Currency, number: Option<u32>) -> String {
    number.map_or_else(String::new, |number| model_name(currency, number))
}

/// The currency and the number in `ledgers/{currency}/models/{model}`.
pub(crate) fn read_name(field: &str, name: &str) -> Result<(Currency, u32), Wrong> {
    let [code, text] = resource_id(field, name, ["ledgers", "models"])?;
    let number: u32 = server::parse(field, text)?;
    if number == 0 || number.to_string() != text {
        return Err(Wrong::new(field, "does not end with a number from 1 on"));
    }
    Ok((server::currency(field, code)?, number))
}

/// A model as clients see it; `stale` as of now.
pub(crate) fn model_out(currency: Currency, model: &Model, stale: bool) -> proto::Model {
    proto::Model {
        name: model_name(currency, model.number),
        fitted_at: Some(timestamp(model.fitted_at)),
        usable: model.fitted.is_usable(),
        stale,
        fit: Some(fit_out(model)),
    }
}

/// What a statement says of the model behind it.
pub(crate) fn statement_model(currency: Currency, model: &Model) -> proto::StatementModel {
    let fitted = &model.fitted;
    let holdout = fitted.holdout.as_ref().ok();
    proto::StatementModel {
        name: model_name(currency, model.number),
        as_of: Some(timestamp(fitted.as_of)),
        holdout_bias: holdout.and_then(|holdout| holdout.bias),
        band_rate: holdout.and_then(Holdout::band),
        flags: fitted.flags.iter().copied().map(flag_out).collect(),
    }
}

pub(crate) fn fit_out(model: &Model) -> proto::ModelFit {
    let fitted = &model.fitted;
    proto::ModelFit {
        as_of: Some(timestamp(fitted.as_of)),
        unit_days: small_out(UNIT_DAYS),
        purchases: Some(purchases_out(&fitted.purchases)),
        other: fitted.other.as_ref().ok().map(purchases_out),
        other_refused: fitted.other.as_ref().err().cloned().unwrap_or_default(),
        spend: Some(spend_out(&fitted.spend)),
        customers: count_out(fitted.customers),
        repeaters: count_out(fitted.repeaters),
        repeat_purchases: count_out(fitted.repeat_purchases),
        purchase_count: count_out(fitted.purchase_count),
        histogram_digest: fitted.histogram_digest.to_vec(),
        holdout: fitted.holdout.as_ref().ok().map(holdout_out),
        holdout_refused: fitted.holdout.as_ref().err().cloned().unwrap_or_default(),
        flags: fitted.flags.iter().copied().map(flag_out).collect(),
        cut: fitted.cut.clone(),
        algorithm: model.algorithm,
    }
}

/// What a fit came to, and by which rules.
pub(crate) fn fit(read: Option<&proto::ModelFit>) -> Result<(Fitted, u32), Wrong> {
    let read = present("fit", read)?;
    if read.unit_days != small_out(UNIT_DAYS) {
        let what = "is another unit of time than this release knows";
        return Err(Wrong::new("fit.unit_days", what));
    }
    let digest = read.histogram_digest.as_slice().try_into();
    let flags = read.flags.iter().map(|number| flag("fit.flags", *number));
    let other = match &read.other {
        Some(other) => Ok(purchases("fit.other", Some(other))?),
        None => Err(reason("fit.other_refused", &read.other_refused)?),
    };
    let checked = match &read.holdout {
        Some(checked) => Ok(holdout(checked)?),
        None => Err(reason("fit.holdout_refused", &read.holdout_refused)?),
    };
    let fitted = Fitted {
        as_of: time("fit.as_of", read.as_of.as_ref())?,
        purchases: purchases("fit.purchases", read.purchases.as_ref())?,
        other,
        spend: spend(read.spend.as_ref())?,
        customers: count("fit.customers", read.customers)?,
        repeaters: count("fit.repeaters", read.repeaters)?,
        repeat_purchases: count("fit.repeat_purchases", read.repeat_purchases)?,
        purchase_count: count("fit.purchase_count", read.purchase_count)?,
        histogram_digest: digest
            .map_err(|_| Wrong::new("fit.histogram_digest", "is not 32 bytes long"))?,
        holdout: checked,
        flags: flags.collect::<Result<_, Wrong>>()?,
        cut: read.cut.clone(),
    };
    if fitted.models().is_none() {
        let what = "is no model: parameters are above 0, and q is above 1";
        return Err(Wrong::new("fit", what));
    }
    Ok((fitted, read.algorithm))
}

pub(crate) fn purchases_out(fit: &PurchaseFit) -> proto::PurchaseFit {
    let four = |Purchasing { r, alpha, a, b }| proto::PurchaseParameters { r, alpha, a, b };
    proto::PurchaseFit {
        model: variant_out(fit.variant),
        parameters: Some(four(fit.parameters)),
        standard_errors: Some(four(fit.standard_errors)),
        log_likelihood: fit.log_likelihood,
        aic: fit.aic,
    }
}

fn purchases(field: &str, read: Option<&proto::PurchaseFit>) -> Result<PurchaseFit, Wrong> {
    let read = present(field, read)?;
    let four = |read: Option<&proto::PurchaseParameters>| {
        let proto::PurchaseParameters { r, alpha, a, b } = *present(field, read)?;
        Ok(Purchasing { r, alpha, a, b })
    };
    Ok(PurchaseFit {
        variant: variant(field, read.model)?,
        parameters: four(read.parameters.as_ref())?,
        standard_errors: four(read.standard_errors.as_ref())?,
        log_likelihood: read.log_likelihood,
        aic: read.aic,
    })
}

pub(crate) fn spend_out(fit: &SpendFit) -> proto::SpendFit {
    let three = |Spending { p, q, v }| proto::SpendParameters { p, q, v };
    proto::SpendFit {
        parameters: Some(three(fit.parameters)),
        standard_errors: Some(three(fit.standard_errors)),
        log_likelihood: fit.log_likelihood,
        aic: fit.aic,
        customers: count_out(fit.customers),
        spearman: fit.spearman,
    }
}

fn spend(read: Option<&proto::SpendFit>) -> Result<SpendFit, Wrong> {
    let field = "fit.spend";
    let read = present(field, read)?;
    let three = |read: Option<&proto::SpendParameters>| {
        let proto::SpendParameters { p, q, v } = *present(field, read)?;
        Ok(Spending { p, q, v })
    };
    Ok(SpendFit {
        parameters: three(read.parameters.as_ref())?,
        standard_errors: three(read.standard_errors.as_ref())?,
        log_likelihood: read.log_likelihood,
        aic: read.aic,
        customers: count(field, read.customers)?,
        spearman: read.spearman,
    })
}

fn holdout_out(holdout: &Holdout) -> proto::Holdout {
    proto::Holdout {
        as_of: Some(timestamp(holdout.as_of)),
        weeks: small_out(holdout.weeks),
        customers: count_out(holdout.customers),
        predicted: holdout.predicted,
        actual: count_out(holdout.actual),
        bias: holdout.bias,
        predicted_error: holdout.predicted_error,
        mae: holdout.mae,
        naive_mae: holdout.naive_mae,
        naive_total: holdout.naive_total,
        brier: holdout.brier,
        brier_base_rate: holdout.brier_base_rate,
        predicted_spend: holdout.predicted_spend,
        actual_spend: holdout.actual_spend,
        by_decile: holdout.by_decile.iter().map(tenth_out).collect(),
        p_buy_by_decile: holdout.p_buy_by_decile.iter().map(tenth_out).collect(),
    }
}

fn holdout(read: &proto::Holdout) -> Result<Holdout, Wrong> {
    let tenths = |read: &[proto::HoldoutDecile]| read.iter().map(tenth).collect::<Result<_, _>>();
    Ok(Holdout {
        as_of: time("fit.holdout.as_of", read.as_of.as_ref())?,
        weeks: small("fit.holdout.weeks", read.weeks)?,
        customers: count("fit.holdout.customers", read.customers)?,
        predicted: read.predicted,
        actual: count("fit.holdout.actual", read.actual)?,
        bias: read.bias,
        predicted_error: read.predicted_error,
        mae: read.mae,
        naive_mae: read.naive_mae,
        naive_total: read.naive_total,
        brier: read.brier,
        brier_base_rate: read.brier_base_rate,
        predicted_spend: read.predicted_spend,
        actual_spend: read.actual_spend,
        by_decile: tenths(&read.by_decile)?,
        p_buy_by_decile: tenths(&read.p_buy_by_decile)?,
    })
}

fn tenth_out(tenth: &Tenth) -> proto::HoldoutDecile {
    proto::HoldoutDecile {
        customers: count_out(tenth.customers),
        predicted: tenth.predicted,
        actual: tenth.actual,
    }
}

fn tenth(read: &proto::HoldoutDecile) -> Result<Tenth, Wrong> {
    Ok(Tenth {
        customers: count("fit.holdout.customers", read.customers)?,
        predicted: read.predicted,
        actual: read.actual,
    })
}

/// Why something is not there, which must be said.
fn reason(field: &str, read: &str) -> Result<String, Wrong> {
    if read.is_empty() {
        return Err(Wrong::new(field, "does not say why it is missing"));
    }
    Ok(read.to_owned())
}

fn count(field: &str, number: i64) -> Result<u64, Wrong> {
    u64::try_from(number).map_err(|_| Wrong::new(field, "must not be negative"))
}

fn count_out(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
