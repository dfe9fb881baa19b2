//! Prospects that turn out to be the same, with the policy that absorbs them.

use patron_proto::acquisition::v1 as proto;
use patron_proto::types::v1::{Consent, ConsentStatus};
use prost::Message as _;
use tonic::Code;
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::harness::{Harness, at, new_id, refused};

/// So many new prospects, the oldest first: the clock stands still, so the smallest id is the oldest.
pub(crate) async fn prospects(harness: &Harness, count: usize) -> Vec<String> {
    let mut names = Vec::new();
    for _ in 0..count {
        names.push(harness.prospect().await);
    }
    names.sort();
    names
}

fn touch(prospect: &str, id: &str, seconds: i64) -> proto::TouchpointItem {
    proto::TouchpointItem {
        parent: prospect.to_owned(),
        touchpoint: Some(proto::Touchpoint {
            touchpoint_id: id.to_owned(),
            campaign: "propositions/van-repair/campaigns/fast".to_owned(),
            channel: "search".to_owned(),
            kind: proto::TouchpointKind::Click as i32,
            occurred_at: at(seconds),
            ..Default::default()
        }),
    }
}

async fn touched(harness: &Harness, items: Vec<proto::TouchpointItem>) {
    let request = proto::BatchRecordTouchpointsRequest {
        items,
        request_id: new_id(),
    };
    let mut client = harness.prospects();
    let answer = client.batch_record_touchpoints(request).await.unwrap();
    let results = answer.into_inner().results;
    assert!(results.iter().all(|result| result.code == 0), "{results:?}");
}

pub(crate) fn merge(name: &str, into: &str) -> proto::MergeProspectsRequest {
    proto::MergeProspectsRequest {
        name: name.to_owned(),
        into: into.to_owned(),
        request_id: new_id(),
        ..Default::default()
    }
}

fn convert(prospect: &str) -> proto::ConvertProspectRequest {
    proto::ConvertProspectRequest {
        name: prospect.to_owned(),
        proposition: "propositions/van-repair".to_owned(),
        presentation_id: "speed".to_owned(),
        problem_id: "van-off-road".to_owned(),
        currency_code: "EUR".to_owned(),
        request_id: new_id(),
        ..Default::default()
    }
}

fn consent(prospect: &str, status: ConsentStatus, seconds: i64) -> proto::SetConsentRequest {
    proto::SetConsentRequest {
        name: prospect.to_owned(),
        consent: Some(Consent {
            purpose: "contact".to_owned(),
            status: status as i32,
            at: at(seconds),
            evidence: "form 7".to_owned(),
        }),
        request_id: new_id(),
        ..Default::default()
    }
}

async fn get(harness: &Harness, name: &str) -> proto::Prospect {
    let request = proto::GetProspectRequest {
        name: name.to_owned(),
        min_position: String::new(),
    };
    let found = harness.prospects().get_prospect(request).await;
    found.unwrap().into_inner()
}

async fn journey(harness: &Harness, name: &str) -> proto::Journey {
    let request = proto::GetJourneyRequest {
        name: name.to_owned(),
        page_size: 1_000,
        ..Default::default()
    };
    let found = harness.prospects().get_journey(request).await;
    found.unwrap().into_inner()
}

/// Waits until so many prospects are absorbed to their end, wherever.
pub(crate) async fn absorbed(harness: &Harness, count: usize) {
    let asked = proto::WatchEventsRequest {
        types: vec!["patron.acquisition.v1.ProspectAbsorbed".to_owned()],
        from_start: true,
        ..Default::default()
    };
    let events = harness.events().watch_events(asked).await;
    let mut events = events.unwrap().into_inner();
    let mut ends = 0;
    while ends < count {
        let event = events.message().await.unwrap().unwrap().event.unwrap();
        let absorbed = proto::ProspectAbsorbed::decode(&event.value[..]).unwrap();
        ends += usize::from(absorbed.part == absorbed.parts);
    }
}

fn ids(journey: &proto::Journey) -> Vec<(String, String)> {
    let steps = journey.steps.iter();
    steps
        .map(|step| {
            let touchpoint = step.touchpoint.clone().unwrap();
            (touchpoint.touchpoint_id, step.absorbed_from.clone())
        })
        .collect()
}

