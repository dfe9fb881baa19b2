//! A history that is told late gives the reports that it would have given in its time.

use patron_proto::acquisition::v1 as proto;
use patron_proto::types::v1::{Identity, IdentityKind};
use prost_types::Timestamp;
use tonic::Code;

use crate::attribution::spend;
use crate::business::{DAY, convert, met, record, seconds};
use crate::harness::{Harness, at, create, new_id, presentation, refused};
use crate::retention::Retention;

const FAST: &str = "propositions/van-repair/campaigns/fast";

/// A moment so many days ago.
fn ago(days: i64) -> Option<Timestamp> {
    at(-days * DAY)
}

fn created(occurred_at: Option<Timestamp>) -> proto::CreateProspectRequest {
    proto::CreateProspectRequest {
        prospect: Some(proto::Prospect {
            kind: proto::ProspectKind::Person as i32,
            source: "website".to_owned(),
            ..Default::default()
        }),
        request_id: new_id(),
        occurred_at,
        ..Default::default()
    }
}

fn identified(name: &str, occurred_at: Option<Timestamp>) -> proto::IdentifyProspectRequest {
    proto::IdentifyProspectRequest {
        name: name.to_owned(),
        identities: vec![Identity {
            kind: IdentityKind::Phone as i32,
            value: "+34 600 000 000".to_owned(),
        }],
        request_id: new_id(),
        occurred_at,
        ..Default::default()
    }
}

fn qualified(name: &str, occurred_at: Option<Timestamp>) -> proto::QualifyProspectRequest {
    proto::QualifyProspectRequest {
        name: name.to_owned(),
        proposition: "propositions/van-repair".to_owned(),
        problem_id: "van-off-road".to_owned(),
        request_id: new_id(),
        occurred_at,
        ..Default::default()
    }
}

fn closed(name: &str, occurred_at: Option<Timestamp>) -> proto::CloseProspectRequest {
    proto::CloseProspectRequest {
        name: name.to_owned(),
        reason: proto::CloseReason::NoNeed as i32,
        request_id: new_id(),
        occurred_at,
        ..Default::default()
    }
}

fn reopened(name: &str, occurred_at: Option<Timestamp>) -> proto::ReopenProspectRequest {
    proto::ReopenProspectRequest {
        name: name.to_owned(),
        request_id: new_id(),
        occurred_at,
        ..Default::default()
    }
}

fn merged(name: &str, into: &str, occurred_at: Option<Timestamp>) -> proto::MergeProspectsRequest {
    proto::MergeProspectsRequest {
        name: name.to_owned(),
        into: into.to_owned(),
        request_id: new_id(),
        occurred_at,
        ..Default::default()
    }
}

fn planned(id: &str, occurred_at: Option<Timestamp>) -> proto::CreateCampaignRequest {
    proto::CreateCampaignRequest {
        parent: "propositions/van-repair".to_owned(),
        campaign_id: id.to_owned(),
        campaign: Some(proto::Campaign {
            presentation_ids: vec!["speed".to_owned()],
            starts_at: ago(101),
            ends_at: ago(40),
            currency_code: "EUR".to_owned(),
            ..Default::default()
        }),
        request_id: new_id(),
        occurred_at,
        ..Default::default()
    }
}

fn ended(ended_at: Option<Timestamp>) -> proto::EndCampaignRequest {
    proto::EndCampaignRequest {
        name: FAST.to_owned(),
        request_id: new_id(),
        ended_at,
        ..Default::default()
    }
}

fn started(started_at: Option<Timestamp>) -> proto::StartCampaignRequest {
    proto::StartCampaignRequest {
        name: FAST.to_owned(),
        request_id: new_id(),
        started_at,
        ..Default::default()
    }
}

async fn prospect(harness: &Harness, days_ago: i64) -> String {
    let mut prospects = harness.prospects();
    let made = prospects.create_prospect(created(ago(days_ago))).await;
    made.unwrap().into_inner().name
}

