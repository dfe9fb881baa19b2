//! Measuring on Kafka needs no other set-up, and keeps off journals that exist.

use std::process::{Command, Output};

use testkit::Cluster;

use crate::alone::turn;

fn measure(brokers: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_patron"))
        .args(["bench", "commands", "--clients", "2", "--seconds", "1"])
        .args(["--json", "--kafka", brokers])
        .output()
        .unwrap()
}

#[test]
fn commands_are_measured_on_new_brokers_and_not_among_real_customers() {
    let Some(_turn) = turn() else { return };
    let cluster = Cluster::start(1).unwrap();
    let output = measure(cluster.address());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["errors"], 0, "{found}");
    assert!(
        found["commands_per_second"].as_f64().unwrap() > 0.0,
        "{found}"
    );

    let again = measure(cluster.address());
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(!again.status.success(), "{said}");
    assert!(
        said.contains("already has the topic patron.retention.journal"),
        "{said}"
    );
}