#[tokio::test]
async fn the_older_prospect_goes_on_with_the_touches_of_both() {
    let harness = Harness::start().await;
    let names = prospects(&harness, 2).await;
    let [older, younger] = [&names[0], &names[1]];
    let items = vec![
        touch(older, "click", -30),
        touch(younger, "click", -40),
        touch(younger, "visit", -20),
    ];
    touched(&harness, items).await;
    let mut client = harness.prospects();
    let merged = client.merge_prospects(merge(younger, older)).await;
    let merged = merged.unwrap().into_inner();
    assert_eq!(merged.state(), proto::ProspectState::Merged);
    assert_eq!(&merged.into, older);
    absorbed(&harness, 1).await;

    let both = journey(&harness, older).await;
    let own = |id: &str| (id.to_owned(), String::new());
    let theirs = |id: &str| (id.to_owned(), younger.clone());
    assert_eq!(
        ids(&both),
        [theirs("click"), own("click"), theirs("visit")],
        "in the order in which they happened"
    );
    let root = get(&harness, older).await;
    assert_eq!((root.touchpoint_count, root.first_touch_at), (3, at(-40)));

    let left = journey(&harness, younger).await;
    assert_eq!(left.total_size, 2, "nothing is moved or deleted");
    assert_eq!(&left.into, older);
    assert_eq!(&get(&harness, younger).await.into, older);
}

#[tokio::test]
async fn a_merged_prospect_refuses_everything_and_says_where_to_go() {
    let harness = Harness::start().await;
    harness.publish().await;
    let names = prospects(&harness, 2).await;
    let [older, younger] = [&names[0], &names[1]];
    let mut client = harness.prospects();
    client.merge_prospects(merge(younger, older)).await.unwrap();
    let merged = (Code::FailedPrecondition, "MERGED".to_owned());
    let status = client.convert_prospect(convert(younger)).await.unwrap_err();
    let info = status.get_error_details().error_info().unwrap().clone();
    assert_eq!(&info.metadata["into"], older);
    assert_eq!(
        refused(client.merge_prospects(merge(younger, older)).await),
        merged
    );
    let yes = consent(younger, ConsentStatus::Granted, -10);
    assert_eq!(refused(client.set_consent(yes).await), merged);
    let into_merged = client.merge_prospects(merge(older, younger)).await;
    assert_eq!(refused(into_merged), merged);
}

#[tokio::test]
async fn only_what_may_be_the_same_is_merged() {
    let harness = Harness::start().await;
    harness.publish().await;
    let names = prospects(&harness, 3).await;
    let [older, younger, customer] = [&names[0], &names[1], &names[2]];
    let mut client = harness.prospects();
    client.convert_prospect(convert(customer)).await.unwrap();
    let nobody = format!("prospects/{}", Uuid::nil());
    for (name, into, code, reason) in [
        (older, older, Code::InvalidArgument, "SAME_PROSPECT"),
        (older, younger, Code::FailedPrecondition, "MERGE_INTO_OLDER"),
        (older, &nobody, Code::NotFound, "NOT_FOUND"),
        (&nobody, older, Code::NotFound, "NOT_FOUND"),
        (
            customer,
            older,
            Code::FailedPrecondition,
            "ALREADY_CONVERTED",
        ),
    ] {
        let refusal = refused(client.merge_prospects(merge(name, into)).await);
        assert_eq!(refusal, (code, reason.to_owned()), "{name} into {into}");
    }
    let merged = client.merge_prospects(merge(older, customer)).await;
    merged.expect("a customer goes on, however young");
}