/// Four prospects and a campaign, told today: days ago
///
/// ```text
///      created  identified  qualified  converted  closed  reopened
/// ada      100          96         90         70
/// bob       80                     74         60
/// cleo      50          44                             20
/// dan       30                                         28        10
/// ```
async fn tell(harness: &Harness) {
    harness.publish().await;
    let (mut prospects, mut campaigns) = (harness.prospects(), harness.campaigns());
    let plan = planned("fast", ago(120));
    campaigns.create_campaign(plan).await.unwrap();
    campaigns.start_campaign(started(ago(101))).await.unwrap();
    spend(harness, "fast", "media", 30_000, "speed", -101 * DAY).await;
    let dan = prospect(harness, 30).await;
    prospects
        .close_prospect(closed(&dan, ago(28)))
        .await
        .unwrap();
    let again = prospects.reopen_prospect(reopened(&dan, ago(10))).await;
    again.unwrap();
    let cleo = prospect(harness, 50).await;
    let known = prospects
        .identify_prospect(identified(&cleo, ago(44)))
        .await;
    known.unwrap();
    prospects
        .close_prospect(closed(&cleo, ago(20)))
        .await
        .unwrap();
    let mut retention = Retention::default();
    for (created, known, touched, problem, customer) in
        [(80, None, 78, 74, 60), (100, Some(96), 95, 90, 70)]
    {
        let name = prospect(harness, created).await;
        if known.is_some() {
            let known = identified(&name, known.and_then(ago));
            prospects.identify_prospect(known).await.unwrap();
        }
        record(harness, &name, "a", &met(-touched * DAY, FAST, "speed")).await;
        let problem = qualified(&name, ago(problem));
        prospects.qualify_prospect(problem).await.unwrap();
        convert(harness, &name, -customer * DAY, Some(40_000), "EUR").await;
        let bought = (-customer * DAY, 40_000);
        retention.bought(harness, &name, "1", bought).await;
    }
    campaigns.end_campaign(ended(ago(40))).await.unwrap();
}

async fn funnel(harness: &Harness, request: proto::GetFunnelRequest) -> proto::FunnelLine {
    let answered = harness.reports().get_funnel(request).await;
    answered.unwrap().into_inner().total.unwrap()
}

const fn counts(line: &proto::FunnelLine) -> [i64; 5] {
    [
        line.created,
        line.identified,
        line.qualified,
        line.converted,
        line.closed,
    ]
}

#[tokio::test]
async fn the_funnel_has_the_medians_of_the_days_on_which_things_happened() {
    let harness = Harness::start_listening().await;
    tell(&harness).await;
    let all = funnel(&harness, proto::GetFunnelRequest::default()).await;
    assert_eq!(counts(&all), [4, 2, 2, 2, 2]);
    // 4 and 6; 10 and 6; 20 and 14; 30 and 20; 30 and 2.
    assert_eq!(all.median_days_created_to_identified, Some(5.0));
    assert_eq!(all.median_days_created_to_qualified, Some(8.0));
    assert_eq!(all.median_days_qualified_to_converted, Some(17.0));
    assert_eq!(all.median_days_created_to_converted, Some(25.0));
    assert_eq!(all.median_days_created_to_closed, Some(16.0));

    let then = proto::GetFunnelRequest {
        as_of: ago(65),
        ..Default::default()
    };
    let then = funnel(&harness, then).await;
    assert_eq!(counts(&then), [2, 1, 2, 1, 0]);
    assert_eq!(then.median_days_created_to_converted, Some(30.0));

    let period = proto::GetFunnelRequest {
        start: Some(seconds(-85 * DAY)),
        end: Some(seconds(-65 * DAY)),
        ..Default::default()
    };
    let period = funnel(&harness, period).await;
    assert_eq!(counts(&period), [1, 0, 1, 1, 0]);
    assert_eq!(period.median_days_created_to_qualified, Some(6.0));
    assert_eq!(period.median_days_qualified_to_converted, Some(20.0));
}

