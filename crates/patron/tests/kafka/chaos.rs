//! The short form of `cargo xtask chaos`.

use std::time::Duration;

use testkit::Chaos;

use crate::alone::{run, turn};

#[test]
fn killing_anything_loses_nothing_and_doubles_nothing() {
    let Some(_turn) = turn() else { return };
    let chaos = Chaos {
        binary: env!("CARGO_BIN_EXE_patron").into(),
        brokers: 1,
        clients: 8,
        duration: Duration::from_secs(25),
        seed: 4,
    };
    let report = run(testkit::run(&chaos)).unwrap();
    println!("{report}");
    assert_eq!(
        report.violations,
        [],
        "what was said is in {:?}",
        report.kept
    );
    assert!(report.commands > 20 && report.faults.killed > 0, "{report}");
}
