//! A model as shops have them.

use retention_domain::ledger::Model;
use retention_domain::ledger::model::{
    Fitted, Flag, Holdout, PurchaseFit, Purchasing, SpendFit, Spending, Tenth, Variant,
};

use super::day;

/// Each number has other parameters.
pub(crate) fn model(number: u32) -> Model {
    Model {
        number,
        fitted_at: day(201),
        algorithm: 1,
        fitted: Fitted {
            as_of: day(200),
            purchases: purchases(Variant::MbgNbd, 0.5 + f64::from(number) / 8.0),
            other: Ok(purchases(Variant::BgNbd, 0.25)),
            spend: spend(),
            customers: 2_357,
            repeaters: 946,
            repeat_purchases: 2_457,
            purchase_count: 4_814,
            histogram_digest: std::array::from_fn(|i| u8::try_from(i).unwrap()),
            holdout: Ok(holdout()),
            flags: vec![Flag::Provisional, Flag::Biased],
            cut: [(0, 17), (11, 300)].into_iter().collect(),
        },
    }
}

fn purchases(variant: Variant, r: f64) -> PurchaseFit {
    PurchaseFit {
        variant,
        parameters: Purchasing {
            r,
            alpha: 6.125,
            a: 0.875,
            b: 1.5,
        },
        standard_errors: Purchasing {
            r: 0.0625,
            alpha: 0.75,
            a: 0.125,
            b: 0.5,
        },
        log_likelihood: -9_582.125,
        aic: 19_172.25,
    }
}

fn spend() -> SpendFit {
    SpendFit {
        parameters: Spending {
            p: 6.25,
            q: 3.75,
            v: 15.5,
        },
        standard_errors: Spending {
            p: 1.25,
            q: 0.25,
            v: 4.125,
        },
        log_likelihood: -4_058.5,
        aic: 8_123.0,
        customers: 946,
        spearman: Some(-0.125),
    }
}

fn holdout() -> Holdout {
    let tenth = |predicted| Tenth {
        customers: 235,
        predicted,
        actual: 321.0,
    };
    Holdout {
        as_of: day(109),
        weeks: 13,
        customers: 2_357,
        predicted: 695.5,
        actual: 711,
        bias: Some(-0.0625),
        predicted_error: 31.25,
        mae: 0.375,
        naive_mae: 0.5,
        naive_total: 900.25,
        brier: 0.125,
        brier_base_rate: 0.1875,
        predicted_spend: Some(24_460.5),
        actual_spend: 25_000.25,
        by_decile: vec![tenth(310.5), tenth(12.25)],
        p_buy_by_decile: vec![tenth(0.75)],
    }
}