#[tokio::test]
async fn a_campaign_is_paid_back_as_many_days_after_its_start_as_it_was() {
    let harness = Harness::start_listening().await;
    tell(&harness).await;
    let card = |as_of| {
        let request = proto::GetCampaignScorecardRequest {
            name: FAST.to_owned(),
            as_of,
            ..Default::default()
        };
        let mut campaigns = harness.campaigns();
        async move {
            let card = campaigns.get_campaign_scorecard(request).await;
            card.unwrap().into_inner()
        }
    };
    // 200.00 of margin 70 days ago and as much 60 days ago, for 300.00 spent 101 days ago.
    let now = card(None).await;
    assert_eq!((now.created, now.payback_days), (2.0, Some(41)));
    assert_eq!(card(ago(59)).await.payback_days, Some(41));
    let between = card(ago(61)).await;
    assert_eq!((between.created, between.payback_days), (1.0, None));
    let shown = proto::GetCampaignRequest {
        name: FAST.to_owned(),
        ..Default::default()
    };
    let shown = harness.campaigns().get_campaign(shown).await.unwrap();
    let shown = shown.into_inner();
    assert_eq!((shown.started_at, shown.ended_at), (ago(101), ago(40)));
}

#[tokio::test]
async fn a_campaign_does_not_end_before_it_has_started() {
    let harness = Harness::start().await;
    harness.publish().await;
    let mut campaigns = harness.campaigns();
    let plan = planned("fast", None);
    campaigns.create_campaign(plan).await.unwrap();
    campaigns.start_campaign(started(ago(10))).await.unwrap();
    assert_eq!(
        refused(campaigns.end_campaign(ended(ago(11))).await),
        (Code::InvalidArgument, "TOO_EARLY".to_owned())
    );
    campaigns.end_campaign(ended(ago(10))).await.unwrap();
}

#[tokio::test]
async fn the_time_is_a_part_of_the_request_and_of_the_prospect() {
    let harness = Harness::start().await;
    let mut prospects = harness.prospects();
    let told = created(ago(30));
    let first = prospects.create_prospect(told.clone()).await.unwrap();
    let first = first.into_inner();
    assert_eq!(first.create_time, ago(30));
    let again = prospects.create_prospect(told.clone()).await.unwrap();
    assert_eq!(again.into_inner().name, first.name);
    let other = proto::CreateProspectRequest {
        occurred_at: ago(31),
        ..told
    };
    assert_eq!(
        refused(prospects.create_prospect(other).await),
        (Code::InvalidArgument, "REQUEST_ID_REUSED".to_owned())
    );
    let plan = planned("fast", ago(30));
    harness.publish().await;
    let mut campaigns = harness.campaigns();
    campaigns.create_campaign(plan).await.unwrap();
    campaigns
        .create_campaign(planned("fast", ago(30)))
        .await
        .unwrap();
    campaigns
        .create_campaign(planned("fast", None))
        .await
        .unwrap();
    assert_eq!(
        refused(campaigns.create_campaign(planned("fast", ago(29))).await).0,
        Code::AlreadyExists
    );
}

