//! `CampaignService`.

use patron_proto::acquisition::v1 as proto;
use tonic::Code;

use crate::harness::{Harness, at, euros, new_id, refused};

fn plan(id: &str, presentation: &str) -> proto::CreateCampaignRequest {
    proto::CreateCampaignRequest {
        parent: "propositions/van-repair".to_owned(),
        campaign_id: id.to_owned(),
        campaign: Some(proto::Campaign {
            presentation_ids: vec![presentation.to_owned()],
            starts_at: at(0),
            ends_at: at(86_400),
            currency_code: "EUR".to_owned(),
            ..Default::default()
        }),
        request_id: new_id(),
        ..Default::default()
    }
}

fn start(id: &str) -> proto::StartCampaignRequest {
    proto::StartCampaignRequest {
        name: format!("propositions/van-repair/campaigns/{id}"),
        request_id: new_id(),
        ..Default::default()
    }
}

fn spend(id: &str, minor_units: i64) -> proto::RecordSpendRequest {
    proto::RecordSpendRequest {
        parent: "propositions/van-repair/campaigns/fast".to_owned(),
        spend: Some(proto::Spend {
            spend_id: id.to_owned(),
            kind: proto::SpendKind::Media as i32,
            amount: euros(minor_units),
            ..Default::default()
        }),
        request_id: new_id(),
        validate_only: false,
    }
}

#[tokio::test]
async fn a_campaign_is_planned_started_paid_for_and_ended() {
    let harness = Harness::start().await;
    harness.publish().await;
    let mut campaigns = harness.campaigns();
    let planned = campaigns
        .create_campaign(plan("fast", "speed"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(planned.state(), proto::CampaignState::Planned);
    let early = refused(campaigns.record_spend(spend("media", 100)).await);
    assert_eq!(early.0, Code::FailedPrecondition);

    campaigns.start_campaign(start("fast")).await.unwrap();
    let invoice = spend("media", 100_000);
    campaigns.record_spend(invoice.clone()).await.unwrap();
    campaigns.record_spend(invoice).await.unwrap();
    let mut back = spend("credit-note", 40_000);
    back.spend.as_mut().unwrap().reverses = "media".to_owned();
    campaigns.record_spend(back).await.unwrap();
    let mut too_much = spend("another", 60_001);
    too_much.spend.as_mut().unwrap().reverses = "media".to_owned();
    let refusal = refused(campaigns.record_spend(too_much).await);
    assert_eq!(
        refusal,
        (Code::FailedPrecondition, "OVER_REVERSED".to_owned())
    );

    let end = proto::EndCampaignRequest {
        name: planned.name,
        request_id: new_id(),
        ..Default::default()
    };
    let ended = campaigns.end_campaign(end).await.unwrap().into_inner();
    assert_eq!(
        (ended.state(), ended.spend),
        (proto::CampaignState::Ended, euros(60_000))
    );
    let again = refused(campaigns.start_campaign(start("fast")).await);
    assert_eq!(again.0, Code::FailedPrecondition);
}

#[tokio::test]
async fn a_campaign_does_not_start_unpublished_or_with_a_flagged_presentation() {
    let harness = Harness::start().await;
    harness.draft().await;
    let mut campaigns = harness.campaigns();
    campaigns
        .create_campaign(plan("fast", "speed"))
        .await
        .unwrap();
    let refusal = refused(campaigns.start_campaign(start("fast")).await);
    assert_eq!(
        refusal,
        (Code::FailedPrecondition, "NOT_PUBLISHED".to_owned())
    );

    let publish = proto::PublishPropositionRequest {
        name: "propositions/van-repair".to_owned(),
        request_id: new_id(),
        ..Default::default()
    };
    harness
        .propositions()
        .publish_proposition(publish)
        .await
        .unwrap();
    let flag = proto::FlagPresentationRequest {
        name: "propositions/van-repair/presentations/speed".to_owned(),
        reason: "too fast".to_owned(),
        request_id: new_id(),
        ..Default::default()
    };
    harness
        .propositions()
        .flag_presentation(flag)
        .await
        .unwrap();
    let refusal = refused(campaigns.start_campaign(start("fast")).await);
    assert_eq!(
        refusal,
        (Code::FailedPrecondition, "PRESENTATION_FLAGGED".to_owned())
    );
}

#[tokio::test]
async fn wrong_plans_are_refused() {
    let harness = Harness::start().await;
    harness.publish().await;
    let mut campaigns = harness.campaigns();
    let unknown = refused(campaigns.create_campaign(plan("fast", "unknown")).await);
    assert_eq!(
        unknown,
        (Code::InvalidArgument, "UNKNOWN_PRESENTATION".to_owned())
    );
    let mut backwards = plan("fast", "speed");
    backwards.campaign.as_mut().unwrap().ends_at = at(0);
    let refusal = refused(campaigns.create_campaign(backwards).await);
    assert_eq!(refusal.0, Code::InvalidArgument);
    let mut nowhere = plan("fast", "speed");
    nowhere.parent = "propositions/nowhere".to_owned();
    assert_eq!(
        refused(campaigns.create_campaign(nowhere).await).0,
        Code::NotFound
    );
}

#[tokio::test]
async fn campaigns_of_all_propositions_are_listed_page_by_page() {
    let harness = Harness::start().await;
    harness.publish().await;
    let mut campaigns = harness.campaigns();
    for id in ["b", "a", "c"] {
        campaigns.create_campaign(plan(id, "speed")).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = proto::ListCampaignsRequest {
            parent: "propositions/-".to_owned(),
            page_size: 2,
            page_token,
            min_position: String::new(),
        };
        let page = campaigns
            .list_campaigns(request)
            .await
            .unwrap()
            .into_inner();
        seen.extend(page.campaigns.into_iter().map(|shown| shown.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let names = ["a", "b", "c"].map(|id| format!("propositions/van-repair/campaigns/{id}"));
    assert_eq!(seen, names);
}

#[tokio::test]
async fn an_empty_scorecard_has_no_figures_that_are_undefined() {
    let harness = Harness::start().await;
    harness.publish().await;
    let mut campaigns = harness.campaigns();
    let planned = campaigns
        .create_campaign(plan("fast", "speed"))
        .await
        .unwrap()
        .into_inner();
    let request = proto::GetCampaignScorecardRequest {
        name: planned.name,
        ..Default::default()
    };
    let card = campaigns
        .get_campaign_scorecard(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (card.created, card.cac, card.equity_per_spend),
        (0.0, None, None)
    );
    assert_eq!(card.promises.unwrap().kept_rate, None);
    assert_eq!(card.equity, euros(0));
}
