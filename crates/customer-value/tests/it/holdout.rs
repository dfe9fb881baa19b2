//! A7: CDNOW fitted on 39 weeks and compared with the 39 weeks after.

use customer_value::bg_nbd::{Fit, Variant, fit};
use customer_value::holdout::{Followed, Horizon, Report, report};
use customer_value::quality::{Flag, flags};
use customer_value::{Terms, Unit, calibration, gamma_gamma};

use crate::spend::{cdnow_spend, published_spend};
use crate::support::{AS_OF, Row, cdnow_histories, cdnow_sample, close, day, number, table, whole};

const TOLERANCE: f64 = 1e-6;

fn major(minor: i64) -> f64 {
    f64::from(i32::try_from(minor).unwrap()) / 100.0
}

fn followed() -> Vec<Followed> {
    let (as_of, end) = (day(AS_OF), day("1998-06-30"));
    cdnow_histories()
        .values()
        .map(|days| {
            let summary = days.as_of(as_of).unwrap();
            let later = days.between(as_of, end);
            Followed {
                cell: summary.cell,
                repeat_spend: major(summary.repeat_spend_minor),
                later: later.map(|(day, amount)| (day, major(amount))).collect(),
            }
        })
        .collect()
}

fn cdnow() -> (Fit, Report) {
    let fit = fit(&cdnow_sample(), Variant::BgNbd, 1).unwrap();
    let horizon = Horizon {
        as_of: day(AS_OF),
        weeks: 39,
        unit: Unit::Weeks,
    };
    let report = report(&fit, Some(&published_spend()), &followed(), horizon).unwrap();
    (fit, report)
}

fn rows(name: &str, count: usize) -> Vec<Row> {
    let rows = table(name);
    assert_eq!(rows.len(), count, "{name}");
    rows
}

#[test]
fn a7_the_holdout_tables_are_the_published_ones() {
    let (_, report) = cdnow();
    for (row, week) in rows("given_holdout_weekly", 39).iter().zip(&report.weekly) {
        close(
            "week",
            week.predicted,
            number(row, "predicted_cumulative"),
            TOLERANCE,
        );
        assert_eq!(week.actual, whole(row, "actual_cumulative"));
    }
    for (row, class) in rows("given_holdout_by_frequency", 8)
        .iter()
        .zip(&report.by_frequency)
    {
        assert_eq!(class.customers, whole(row, "customers"));
        close(
            "mean",
            class.predicted_mean,
            number(row, "predicted_mean"),
            TOLERANCE,
        );
        close(
            "mean",
            class.actual_mean,
            number(row, "actual_mean"),
            TOLERANCE,
        );
    }
    for (row, tenth) in rows("given_holdout_by_decile", 10)
        .iter()
        .zip(&report.by_decile)
    {
        assert_eq!(tenth.customers, whole(row, "customers"));
        close(
            "sum",
            tenth.predicted,
            number(row, "predicted_sum"),
            TOLERANCE,
        );
        close("sum", tenth.actual, number(row, "actual_sum"), TOLERANCE);
    }
    for (row, tenth) in rows("given_p_buy_calibration", 10)
        .iter()
        .zip(&report.p_buy_by_decile)
    {
        assert_eq!(tenth.customers, whole(row, "customers"));
        close(
            "p_buy",
            tenth.predicted,
            number(row, "mean_p_buy"),
            TOLERANCE,
        );
        close(
            "share",
            tenth.actual,
            number(row, "share_who_bought"),
            TOLERANCE,
        );
    }
    assert_eq!((report.weekly.len(), report.by_frequency.len()), (39, 8));
    assert_eq!(
        (report.by_decile.len(), report.p_buy_by_decile.len()),
        (10, 10)
    );
}

#[test]
fn a7_the_quality_of_the_fit_is_the_published_one() {
    let (fit, report) = cdnow();
    let published: std::collections::HashMap<String, f64> = table("given_fit_quality")
        .iter()
        .map(|row| (row["metric"].clone(), number(row, "value")))
        .collect();
    let check = |metric: &str, computed: f64| close(metric, computed, published[metric], TOLERANCE);
    check("predicted", report.predicted);
    check("actual", f64::from(u32::try_from(report.actual).unwrap()));
    check("bias_pct", 100.0 * report.bias.unwrap());
    check("mae", report.mae);
    check("rmse", report.rmse);
    check("spearman", report.spearman.unwrap());
    check("tracking_mape", 100.0 * report.tracking_error.unwrap());
    check("naive_mae_same_rate", report.naive_mae);
    check("naive_total_same_rate", report.naive_total);
    check("predicted_spend", report.predicted_spend.unwrap());
    check("actual_spend", report.actual_spend);
    check("brier_p_buy_holdout", report.brier);
    check("brier_base_rate", report.brier_base_rate);
    check("mean_p_alive", report.mean_p_alive);
    let classes = calibration::by_frequency(&fit, &cdnow_sample());
    check("chi2_freq_0_7plus", calibration::chi_square(&classes));
    check("customer_equity_12m", equity(&fit, 12));
    check("customer_equity_60m", equity(&fit, 60));
    close(
        "param_se",
        report.predicted_error,
        published["param_se"],
        1e-3,
    );
    for (row, class) in rows("given_calibration_frequency", 8).iter().zip(&classes) {
        close(
            "observed",
            class.observed,
            number(row, "observed_customers"),
            0.0,
        );
        close(
            "expected",
            class.expected,
            number(row, "expected_customers"),
            TOLERANCE,
        );
    }
}

/// The value of all CDNOW customers together.
fn equity(fit: &Fit, months: u32) -> f64 {
    let terms = Terms::new(months, 0.15, Unit::Weeks).unwrap();
    let spend = published_spend();
    followed()
        .iter()
        .map(|customer| {
            let seen = customer.cell.seen(day(AS_OF), Unit::Weeks).unwrap();
            let purchases = terms.purchases(&fit.model.given_alive(seen.x()), seen.t());
            let each = spend.expected_spend(seen.x(), customer.repeat_spend);
            fit.model.p_alive(&seen) * purchases * each
        })
        .sum()
}

#[test]
fn the_flags_of_cdnow_say_what_its_tables_say() {
    let (fit, report) = cdnow();
    let spend = gamma_gamma::fit(&cdnow_spend()).unwrap();
    // 946 repeat buyers, -12 % bias, better than naive; |Spearman| is 0.206.
    assert_eq!(
        flags(&fit, Some(&spend), Some(&report)),
        [Flag::SpendDependsOnFrequency]
    );
    let mut other = report;
    other.naive_mae = other.mae / 2.0;
    other.bias = Some(0.16);
    assert_eq!(
        flags(&fit, None, Some(&other)),
        [Flag::WorseThanNaive, Flag::Biased]
    );
}