#[tokio::test]
async fn nothing_of_a_prospect_or_a_campaign_is_further_ahead_than_clocks_differ() {
    let harness = Harness::start().await;
    harness.publish().await;
    let (mut prospects, mut campaigns) = (harness.prospects(), harness.campaigns());
    let (in_time, ahead) = (|| at(300), || at(301));
    let future = || (Code::InvalidArgument, "FUTURE_TIME".to_owned());
    let older = harness.prospect().await;
    let refusal = refused(prospects.create_prospect(created(ahead())).await);
    assert_eq!(refusal, future());
    let name = prospects.create_prospect(created(in_time())).await.unwrap();
    let name = name.into_inner().name;
    let refusal = refused(
        prospects
            .identify_prospect(identified(&name, ahead()))
            .await,
    );
    assert_eq!(refusal, future());
    let known = prospects
        .identify_prospect(identified(&name, in_time()))
        .await;
    known.unwrap();
    let refusal = refused(prospects.qualify_prospect(qualified(&name, ahead())).await);
    assert_eq!(refusal, future());
    let problem = prospects
        .qualify_prospect(qualified(&name, in_time()))
        .await;
    problem.unwrap();
    let refusal = refused(prospects.close_prospect(closed(&name, ahead())).await);
    assert_eq!(refusal, future());
    let done = prospects.close_prospect(closed(&name, in_time())).await;
    done.unwrap();
    let refusal = refused(prospects.reopen_prospect(reopened(&name, ahead())).await);
    assert_eq!(refusal, future());
    let again = prospects.reopen_prospect(reopened(&name, in_time())).await;
    again.unwrap();
    let merge = merged(&name, &older, ahead());
    assert_eq!(refused(prospects.merge_prospects(merge).await), future());
    let merge = merged(&name, &older, in_time());
    prospects.merge_prospects(merge).await.unwrap();

    let plan = planned("fast", ahead());
    assert_eq!(refused(campaigns.create_campaign(plan).await), future());
    let plan = planned("fast", in_time());
    campaigns.create_campaign(plan).await.unwrap();
    let refusal = refused(campaigns.start_campaign(started(ahead())).await);
    assert_eq!(refusal, future());
    campaigns.start_campaign(started(in_time())).await.unwrap();
    let refusal = refused(campaigns.end_campaign(ended(ahead())).await);
    assert_eq!(refusal, future());
    campaigns.end_campaign(ended(in_time())).await.unwrap();
}

#[tokio::test]
async fn nothing_of_a_proposition_is_further_ahead_than_clocks_differ() {
    let harness = Harness::start().await;
    let mut propositions = harness.propositions();
    let future = || (Code::InvalidArgument, "FUTURE_TIME".to_owned());
    let name = || "propositions/van-repair".to_owned();
    for (occurred_at, is_refused) in [(at(301), true), (at(300), false)] {
        let judge = |outcome: Result<(), tonic::Status>| {
            if is_refused {
                assert_eq!(refused(outcome.map(tonic::Response::new)), future());
            } else {
                outcome.unwrap();
            }
        };
        let draft = proto::CreatePropositionRequest {
            occurred_at,
            ..create("bus-repair")
        };
        judge(propositions.create_proposition(draft).await.map(drop));
        if is_refused {
            harness.draft().await;
        }
        let mut content = crate::harness::content();
        content.display_name = "Vans and buses".to_owned();
        let revise = proto::UpdatePropositionRequest {
            name: name(),
            proposition: Some(content),
            request_id: new_id(),
            occurred_at,
            ..Default::default()
        };
        judge(propositions.update_proposition(revise).await.map(drop));
        let add = proto::AddPresentationRequest {
            occurred_at,
            ..presentation("loud", "next-day")
        };
        judge(propositions.add_presentation(add).await.map(drop));
        let flag = proto::FlagPresentationRequest {
            name: format!("{}/presentations/speed", name()),
            reason: "too loud".to_owned(),
            request_id: new_id(),
            occurred_at,
            ..Default::default()
        };
        judge(propositions.flag_presentation(flag).await.map(drop));
        let clear = proto::ClearPresentationFlagRequest {
            name: format!("{}/presentations/speed", name()),
            note: "softer now".to_owned(),
            request_id: new_id(),
            occurred_at,
            ..Default::default()
        };
        judge(propositions.clear_presentation_flag(clear).await.map(drop));
        let publish = proto::PublishPropositionRequest {
            name: name(),
            request_id: new_id(),
            occurred_at,
            ..Default::default()
        };
        judge(propositions.publish_proposition(publish).await.map(drop));
        let retire = proto::RetirePropositionRequest {
            name: name(),
            request_id: new_id(),
            occurred_at,
            ..Default::default()
        };
        judge(propositions.retire_proposition(retire).await.map(drop));
    }
}
