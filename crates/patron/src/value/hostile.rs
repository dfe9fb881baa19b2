//! Files that nobody would write on purpose: every reader answers with rows, rejects or an error, never a panic.

use proptest::prelude::*;

use super::facts::{Facts, known};
use super::rows::Rows;
use super::{attribute, contracts, table};

/// What a field may hold: numbers at the edge, dates that are none, separators, nothing.
fn field() -> impl Strategy<Value = String> {
    let awkward = [
        "",
        " ",
        "0",
        "-0",
        "1",
        "2",
        "-1",
        "1e308",
        "-1e308",
        "NaN",
        "inf",
        "1.5",
        "0.001",
        "4294967296",
        "9223372036854775807",
        "99999999999999999999",
        "1997-01-31",
        "1997-02-30",
        "-9999-01-01",
        "9999-12-31",
        "1997-01-31T23:59:60Z",
        "a > b",
        "> >",
        "1 > 0",
        "0 > 1",
        "USD",
        "usd",
        "\u{1F4B6}",
        "(unattributed)",
    ];
    prop_oneof![
        4 => prop::sample::select(awkward.map(str::to_owned).to_vec()),
        1 => "[ -~]{0,12}".prop_map(|text| text.replace(['"', ','], "'")),
    ]
}

/// A heading and some rows that are too short, right, or too long.
fn file(heading: &'static str) -> impl Strategy<Value = String> {
    let row = prop::collection::vec(field(), 1..8).prop_map(|fields| fields.join(","));
    prop::collection::vec(row, 0..12)
        .prop_map(move |rows| format!("{heading}\n{}\n", rows.join("\n")))
}

fn rows(text: &str) -> Rows<&[u8]> {
    Rows::read(text.as_bytes(), 0).unwrap()
}

proptest! {
    #[test]
    fn transactions(text in file("customer_id,date,amount,currency")) {
        let facts = Facts::read(rows(&text), None).unwrap();
        for (_, own) in &facts.customers {
            for day in [i32::MIN, 0, i32::MAX] {
                let _summary = known(own, day).as_of(day);
            }
        }
    }

    #[test]
    fn tables(text in file("customer_id,x,tx_days,T_days,repeat_spend")) {
        let (customers, _) = table::read(rows(&text), "USD".parse().unwrap(), 7.0).unwrap();
        for customer in customers {
            prop_assert!(customer.tx_days <= customer.t_days);
        }
    }

    #[test]
    fn journeys(text in file("path,days_before_end,conversions,value_minor,non_conversions,open")) {
        let (cases, _) = attribute::read(rows(&text)).unwrap();
        for (_, journeys) in cases {
            for rule in attribution::Rule::all() {
                if let Ok(report) = attribution::attribute(&journeys, rule) {
                    prop_assert!(report.credits.iter().all(|credit| credit.conversions.is_finite()));
                }
            }
        }
    }

    #[test]
    fn cohorts(text in file("cohort,period,customers")) {
        let (cohorts, _) = contracts::read(rows(&text)).unwrap();
        for cohort in cohorts {
            let mut contracts = customer_value::sbg::Contracts::default();
            if contracts.add_cohort(&cohort.survivors).is_ok() {
                let _fit = contracts.fit();
            }
        }
    }
}
