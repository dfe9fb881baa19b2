//! Touches of the same moment stay in the order in which they were recorded, wherever they are looked at.

use patron_proto::acquisition::v1 as proto;
use prost::Message as _;

use crate::business::{DAY, convert, met, record};
use crate::harness::Harness;
use crate::merging::{absorbed, merge, prospects};

const FAST: &str = "propositions/van-repair/campaigns/fast";
const TOUGH: &str = "propositions/van-repair/campaigns/tough";

/// The ids of a journey, asked for one by one.
async fn steps(harness: &Harness, name: &str) -> Vec<String> {
    let mut steps = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = proto::GetJourneyRequest {
            name: name.to_owned(),
            page_size: 1,
            page_token,
            ..Default::default()
        };
        let page = harness.prospects().get_journey(request).await.unwrap();
        let page = page.into_inner();
        let ids = page.steps.into_iter();
        steps.extend(ids.map(|step| step.touchpoint.unwrap().touchpoint_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return steps;
        }
    }
}

/// The path that the event of the only conversion tells.
async fn path(harness: &Harness) -> Vec<String> {
    let asked = proto::WatchEventsRequest {
        types: vec!["patron.acquisition.v1.ProspectConverted".to_owned()],
        from_start: true,
        ..Default::default()
    };
    let events = harness.events().watch_events(asked).await;
    let mut events = events.unwrap().into_inner();
    let event = events.message().await.unwrap().unwrap().event.unwrap();
    proto::ProspectConverted::decode(&event.value[..])
        .unwrap()
        .path
}

/// Who earned all of the only conversion.
async fn credited(harness: &Harness, model: proto::AttributionModel) -> String {
    let request = proto::GetAttributionRequest {
        model: model as i32,
        dimension: proto::AttributionDimension::Campaign as i32,
        currency_code: "EUR".to_owned(),
        ..Default::default()
    };
    let report = harness.reports().get_attribution(request).await.unwrap();
    let lines = report.into_inner().lines.into_iter();
    let mut earned = lines.filter(|line| line.credit > 0.5);
    earned.next().unwrap().touch_point
}

async fn created(harness: &Harness, name: &str, model: proto::AttributionModel) -> f64 {
    let request = proto::GetCampaignScorecardRequest {
        name: name.to_owned(),
        model: model as i32,
        ..Default::default()
    };
    let card = harness.campaigns().get_campaign_scorecard(request).await;
    card.unwrap().into_inner().created
}

#[tokio::test]
async fn the_journey_the_path_and_the_credit_agree_on_which_touch_was_the_last() {
    let harness = Harness::start().await;
    harness.publish().await;
    crate::attribution::run(&harness, "fast", "speed").await;
    crate::attribution::run(&harness, "tough", "durable").await;
    let names = prospects(&harness, 2).await;
    let [older, younger] = [&names[0], &names[1]];
    // As an import has them: all at the beginning of the same day. By their ids it would be a, b, z.
    record(&harness, younger, "z", &met(-DAY, TOUGH, "durable")).await;
    let mut client = harness.prospects();
    client.merge_prospects(merge(younger, older)).await.unwrap();
    absorbed(&harness, 1).await;
    record(&harness, older, "b", &met(-DAY, TOUGH, "durable")).await;
    record(&harness, older, "a", &met(-DAY, FAST, "speed")).await;
    record(&harness, older, "c", &met(-2 * DAY, FAST, "speed")).await;
    convert(&harness, older, 0, Some(40_000), "EUR").await;

    assert_eq!(steps(&harness, older).await, ["c", "z", "b", "a"]);
    assert_eq!(path(&harness).await, ["c", "z", "b", "a"]);
    let last = proto::AttributionModel::Last;
    assert_eq!(credited(&harness, last).await, FAST);
    let created = created(&harness, FAST, last).await;
    assert!((created - 1.0).abs() < 1e-12, "{created}");
    let request = proto::GetProspectRequest {
        name: older.clone(),
        min_position: String::new(),
    };
    let found = harness.prospects().get_prospect(request).await.unwrap();
    assert_eq!(found.into_inner().touchpoint_count, 4);
    // One that is told after all of them is the last of its moment.
    record(&harness, older, "0", &met(-DAY, TOUGH, "durable")).await;
    assert_eq!(steps(&harness, older).await, ["c", "z", "b", "a", "0"]);
    assert_eq!(credited(&harness, last).await, TOUGH);
}
