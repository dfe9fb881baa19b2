//! A fitted model as a file: what `fit --json` writes and `score --model` reads.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use customer_value::bg_nbd::{Fit, Model, Parameters, Variant};
use customer_value::gamma_gamma::{SpendFit, SpendModel, SpendParameters};
use customer_value::{Refusal, Unit};
use serde::{Deserialize, Serialize};

/// r, alpha, a, b; alpha is per unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Four {
    r: f64,
    alpha: f64,
    a: f64,
    b: f64,
}

/// p, q, v; v is in major units of money.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Three {
    p: f64,
    q: f64,
    v: f64,
}

/// A fit of one of the two purchase models, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Candidate {
    #[serde(skip)]
    pub(super) variant: Variant,
    pub(super) model: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameters: Option<Four>,
    #[serde(skip_serializing_if = "Option::is_none")]
    standard_errors: Option<Four>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) log_likelihood: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) aic: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<String>,
}

/// A fit of the spend model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Spend {
    model: &'static str,
    parameters: Three,
    standard_errors: Three,
    log_likelihood: f64,
    aic: f64,
    n: u64,
    pearson: Option<f64>,
    spearman: Option<f64>,
    population_mean: f64,
}

impl From<Parameters> for Four {
    fn from(Parameters { r, alpha, a, b }: Parameters) -> Self {
        Self { r, alpha, a, b }
    }
}

impl From<SpendParameters> for Three {
    fn from(SpendParameters { p, q, v }: SpendParameters) -> Self {
        Self { p, q, v }
    }
}

impl Candidate {
    pub(super) fn of(variant: Variant, fit: &Result<Fit, Refusal>) -> Self {
        let known = fit.as_ref().ok();
        Self {
            variant,
            model: variant.name(),
            parameters: known.map(|fit| fit.model.parameters().into()),
            standard_errors: known.map(|fit| fit.standard_errors.into()),
            log_likelihood: known.map(|fit| fit.log_likelihood),
            aic: known.map(|fit| fit.aic),
            refused: fit.as_ref().err().map(Refusal::to_string),
        }
    }
}

impl Spend {
    pub(super) fn of(fit: &SpendFit) -> Self {
        Self {
            model: "gammagamma",
            parameters: fit.model.parameters().into(),
            standard_errors: fit.standard_errors.into(),
            log_likelihood: fit.log_likelihood,
            aic: fit.aic,
            n: fit.customers,
            pearson: fit.pearson,
            spearman: fit.spearman,
            population_mean: fit.model.population_mean(),
        }
    }
}

/// A model that can score.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scorer {
    pub(super) model: Model,
    pub(super) spend: Option<SpendModel>,
    pub(super) unit: Unit,
    /// Whether it did better than a guess when it was checked; a file may not say.
    pub(super) is_usable: bool,
}

/// The part of a file that scoring needs.
#[derive(Debug, Deserialize)]
struct Stored {
    model: String,
    parameters: Four,
    time_unit: String,
    spend: Option<StoredSpend>,
    usable_for_value: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct StoredSpend {
    parameters: Three,
}

impl Scorer {
    /// Reads a file that `fit --json` wrote, or one that has the same keys.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("reading {}", path.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let stored: Stored = serde_json::from_str(text)?;
        let variant = match stored.model.as_str() {
            "bgnbd" => Variant::BgNbd,
            "mbgnbd" => Variant::MbgNbd,
            other => bail!("model {other:?} is neither bgnbd nor mbgnbd"),
        };
        let unit = match stored.time_unit.as_str() {
            "week" => Unit::Weeks,
            "day" => Unit::Days,
            other => bail!("time_unit {other:?} is neither week nor day"),
        };
        let Four { r, alpha, a, b } = stored.parameters;
        let model = Model::new(variant, Parameters { r, alpha, a, b })
            .ok_or_else(|| anyhow!("the parameters must be positive"))?;
        let spend = stored.spend.map(
            |StoredSpend {
                 parameters: Three { p, q, v },
             }| {
                SpendModel::new(SpendParameters { p, q, v }).ok_or_else(|| {
                    anyhow!("the parameters of spend must be positive, and q above 1")
                })
            },
        );
        Ok(Self {
            model,
            spend: spend.transpose()?,
            unit,
            is_usable: stored.usable_for_value.unwrap_or(true),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Scorer;

    #[test]
    fn a_model_file_needs_its_parameters_and_its_unit() {
        let file = |model: &str, a: f64, q: f64| {
            format!(
                r#"{{"model":"{model}","parameters":{{"r":0.2,"alpha":4.0,"a":{a},"b":2.0}},"time_unit":"week",
                "spend":{{"parameters":{{"p":6.0,"q":{q},"v":15.0}}}},"n":7}}"#
            )
        };
        let good = file("mbgnbd", 0.8, 3.7);
        assert!(Scorer::parse(&good).unwrap().is_usable);
        let worse = good.replace("\"n\":7", "\"usable_for_value\":false");
        assert!(!Scorer::parse(&worse).unwrap().is_usable);
        for (model, a, q) in [
            ("pareto", 0.8, 3.7),
            ("bgnbd", 0.0, 3.7),
            ("bgnbd", 0.8, 1.0),
        ] {
            assert!(Scorer::parse(&file(model, a, q)).is_err());
        }
    }
}
