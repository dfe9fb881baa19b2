//! A model of who still buys, how often and for how much, fitted to the customers of a ledger.
//!
//! A fit is a decision and so an event: what is recorded is all that a value ever needs of it, so that no
//! replica fits again. Models are numbered within their ledger, from 1 on.

use customer_value::bg_nbd::{self, Parameters};
use customer_value::gamma_gamma::{SpendModel, SpendParameters};
use customer_value::{Unit, quality};
use eventsourcing::Time;
use serde::{Deserialize, Serialize};

use super::{Cut, Event, Ledger, Refusal};

/// The version of the rules by which models are fitted and checked. Another one is another number.
pub const FIT_ALGORITHM: u32 = 2;
/// The unit of time of a model's parameters.
pub const UNIT: Unit = Unit::Weeks;
/// How many days that is.
pub const UNIT_DAYS: u32 = 7;
/// The longest period that a fit may be checked on, in weeks.
pub const MAX_HOLDOUT_WEEKS: u32 = 104;

/// Which of the two models of purchases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Variant {
    /// A customer may leave after each repeat purchase.
    BgNbd,
    /// A customer may also leave right after the first one.
    MbgNbd,
}

/// r, alpha, a and b of a model of purchases; alpha is per unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Purchasing {
    /// Shape of the purchase rates.
    pub r: f64,
    /// Rate of the purchase rates.
    pub alpha: f64,
    /// First shape of the dropout probabilities.
    pub a: f64,
    /// Second shape of the dropout probabilities.
    pub b: f64,
}

/// p, q and v of the model of spend; v is in major units of money.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spending {
    /// Shape of a customer's spends.
    pub p: f64,
    /// Shape of the rates over customers.
    pub q: f64,
    /// Rate of the rates.
    pub v: f64,
}

/// A fitted model of purchases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PurchaseFit {
    /// Which.
    pub variant: Variant,
    /// At the maximum likelihood.
    pub parameters: Purchasing,
    /// Of each parameter.
    pub standard_errors: Purchasing,
    /// Without the terms that do not depend on parameters.
    pub log_likelihood: f64,
    /// The model with the lower one is used.
    pub aic: f64,
}

/// A fitted model of spend: contribution margin per purchase day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SpendFit {
    /// At the maximum likelihood.
    pub parameters: Spending,
    /// Of each parameter.
    pub standard_errors: Spending,
    /// Of the mean spends.
    pub log_likelihood: f64,
    /// `6 - 2 log_likelihood`.
    pub aic: f64,
    /// How many customers with positive repeat spend it rests on.
    pub customers: u64,
    /// Rank correlation of frequency and spend; absent when either is constant.
    pub spearman: Option<f64>,
}

/// A tenth of the customers, from the highest expectation to the lowest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tenth {
    /// How many customers.
    pub customers: u64,
    /// What was expected.
    pub predicted: f64,
    /// What came.
    pub actual: f64,
}

/// How wrong the model would have been: fitted some weeks earlier, compared with what came. Purchases are
/// purchase days.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Holdout {
    /// The last moment that the model knew.
    pub as_of: Time,
    /// How many weeks followed.
    pub weeks: u32,
    /// How many customers were followed.
    pub customers: u64,
    /// Purchases expected in all.
    pub predicted: f64,
    /// Purchases that came.
    pub actual: u64,
    /// `predicted/actual - 1`; absent when nothing came.
    pub bias: Option<f64>,
    /// The standard error of `predicted` from the parameters' alone.
    pub predicted_error: f64,
    /// Mean absolute error per customer.
    pub mae: f64,
    /// The same of "everybody goes on at the same rate".
    pub naive_mae: f64,
    /// What "everybody goes on at the same rate" expects in all.
    pub naive_total: f64,
    /// Brier score of the chance to buy.
    pub brier: f64,
    /// The Brier score of giving everybody the share that bought.
    pub brier_base_rate: f64,
    /// Margin expected, in major units; absent without a model of spend for then.
    pub predicted_spend: Option<f64>,
    /// Margin that came, in major units.
    pub actual_spend: f64,
    /// Expected and actual purchases in all, by tenths of expected purchases.
    pub by_decile: Vec<Tenth>,
    /// Mean chance to buy and the share that bought, by tenths of the chance.
    pub p_buy_by_decile: Vec<Tenth>,
}

/// A caution that goes with a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Flag {
    /// "Everybody goes on at the same rate" did better: never used for value.
    WorseThanNaive,
    /// Fewer than 300 customers came back.
    Provisional,
    /// A parameter's standard error is larger than the parameter.
    Weak,
    /// How much customers spend goes with how often they buy.
    SpendDependsOnFrequency,
    /// The total of the check was wrong by more than 15 %.
    Biased,
    /// Fitted too long ago, or too much has been bought since. Never recorded: it comes with time.
    Stale,
}

/// What a fit came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fitted {
    /// Purchases up to here, included, were taken into account.
    pub as_of: Time,
    /// The model of purchases with the lower AIC.
    pub purchases: PurchaseFit,
    /// The other one, or the reason why there is none.
    pub other: Result<PurchaseFit, String>,
    /// The model of spend.
    pub spend: SpendFit,
    /// How many customers it rests on.
    pub customers: u64,
    /// How many of them came back.
    pub repeaters: u64,
    /// Purchase days after the first of each customer.
    pub repeat_purchases: u64,
    /// Purchases that were taken into account.
    pub purchase_count: u64,
    /// BLAKE3 over the histograms that it was fitted to.
    pub histogram_digest: [u8; 32],
    /// How wrong it would have been, or the reason why that is not known.
    pub holdout: Result<Holdout, String>,
    /// What to know before it is used.
    pub flags: Vec<Flag>,
    /// Facts recorded before this were taken into account, and no others.
    pub cut: Cut,
}

