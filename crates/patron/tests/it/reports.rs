//! `patron funnel`, `patron attribution` and `patron scorecard`.

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
