//! A10: the reference tables of attribution.
//!
//! `cfg(test)` tells the lints that helpers of tests are tests too.
#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use attribution::{Journey, Report, Rule, Touch, attribute};

    type Row = HashMap<String, String>;

    const CASES: [&str; 7] = [
        "textbook",
        "mixed",
        "single_channel",
        "equal_times_and_direct",
        "self_loop",
        "no_conversions",
        "cycle",
    ];

    fn table(name: &str) -> Vec<Row> {
        let path = format!("{}/tests/data/{name}.csv", env!("CARGO_MANIFEST_DIR"));
        csv::Reader::from_path(path)
            .unwrap()
            .deserialize()
            .map(|row| row.unwrap())
            .collect()
    }

    fn journeys(case: &str) -> Vec<Journey<String>> {
        table("given_attr_journeys")
            .iter()
            .filter(|row| row["case"] == case)
            .map(|row| {
                let channels = row["path"].split(" > ").filter(|name| !name.is_empty());
                let days = row["days_before_end"].split(" > ");
                Journey {
                    path: channels
                        .zip(days)
                        .map(|(channel, days)| Touch {
                            channel: channel.to_owned(),
                            days_before_end: days.parse().unwrap(),
                        })
                        .collect(),
                    conversions: row["conversions"].parse().unwrap(),
                    value_minor: row["value_minor"].parse().unwrap(),
                    non_conversions: row["non_conversions"].parse().unwrap(),
                    open: 0,
                }
            })
            .collect()
    }

    fn number(row: &Row, column: &str) -> f64 {
        // The fraction is exact where the table has one.
        match row["fraction"].split_once('/') {
            Some((above, below)) if column != "value_credit_minor_exact" => {
                above.parse::<f64>().unwrap() / below.parse::<f64>().unwrap()
            }
            _ => row[column].parse().unwrap(),
        }
    }

    fn close(what: &Row, computed: f64, expected: f64, tolerance: f64) {
        let error = (computed - expected).abs();
        assert!(
            error <= tolerance * expected.abs().max(1.0),
            "{what:?}: {computed} instead of {expected}"
        );
    }

    fn credit<'a>(report: &'a Report<String>, row: &Row) -> &'a attribution::Credit<String> {
        let channel = Some(row["channel"].clone()).filter(|name| name != "(unattributed)");
        report
            .credits
            .iter()
            .find(|credit| credit.channel == channel)
            .unwrap()
    }

    #[test]
    fn a10_every_rule_gives_the_published_credits() {
        let rows = table("given_attr_credits");
        assert_eq!(rows.len(), 126);
        for case in CASES {
            let journeys = journeys(case);
            for rule in Rule::all() {
                let report = attribute(&journeys, rule).unwrap();
                let own: Vec<&Row> = rows
                    .iter()
                    .filter(|row| row["case"] == case && row["model"] == rule.name())
                    .collect();
                assert_eq!(own.len(), report.credits.len(), "{case} {rule:?}");
                for row in own {
                    let credit = credit(&report, row);
                    close(
                        row,
                        credit.conversions,
                        number(row, "conversions_credit"),
                        1e-9,
                    );
                    close(
                        row,
                        credit.value_exact,
                        number(row, "value_credit_minor_exact"),
                        1e-9,
                    );
                    let rounded: i64 = row["value_credit_minor_rounded"].parse().unwrap();
                    assert_eq!(credit.value_minor, rounded, "{row:?}");
                }
                let sum: i64 = report.credits.iter().map(|credit| credit.value_minor).sum();
                assert_eq!(sum, report.value_minor, "{case} {rule:?}");
            }
        }
    }

    #[test]
    fn a10_the_chain_has_the_published_removal_effects() {
        let rows = table("given_attr_markov");
        assert_eq!(rows.len(), 22);
        for row in rows {
            let report = attribute(&journeys(&row["case"]), Rule::Markov).unwrap();
            let solution = report.markov.unwrap();
            let computed = if row["quantity"] == "p_conversion" {
                solution.p_conversion
            } else {
                let effects = &solution.removal_effects;
                effects
                    .iter()
                    .find(|(name, _)| *name == row["channel"])
                    .unwrap()
                    .1
            };
            close(&row, computed, number(&row, "value"), 1e-12);
        }
    }
}
