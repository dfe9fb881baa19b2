//! `patron funnel`, `attribution`, `scorecard`, `report`, `cohorts` and `gaps`.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use crate::services::{Services, patron, printed};

#[test]
fn reports_on_nothing_say_nothing_and_name_their_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(&folder.path().join("data"));
    let funnel = printed(&services.run(&["funnel", "--by", "channel"]));
    assert!(
        funnel.contains("days to convert") && funnel.contains('–'),
        "{funnel}"
    );
    let credit = ["attribution", "--model", "time-decay", "--by", "channel"];
    let shown = printed(&services.run(&credit));
    assert!(
        shown.contains("TIME_DECAY, touches of 90 days before the conversion, half-life 7 days"),
        "{shown}"
    );
    let json = printed(&services.run(&["attribution", "--model", "markov", "--json"]));
    for part in [
        "\"ATTRIBUTION_MODEL_MARKOV\"",
        "\"closed_journeys\": \"0\"",
        "\"known_at_position\"",
    ] {
        assert!(json.contains(part), "{part} in {json}");
    }
    let nowhere = services.run(&["scorecard", "campaign", "van-repair/nowhere"]);
    assert!(!nowhere.status.success());
    let said = String::from_utf8_lossy(&nowhere.stderr);
    let name = "propositions/van-repair/campaigns/nowhere";
    assert!(said.contains(name), "{said}");
}

#[test]
fn a_name_that_is_none_is_refused_before_anybody_is_asked() {
    let output = patron()
        .args(["scorecard", "benefit", "next-day"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("PROPOSITION/BENEFIT"), "{said}");
}

#[test]
fn the_cohorts_of_real_customers_who_stayed_and_what_cannot_be_asked() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(&folder.path().join("data"));
    let cdnow = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/cdnow.csv");
    printed(&services.run(&["import", "purchases", cdnow.to_str().unwrap()]));
    let as_of = ["--as-of", "1998-07-01T00:00:00Z"];

    let bought = [&["cohorts", "--measure", "purchase", "--csv"][..], &as_of].concat();
    let sheet = printed(&services.run(&bought));
    // Counted in the file itself: customers acquired in January 1997, and those of them who bought in February.
    assert!(sheet.contains("\n1997-01,781,1,781,124,,\n"), "{sheet}");
    assert!(sheet.contains("\nall,2357,1,2357,"), "{sheet}");

    let period = ["--start", "1997-07-01", "--end", "1998-01-01"];
    let report = printed(&services.run(&[&["report"][..], &period].concat()));
    assert!(report.contains("retention rate 100.0 %"), "{report}");
    let gaps = printed(&services.run(&["gaps", "--by", "owner"]));
    assert!(gaps.contains("no promise has a score yet"), "{gaps}");

    for (asked, said) in [
        (&["report"][..], "--start"),
        (&["cohorts", "--measure", "revenue"], "currency_code"),
        (&["cohorts", "--months", "61"], "--months"),
    ] {
        let refused = services.run(asked);
        assert!(!refused.status.success());
        let stderr = String::from_utf8_lossy(&refused.stderr);
        assert!(stderr.contains(said), "{stderr}");
    }

    // A reader that has seen enough is no error.
    let mut reading = services
        .command(&["cohorts", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut out = BufReader::with_capacity(16, reading.stdout.take().unwrap());
    out.read_line(&mut first).unwrap();
    drop(out);
    let ended = reading.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success() && stderr.is_empty(), "{stderr}");
}