/// A model that was recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Its number within the ledger.
    pub number: u32,
    /// When it was fitted.
    pub fitted_at: Time,
    /// By which rules.
    pub algorithm: u32,
    /// What came out.
    pub fitted: Fitted,
}

/// Why a model was not fitted, with what there was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfitted {
    /// Why.
    pub why: customer_value::Refusal,
    /// As of when.
    pub as_of: Time,
    /// How many customers there were.
    pub customers: u64,
    /// How many of them had come back.
    pub repeaters: u64,
}

/// Fits a model; the mathematics is done already.
#[derive(Debug, Clone, PartialEq)]
pub struct FitModel {
    /// What came out.
    pub fitted: Result<Box<Fitted>, Unfitted>,
    /// The present.
    pub now: Time,
}

impl Fitted {
    /// Whether it may be used for value.
    pub fn is_usable(&self) -> bool {
        !self.flags.contains(&Flag::WorseThanNaive)
    }

    /// Whether it is stale at a moment, when so many purchases are known.
    pub fn is_stale(&self, at: Time, purchases: u64) -> bool {
        let (fitted, today) = (day(self.as_of), day(at));
        quality::is_stale(fitted, today, self.purchase_count, purchases)
    }

    /// The flags at a moment, when so many purchases are known.
    pub fn flags_at(&self, at: Time, purchases: u64) -> Vec<Flag> {
        let stale = self.is_stale(at, purchases).then_some(Flag::Stale);
        self.flags.iter().copied().chain(stale).collect()
    }

    /// The models of purchases and spend; nothing if the parameters are none, which none that was fitted has.
    pub fn models(&self) -> Option<(bg_nbd::Model, SpendModel)> {
        let Purchasing { r, alpha, a, b } = self.purchases.parameters;
        let Spending { p, q, v } = self.spend.parameters;
        let variant = match self.purchases.variant {
            Variant::BgNbd => bg_nbd::Variant::BgNbd,
            Variant::MbgNbd => bg_nbd::Variant::MbgNbd,
        };
        let purchases = bg_nbd::Model::new(variant, Parameters { r, alpha, a, b })?;
        Some((purchases, SpendModel::new(SpendParameters { p, q, v })?))
    }
}

impl Holdout {
    /// How far the next total may be off: by as much as this one was, and by what the parameters do not
    /// tell. Absent when nothing came.
    pub fn band(&self) -> Option<f64> {
        let unsure = self.predicted_error / self.predicted;
        Some(self.bias?.abs() + unsure).filter(|band| band.is_finite())
    }
}

impl Flag {
    /// The name that answers use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WorseThanNaive => quality::Flag::WorseThanNaive,
            Self::Provisional => quality::Flag::Provisional,
            Self::Weak => quality::Flag::Weak,
            Self::SpendDependsOnFrequency => quality::Flag::SpendDependsOnFrequency,
            Self::Biased => quality::Flag::Biased,
            Self::Stale => quality::Flag::Stale,
        }
        .name()
    }
}

impl From<quality::Flag> for Flag {
    fn from(flag: quality::Flag) -> Self {
        match flag {
            quality::Flag::WorseThanNaive => Self::WorseThanNaive,
            quality::Flag::Provisional => Self::Provisional,
            quality::Flag::Weak => Self::Weak,
            quality::Flag::SpendDependsOnFrequency => Self::SpendDependsOnFrequency,
            quality::Flag::Biased => Self::Biased,
            quality::Flag::Stale => Self::Stale,
        }
    }
}

impl Ledger {
    /// Whether a model could be fitted as of this moment and checked on so many weeks.
    pub fn may_fit(as_of: Time, weeks: u32, now: Time) -> Result<(), Refusal> {
        if as_of > now {
            return Err(Refusal::FitAhead { as_of, now });
        }
        if !(1..=MAX_HOLDOUT_WEEKS).contains(&weeks) {
            return Err(Refusal::OutOfRange {
                field: "holdout_weeks",
                value: weeks,
                max: MAX_HOLDOUT_WEEKS,
            });
        }
        Ok(())
    }

    pub(super) fn fit_model(&self, command: FitModel) -> Result<Vec<Event>, Refusal> {
        let fitted = command.fitted.map_err(Refusal::Unfitted)?;
        Ok(vec![Event::ModelFitted(Box::new(Model {
            number: self.models.saturating_add(1),
            fitted_at: command.now,
            algorithm: FIT_ALGORITHM,
            fitted: *fitted,
        }))])
    }

    pub(super) fn model_fitted(&mut self, model: &Model) {
        self.models = model.number;
        if model.fitted.is_usable() {
            self.usable_model = Some(model.number);
        }
    }
}

/// The UTC day of a moment, in the numbers that models count with.
pub(crate) fn day(at: Time) -> i32 {
    let day = at.day();
    i32::try_from(day).unwrap_or(if day < 0 { i32::MIN } else { i32::MAX })
}

#[cfg(test)]
pub(crate) mod tests;
