//! A8: contracts.

use customer_value::sbg::Contracts;

use crate::support::{close, number, table, whole};

/// The counts of survivors of the published cohort: 7 periods to fit, 5 to compare with.
fn survivors() -> Vec<u64> {
    table("given_sbg_highend")
        .iter()
        .filter(|row| row["kind"] == "survival")
        .map(|row| whole(row, "observed_customers"))
        .collect()
}

#[test]
fn a8_the_published_cohort_is_reproduced() {
    let mut contracts = Contracts::default();
    contracts.add_cohort(&survivors()[..8]).unwrap();
    let fit = contracts.fit().unwrap();
    for row in table("given_sbg_highend") {
        let (value, aux) = (number(&row, "value"), row["aux"].parse().unwrap_or(0.0));
        match (row["kind"].as_str(), row["index"].as_str()) {
            ("param", "alpha") => {
                close("alpha", fit.alpha, value, 1e-6);
                close("error of alpha", fit.standard_errors.0, aux, 1e-6);
            }
            ("param", "beta") => {
                close("beta", fit.beta, value, 1e-6);
                close("error of beta", fit.standard_errors.1, aux, 1e-6);
            }
            ("param", _) => close("log-likelihood", fit.log_likelihood, value, 1e-9),
            ("survival", period) => {
                let period = period.parse().unwrap();
                close("survival", fit.survival(period), value, 1e-6);
                if period > 0 {
                    close("retention", fit.retention(period), aux, 1e-6);
                }
            }
            (_, n) => {
                let residual = fit.residual_periods(n.parse().unwrap(), 0.15).unwrap();
                close("residual", residual, value, 1e-6);
                close(
                    "residual with the current period",
                    1.0 + residual,
                    aux,
                    1e-6,
                );
            }
        }
    }
}

#[test]
fn a8_pooled_cohorts_add() {
    let whole = survivors();
    let half: Vec<u64> = whole.iter().map(|count| count / 2).collect();
    let other: Vec<u64> = whole.iter().zip(&half).map(|(a, b)| a - b).collect();
    let (mut once, mut pooled, mut merged) = (
        Contracts::default(),
        Contracts::default(),
        Contracts::default(),
    );
    once.add_cohort(&whole).unwrap();
    pooled.add_cohort(&half).unwrap();
    // The second cohort is younger: it has been seen for fewer periods.
    merged.add_cohort(&other).unwrap();
    pooled.merge(&merged);
    assert_eq!(pooled.fit().unwrap(), once.fit().unwrap());
}
