//! `patron value` from the outside: the reference tables through files, and what a program reads when it is refused.
//!
//! `cfg(test)` tells the lints that helpers of tests are tests too.
#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::io::{BufRead as _, BufReader};
    use std::path::PathBuf;
    use std::process::Stdio;

    use assert_cmd::Command;
    use serde_json::Value;

    type Row = HashMap<String, String>;

    fn data(krate: &str, name: &str) -> PathBuf {
        let crates = format!(
            "{}/../{krate}/tests/data/{name}.csv",
            env!("CARGO_MANIFEST_DIR")
        );
        PathBuf::from(crates)
    }

    fn run(arguments: &[&str]) -> (bool, String, String) {
        let mut command = Command::cargo_bin("patron").unwrap();
        let output = command.arg("value").args(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.success(),
            text(output.stdout),
            text(output.stderr),
        )
    }

    fn json(arguments: &[&str]) -> Value {
        let (ok, stdout, stderr) = run(arguments);
        assert!(ok, "{arguments:?}: {stderr}");
        serde_json::from_str(&stdout).unwrap()
    }

    fn rows(text: &[u8]) -> Vec<Row> {
        let mut reader = csv::Reader::from_reader(text);
        reader.deserialize().map(|row| row.unwrap()).collect()
    }

    fn table(krate: &str, name: &str) -> Vec<Row> {
        rows(&std::fs::read(data(krate, name)).unwrap())
    }

    fn path(krate: &str, name: &str) -> String {
        data(krate, name).to_str().unwrap().to_owned()
    }

    #[track_caller]
    fn close(what: &str, computed: f64, expected: f64, tolerance: f64) {
        let error = (computed - expected).abs();
        assert!(
            error <= tolerance * expected.abs().max(1e-9),
            "{what}: {computed} {expected}"
        );
    }

    const CDNOW: [&str; 2] = ["--as-of", "1997-09-30"];

    /// (model, quantity) -> value of the published parameters.
    fn published(model: &str, quantity: &str) -> f64 {
        let rows = table("customer-value", "given_params");
        let row = rows
            .iter()
            .find(|row| row["model"] == model && row["quantity"] == quantity);
        row.unwrap()["value"].parse().unwrap()
    }

    #[test]
    fn fit_reads_transactions_and_reaches_the_published_parameters() {
        let file = path("customer-value", "given_cdnow_transactions");
        for model in ["bgnbd", "mbgnbd"] {
            let fit = json(&["fit", &file, CDNOW[0], CDNOW[1], "--model", model, "--json"]);
            assert_eq!(fit["model"], model);
            assert_eq!((&fit["n"], &fit["repeaters"]), (&2_357.into(), &946.into()));
            assert_eq!(
                (&fit["as_of"], &fit["time_unit"]),
                (&"1997-09-30".into(), &"week".into())
            );
            for quantity in ["r", "alpha", "a", "b"] {
                let value = fit["parameters"][quantity].as_f64().unwrap();
                close(quantity, value, published(model, quantity), 1e-6);
                assert!(fit["standard_errors"][quantity].as_f64().unwrap() > 0.0);
            }
            close(
                "LL",
                fit["log_likelihood"].as_f64().unwrap(),
                published(model, "loglik"),
                1e-9,
            );
            for quantity in ["p", "q", "v"] {
                let value = fit["spend"]["parameters"][quantity].as_f64().unwrap();
                close(quantity, value, published("gammagamma", quantity), 1e-6);
            }
            assert_eq!(
                fit["quality"],
                serde_json::json!(["SPEND_DEPENDS_ON_FREQUENCY"])
            );
            assert!(fit["holdout"]["mae"].as_f64().unwrap() > 0.0);
        }
    }

    #[test]
    fn a_table_gives_the_same_fit_as_its_transactions_but_no_holdout() {
        let fit = json(&[
            "fit",
            &path("customer-value", "given_cdnow_rfm"),
            "--model",
            "bgnbd",
            "--json",
        ]);
        close(
            "r",
            fit["parameters"]["r"].as_f64().unwrap(),
            published("bgnbd", "r"),
            1e-6,
        );
        assert!(fit["holdout"].is_null() && fit["holdout_refused"].is_string());
        close(
            "p",
            fit["spend"]["parameters"]["p"].as_f64().unwrap(),
            published("gammagamma", "p"),
            1e-6,
        );
    }

    /// The published parameters as a file of the form that `fit --json` writes.
    fn model_file(model: &str, folder: &std::path::Path) -> String {
        let of = |model: &str, names: &[&str]| -> Value {
            names
                .iter()
                .map(|name| ((*name).to_owned(), Value::from(published(model, name))))
                .collect()
        };
        let file = serde_json::json!({
            "model": model,
            "parameters": of(model, &["r", "alpha", "a", "b"]),
            "time_unit": "week",
            "spend": { "parameters": of("gammagamma", &["p", "q", "v"]) },
        });
        let path = folder.join(format!("{model}.json"));
        std::fs::write(&path, file.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    }

    #[test]
    fn score_gives_the_published_customers_with_the_published_parameters() {
        let folder = tempfile::tempdir().unwrap();
        let model = model_file("bgnbd", folder.path());
        let file = path("customer-value", "given_customers");
        let (ok, stdout, stderr) =
            run(&["score", &file, "--model", &model, "--without-end", "--csv"]);
        assert!(ok, "{stderr}");
        let (scores, expected) = (
            rows(stdout.as_bytes()),
            table("customer-value", "given_customers"),
        );
        assert_eq!(scores.len(), expected.len());
        let mut compared = 0;
        for (score, row) in scores.iter().zip(&expected) {
            assert_eq!(score["customer_id"], row["customer_id"]);
            for (column, value) in row {
                // The table's integral is inexact for this customer.
                let inexact = row["customer_id"] == "1901" && column.ends_with("_infinite");
                let Some(computed) = score.get(column).filter(|_| !inexact) else {
                    continue;
                };
                let tolerance = if column.ends_with("_infinite") {
                    1e-7
                } else {
                    1e-9
                };
                close(
                    column,
                    computed.parse().unwrap(),
                    value.parse().unwrap(),
                    tolerance,
                );
                compared += 1;
            }
        }
        assert!(compared > 59 * 16, "{compared}");
    }

    #[test]
    fn a15_a_score_changes_with_as_of_only_through_the_age() {
        let folder = tempfile::tempdir().unwrap();
        let model = model_file("mbgnbd", folder.path());
        let purchases = folder.path().join("purchases.csv");
        let rows = "customer_id,date,amount\n1,2020-01-01,10\n1,2020-02-01,20\n2,2020-01-15,5\n3,2020-06-01,1\n";
        std::fs::write(&purchases, rows).unwrap();
        let purchases = purchases.to_str().unwrap();
        let early = json(&[
            "score",
            purchases,
            "--as-of",
            "2020-03-01",
            "--model",
            &model,
            "--json",
        ]);
        let shifted = folder.path().join("shifted.csv");
        let later = rows
            .replace("2020-01-01", "2020-01-11")
            .replace("2020-02-01", "2020-02-11")
            .replace("2020-01-15", "2020-01-25");
        std::fs::write(&shifted, later).unwrap();
        let late = json(&[
            "score",
            shifted.to_str().unwrap(),
            "--as-of",
            "2020-03-11",
            "--model",
            &model,
            "--json",
        ]);
        assert_eq!(early["customers"], late["customers"]);
        // Customer 3 had not bought yet.
        assert_eq!(early["customers"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn attribute_gives_the_published_credits() {
        let file = path("attribution", "given_attr_journeys");
        let (ok, stdout, stderr) = run(&["attribute", &file, "--csv"]);
        assert!(ok, "{stderr}");
        let credits: HashMap<_, _> = rows(stdout.as_bytes())
            .into_iter()
            .map(|row| {
                (
                    (
                        row["case"].clone(),
                        row["model"].clone(),
                        row["channel"].clone(),
                    ),
                    row,
                )
            })
            .collect();
        let expected = table("attribution", "given_attr_credits");
        assert_eq!(credits.len(), expected.len());
        for row in expected {
            let credit = &credits[&(
                row["case"].clone(),
                row["model"].clone(),
                row["channel"].clone(),
            )];
            assert_eq!(
                credit["value_credit_minor_rounded"],
                row["value_credit_minor_rounded"]
            );
            let number = |row: &Row| row["conversions_credit"].parse::<f64>().unwrap();
            assert!((number(credit) - number(&row)).abs() < 1e-9);
        }
        let one = json(&["attribute", &file, "--rule", "MARKOV", "--json"]);
        assert_eq!(one["cases"].as_array().unwrap().len(), 7);
        assert_eq!(
            one["cases"][0]["markov"]["removal_effects"][0],
            serde_json::json!(["c1", 0.5])
        );
    }

    #[test]
    fn contracts_reads_a_cohort_and_leaves_the_rest_for_comparison() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cohort.csv");
        let survivors: Vec<String> = table("customer-value", "given_sbg_highend")
            .iter()
            .filter(|row| row["kind"] == "survival")
            .map(|row| format!("{},{}\n", row["index"], row["observed_customers"]))
            .collect();
        std::fs::write(&file, format!("period,customers\n{}", survivors.concat())).unwrap();
        let fit = json(&[
            "contracts",
            file.to_str().unwrap(),
            "--periods",
            "7",
            "--json",
        ]);
        close(
            "alpha",
            fit["parameters"]["alpha"].as_f64().unwrap(),
            0.668_088_351_106,
            1e-6,
        );
        close(
            "S(12)",
            fit["periods"][12]["survival"].as_f64().unwrap(),
            0.377_999_071_597,
            1e-6,
        );
    }

    #[test]
    fn a_refusal_fails_and_says_its_reason_to_people_and_programs() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("once.csv");
        let once = (1..=200).map(|id| format!("{id},2020-01-{:02},5\n", id % 28 + 1));
        let text = "customer_id,date,amount\n".to_owned() + &once.collect::<String>();
        std::fs::write(&file, text).unwrap();
        let (ok, stdout, stderr) = run(&["fit", file.to_str().unwrap(), "--json"]);
        assert!(!ok && stderr.contains("NO_REPEAT_PURCHASES"), "{stderr}");
        let answer: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(answer["refused"], "NO_REPEAT_PURCHASES");
        assert!(answer.get("parameters").is_none());
        let (ok, stdout, _) = run(&["score", file.to_str().unwrap(), "--csv"]);
        assert!(!ok && stdout.is_empty());
    }

    /// Two purchases, of which one is in another currency, and a row that is too wide.
    const MIXED: &str = "customer_id,date,amount,currency\n\
                         1,2020-01-01,10,EUR\n1,2020-02-01,2000,JPY\n2,2020-01-06,5,50,EUR\n";

    #[test]
    fn amounts_of_several_currencies_have_no_currency_and_no_value() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mixed.csv");
        std::fs::write(&file, MIXED).unwrap();
        let (file, model) = (file.to_str().unwrap(), model_file("bgnbd", folder.path()));
        let scores = json(&["score", file, "--model", &model, "--json"]);
        assert!(scores["currency"].is_null(), "{scores}");
        let refused = scores["value_refused"].as_str().unwrap();
        assert!(refused.starts_with("MIXED_CURRENCY"), "{refused}");
        let first = &scores["customers"][0];
        assert!(
            first["repeat_spend"].is_null() && first.get("clv_12m").is_none(),
            "{first}"
        );
        let (ok, stdout, _) = run(&["score", file, "--model", &model]);
        assert!(ok && stdout.contains("currencies mixed"), "{stdout}");
        assert!(stdout.contains("No value: MIXED_CURRENCY"), "{stdout}");
        let (ok, stdout, stderr) = run(&["score", file, "--model", &model, "--csv"]);
        assert!(ok && rows(stdout.as_bytes()).len() == 1, "{stdout}");
        assert!(
            stderr.contains("1 row was left out") && stderr.contains("line 4"),
            "{stderr}"
        );
        assert!(stderr.contains("no value: MIXED_CURRENCY"), "{stderr}");
    }

    #[test]
    fn a_model_that_is_worse_than_a_guess_gives_no_value() {
        let folder = tempfile::tempdir().unwrap();
        let model = model_file("bgnbd", folder.path());
        let file = path("customer-value", "given_customers");
        let scores = json(&["score", &file, "--model", &model, "--json"]);
        assert!(scores["value_refused"].is_null());
        assert!(scores["customers"][0]["clv_12m"].is_number());
        let text = std::fs::read_to_string(&model).unwrap();
        let worse = text.replacen('{', "{\"usable_for_value\": false,", 1);
        std::fs::write(&model, worse).unwrap();
        let scores = json(&["score", &file, "--model", &model, "--json"]);
        let refused = scores["value_refused"].as_str().unwrap();
        assert!(refused.starts_with("WORSE_THAN_NAIVE"), "{refused}");
        let first = &scores["customers"][0];
        assert!(
            first["p_alive"].is_number() && first.get("clv_12m").is_none(),
            "{first}"
        );
    }

    #[test]
    fn a_reader_that_has_seen_enough_is_no_error() {
        let file = path("customer-value", "given_cdnow_transactions");
        for form in ["--csv", "--json"] {
            let mut reading = std::process::Command::new(env!("CARGO_BIN_EXE_patron"))
                .args(["value", "score", &file, form])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut out = BufReader::with_capacity(16, reading.stdout.take().unwrap());
            out.read_line(&mut String::new()).unwrap();
            drop(out);
            let ended = reading.wait_with_output().unwrap();
            let stderr = String::from_utf8_lossy(&ended.stderr);
            assert!(
                ended.status.success() && stderr.is_empty(),
                "{form}: {stderr}"
            );
        }
    }

    #[test]
    fn a_negative_discount_is_heard_and_refused() {
        let file = path("customer-value", "given_cdnow_transactions");
        let (ok, _, stderr) = run(&["score", &file, "--discount", "-0.1"]);
        assert!(
            !ok && stderr.contains("--discount must be 0 or more"),
            "{stderr}"
        );
    }

    #[test]
    fn the_page_about_values_shows_what_is_printed() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/VALUE.md");
        let page = std::fs::read_to_string(page).unwrap();
        let command = "$ patron value fit given_cdnow_transactions.csv --as-of 1997-09-30\n";
        let (_, shown) = page.split_once(command).unwrap();
        let (shown, _) = shown.split_once("```").unwrap();
        let file = path("customer-value", "given_cdnow_transactions");
        let (_, printed, _) = run(&["fit", &file, CDNOW[0], CDNOW[1]]);
        // The page breaks a line where the command does not.
        let words = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(words(shown), words(&printed));
    }

    #[test]
    fn people_get_tables_and_hear_of_rows_that_were_left_out() {
        let file = path("customer-value", "given_cdnow_transactions");
        let (ok, stdout, _) = run(&["score", &file, CDNOW[0], CDNOW[1], "--limit", "3"]);
        assert!(ok && stdout.contains("2,357 customers") && stdout.contains("days silent"));
        let (ok, stdout, _) = run(&["fit", &file, CDNOW[0], CDNOW[1]]);
        assert!(
            ok && stdout.contains("Flags: SPEND_DEPENDS_ON_FREQUENCY")
                && stdout.contains("AIC: BG/NBD")
        );
    }
}
