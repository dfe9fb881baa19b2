//! `patron import purchases`. (`killed.rs` kills everything in the middle of one.)

use std::path::{Path, PathBuf};

use crate::services::{Services, printed};

fn cdnow() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/cdnow.csv")
}

/// The purchases of the first customers, so that a test takes seconds.
fn some_purchases(folder: &Path, rows: usize) -> PathBuf {
    let all = std::fs::read_to_string(cdnow()).unwrap();
    let some: Vec<&str> = all.lines().take(rows + 1).collect();
    let file = folder.join("purchases.csv");
    std::fs::write(&file, some.join("\n")).unwrap();
    file
}

fn import(services: &Services, file: &Path) -> String {
    printed(&services.run(&["import", "purchases", file.to_str().unwrap()]))
}

#[test]
fn a_second_import_changes_nothing_and_bad_rows_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(&folder.path().join("data"));
    let file = folder.path().join("mixed.csv");
    std::fs::write(
        &file,
        "customer_id,date,amount,currency\n\
         a,2026-01-02,10.00,EUR\n\
         a,2026-01-02,10.00,EUR\n\
         b,2026-13-02,10.00,EUR\n\
         a,2026-01-01,5.00,EUR\n\
         a,2026-01-03,5.00,USD\n",
    )
    .unwrap();
    let first = import(&services, &file);
    assert!(
        first.contains("3 purchases recorded; 2 rows rejected"),
        "{first}"
    );
    let rejects = std::fs::read_to_string(folder.path().join("mixed.csv.rejects.csv")).unwrap();
    let lines: Vec<&str> = rejects
        .lines()
        .map(|line| line.split(',').next().unwrap())
        .collect();
    assert_eq!(lines, ["line", "4", "6"], "{rejects}");
    assert!(
        rejects.contains("CURRENCY_MISMATCH") && rejects.contains("neither a date"),
        "{rejects}"
    );
    let second = import(&services, &file);
    assert!(
        second.contains("0 purchases recorded; 3 were in before; 2 rows rejected"),
        "{second}"
    );
    let customers = printed(&services.run(&["customers", "--json"]));
    assert_eq!(
        customers.matches("\"purchase_count\": 3").count(),
        1,
        "{customers}"
    );
}

/// As of one moment: the present goes on between two questions.
const SCOREBOARD: [&str; 6] = [
    "scoreboard",
    "--end",
    "1999-01-01",
    "--as-of",
    "1999-01-01T00:00:00Z",
    "--json",
];

#[test]
fn deleted_and_damaged_read_models_are_rebuilt_with_the_same_answers() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = some_purchases(folder.path(), 300);
    let services = Services::start(&data);
    import(&services, &file);
    let before = printed(&services.run(&SCOREBOARD));
    services.kill();
    std::fs::remove_dir_all(data.join("acquisition")).unwrap();
    damage(&data.join("retention"));
    let services = Services::start(&data);
    let after = until_ready(&services);
    assert_eq!(before, after);
}

/// Overwrites the middle of every file of the store.
fn damage(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            damage(&path);
        } else if let Ok(mut bytes) = std::fs::read(&path) {
            let middle = bytes.len() / 2;
            bytes
                .iter_mut()
                .skip(middle)
                .take(64)
                .for_each(|byte| *byte ^= 0xff);
            std::fs::write(&path, bytes).unwrap();
        }
    }
}

/// The scoreboard, once the service has rebuilt its rows.
fn until_ready(services: &Services) -> String {
    for _ in 0..200 {
        let output = services.run(&SCOREBOARD);
        if output.status.success() {
            return printed(&output);
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("catching up"), "{said}");
    }
    panic!("the service did not become ready");
}
