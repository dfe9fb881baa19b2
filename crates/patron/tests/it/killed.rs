//! `kill -9` of everything on one machine, again and again, under load.

use std::path::Path;

use testkit::{Alone, run_alone};

#[test]
fn fifty_kills_during_an_import_and_commands_lose_and_double_nothing() {
    let run = Alone {
        binary: env!("CARGO_BIN_EXE_patron").into(),
        purchases: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/cdnow.csv"),
        kills: 50,
        clients: 8,
        seed: 3,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (report, dollars) = runtime.block_on(run_alone(&run)).unwrap();
    println!("{report}");
    assert_eq!(
        report.violations,
        [],
        "what was said is in {:?}",
        report.kept
    );
    assert!(report.commands > 20, "{report}");
    assert_eq!((dollars.active, dollars.purchases), (2_357, 6_919));
    assert_eq!(dollars.revenue.unwrap().minor_units, 24_409_194);
}