#[tokio::test]
async fn a_chain_of_merges_ends_with_all_touches_however_many() {
    let harness = Harness::start().await;
    let names = prospects(&harness, 4).await;
    let mut items = Vec::new();
    for name in &names {
        items.extend((0..200).map(|i| touch(name, &format!("t{i:03}"), -i)));
    }
    touched(&harness, items).await;
    let mut client = harness.prospects();
    // From the oldest link on, so that later merges meet one that is merged itself.
    for (from, into) in [(3, 2), (2, 1), (1, 0)] {
        let merged = client
            .merge_prospects(merge(&names[from], &names[into]))
            .await;
        merged.unwrap();
    }
    absorbed(&harness, 3).await;
    assert_eq!(get(&harness, &names[0]).await.touchpoint_count, 800);
    let whole = journey(&harness, &names[0]).await;
    assert_eq!((whole.total_size, whole.steps.len()), (800, 800));
    let times = whole.steps.iter().map(|step| {
        let at = step.touchpoint.as_ref().unwrap().occurred_at;
        at.unwrap().seconds
    });
    assert!(times.is_sorted());
    let page = |page_token: String| proto::GetJourneyRequest {
        name: names[0].clone(),
        page_size: 300,
        page_token,
        ..Default::default()
    };
    let mut paged = Vec::new();
    let mut token = String::new();
    loop {
        let next = client.get_journey(page(token)).await.unwrap().into_inner();
        paged.extend(next.steps);
        token = next.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(paged, whole.steps);
}

#[tokio::test]
async fn what_is_absorbed_after_the_conversion_earns_nothing_and_late_records_do() {
    let harness = Harness::start().await;
    harness.publish().await;
    for id in ["fast", "tough"] {
        let planned = proto::CreateCampaignRequest {
            parent: "propositions/van-repair".to_owned(),
            campaign_id: id.to_owned(),
            campaign: Some(proto::Campaign {
                presentation_ids: vec!["speed".to_owned()],
                starts_at: at(-1_000),
                ends_at: at(1_000),
                currency_code: "EUR".to_owned(),
                ..Default::default()
            }),
            request_id: new_id(),
            ..Default::default()
        };
        harness.campaigns().create_campaign(planned).await.unwrap();
    }
    let names = prospects(&harness, 2).await;
    let [customer, other] = [&names[0], &names[1]];
    let mut late = touch(customer, "late", -50);
    late.touchpoint.as_mut().unwrap().campaign =
        "propositions/van-repair/campaigns/tough".to_owned();
    touched(&harness, vec![touch(other, "click", -10)]).await;
    let mut client = harness.prospects();
    client.convert_prospect(convert(customer)).await.unwrap();
    client
        .merge_prospects(merge(other, customer))
        .await
        .unwrap();
    absorbed(&harness, 1).await;
    touched(&harness, vec![late]).await;

    let way = journey(&harness, customer).await;
    let marks = way
        .steps
        .iter()
        .map(|step| (step.late, step.after_conversion));
    assert_eq!(marks.collect::<Vec<_>>(), [(true, false), (false, true)]);
    assert!(way.converted_at.is_some());
    for (campaign, created) in [("fast", 0.0), ("tough", 1.0)] {
        let request = proto::GetCampaignScorecardRequest {
            name: format!("propositions/van-repair/campaigns/{campaign}"),
            ..Default::default()
        };
        let card = harness.campaigns().get_campaign_scorecard(request).await;
        let credited = f64::from(u8::from(
            card.unwrap().into_inner().created > Default::default(),
        ));
        assert!((credited - created).abs() < f64::EPSILON, "{campaign}");
    }
}

#[tokio::test]
async fn the_stricter_consent_wins_in_a_merge() {
    let harness = Harness::start().await;
    let names = prospects(&harness, 2).await;
    let [older, younger] = [&names[0], &names[1]];
    let mut client = harness.prospects();
    let yes = client
        .set_consent(consent(older, ConsentStatus::Granted, -10))
        .await;
    let yes = yes.unwrap().into_inner();
    assert_eq!(yes.consents[0].status(), ConsentStatus::Granted);
    let earlier = client
        .set_consent(consent(older, ConsentStatus::Denied, -20))
        .await;
    let unchanged = earlier.unwrap().into_inner();
    assert_eq!(unchanged.consents, yes.consents);
    let no = client
        .set_consent(consent(younger, ConsentStatus::Denied, -20))
        .await;
    no.unwrap();
    client.merge_prospects(merge(younger, older)).await.unwrap();
    absorbed(&harness, 1).await;
    let root = get(&harness, older).await;
    assert_eq!(root.consents[0].status(), ConsentStatus::Denied);
    assert_eq!(root.consents[0].at, at(-10), "it replaces the later yes");
}

#[tokio::test]
async fn a_closed_prospect_is_reopened_and_lists_know_the_state() {
    let harness = Harness::start().await;
    let names = prospects(&harness, 5).await;
    let mut client = harness.prospects();
    for name in &names[1..] {
        let close = proto::CloseProspectRequest {
            name: name.clone(),
            reason: proto::CloseReason::NoNeed as i32,
            request_id: new_id(),
            ..Default::default()
        };
        client.close_prospect(close).await.unwrap();
    }
    let reopen = |name: &str| proto::ReopenProspectRequest {
        name: name.to_owned(),
        request_id: new_id(),
        ..Default::default()
    };
    let reopened = client.reopen_prospect(reopen(&names[4])).await;
    let reopened = reopened.unwrap().into_inner();
    assert_eq!(reopened.state(), proto::ProspectState::Anonymous);
    assert_eq!(reopened.closing, None);
    let open = refused(client.reopen_prospect(reopen(&names[4])).await);
    assert_eq!(open, (Code::FailedPrecondition, "NOT_CLOSED".to_owned()));

    let list = |state: proto::ProspectState, page_token: String| proto::ListProspectsRequest {
        page_size: 2,
        page_token,
        state: state as i32,
        ..Default::default()
    };
    let closed = list(proto::ProspectState::Closed, String::new());
    let first = client.list_prospects(closed).await.unwrap().into_inner();
    let closed = list(proto::ProspectState::Closed, first.next_page_token.clone());
    let second = client.list_prospects(closed).await.unwrap().into_inner();
    let found = first.prospects.iter().chain(&second.prospects);
    let found: Vec<&String> = found.map(|prospect| &prospect.name).collect();
    assert_eq!(found, names[1..4].iter().collect::<Vec<_>>());
    let mixed_up = list(proto::ProspectState::Anonymous, first.next_page_token);
    assert_eq!(
        refused(client.list_prospects(mixed_up).await).0,
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn a_lost_answer_to_a_merge_is_asked_for_again() {
    let harness = Harness::start().await;
    let names = prospects(&harness, 2).await;
    let request = merge(&names[1], &names[0]);
    let mut client = harness.prospects();
    let first = client.merge_prospects(request.clone()).await.unwrap();
    let again = client.merge_prospects(request.clone()).await.unwrap();
    assert_eq!(first.into_inner().into, again.into_inner().into);
    let reused = proto::MergeProspectsRequest {
        into: format!("prospects/{}", Uuid::nil()),
        ..request
    };
    assert_eq!(
        refused(client.merge_prospects(reused).await),
        (Code::InvalidArgument, "REQUEST_ID_REUSED".to_owned())
    );
}

#[tokio::test]
async fn reports_leave_out_who_went_into_another() {
    let harness = Harness::start().await;
    harness.publish().await;
    crate::attribution::run(&harness, "fast", "speed").await;
    let names = prospects(&harness, 3).await;
    let [older, younger, closed] = [&names[0], &names[1], &names[2]];
    touched(
        &harness,
        vec![
            touch(older, "click", -30),
            touch(younger, "click", -40),
            touch(closed, "click", -50),
        ],
    )
    .await;
    let mut client = harness.prospects();
    for name in [younger, closed] {
        let close = proto::CloseProspectRequest {
            name: name.clone(),
            reason: proto::CloseReason::NoNeed as i32,
            request_id: new_id(),
            ..Default::default()
        };
        client.close_prospect(close).await.unwrap();
    }
    let counts = async || {
        let funnel = proto::GetFunnelRequest::default();
        let funnel = harness.reports().get_funnel(funnel).await.unwrap();
        let total = funnel.into_inner().total.unwrap();
        let markov = proto::GetAttributionRequest {
            model: proto::AttributionModel::Markov as i32,
            dimension: proto::AttributionDimension::Campaign as i32,
            currency_code: "EUR".to_owned(),
            ..Default::default()
        };
        let markov = harness.reports().get_attribution(markov).await.unwrap();
        let benefit = proto::GetBenefitScorecardRequest {
            name: "propositions/van-repair/benefits/next-day".to_owned(),
            ..Default::default()
        };
        let benefit = harness.reports().get_benefit_scorecard(benefit).await;
        let reached = benefit.unwrap().into_inner().presented.unwrap();
        let journeys = markov.into_inner().closed_journeys;
        (total.created, total.closed, journeys, reached.prospects)
    };
    assert_eq!(counts().await, (3, 2, Some(2), 3));
    client.merge_prospects(merge(younger, older)).await.unwrap();
    absorbed(&harness, 1).await;
    assert_eq!(counts().await, (2, 1, Some(1), 2));
}
