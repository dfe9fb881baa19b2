//! A proposition that has had its day, and the copy that follows it.

use patron_proto::acquisition::v1 as proto;
use tonic::Code;

use crate::harness::{Harness, at, content, create, new_id, presentation, refused};

fn retire() -> proto::RetirePropositionRequest {
    proto::RetirePropositionRequest {
        name: "propositions/van-repair".to_owned(),
        request_id: new_id(),
        ..Default::default()
    }
}

fn campaign(id: &str) -> proto::CreateCampaignRequest {
    proto::CreateCampaignRequest {
        parent: "propositions/van-repair".to_owned(),
        campaign_id: id.to_owned(),
        campaign: Some(proto::Campaign {
            presentation_ids: vec!["speed".to_owned()],
            starts_at: at(-10),
            ends_at: at(1_000),
            currency_code: "EUR".to_owned(),
            ..Default::default()
        }),
        request_id: new_id(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_proposition_is_retired_after_its_campaigns_and_starts_nothing_new() {
    let harness = Harness::start().await;
    harness.publish().await;
    let name = "propositions/van-repair/campaigns/fast".to_owned();
    let mut campaigns = harness.campaigns();
    campaigns.create_campaign(campaign("fast")).await.unwrap();
    let start = proto::StartCampaignRequest {
        name: name.clone(),
        request_id: new_id(),
        ..Default::default()
    };
    campaigns.start_campaign(start).await.unwrap();
    let mut propositions = harness.propositions();
    assert_eq!(
        refused(propositions.retire_proposition(retire()).await),
        (Code::FailedPrecondition, "CAMPAIGN_RUNNING".to_owned())
    );
    let end = proto::EndCampaignRequest {
        name,
        request_id: new_id(),
        ..Default::default()
    };
    campaigns.end_campaign(end).await.unwrap();
    let retired = propositions.retire_proposition(retire()).await.unwrap();
    let retired = retired.into_inner();
    assert_eq!(retired.state(), proto::PropositionState::Retired);

    let over = (Code::FailedPrecondition, "RETIRED".to_owned());
    let again = propositions.retire_proposition(retire()).await;
    assert_eq!(refused(again), over);
    let added = propositions
        .add_presentation(presentation("late", "next-day"))
        .await;
    assert_eq!(refused(added), over);
    let planned = campaigns.create_campaign(campaign("late")).await;
    assert_eq!(refused(planned), over);
}

#[tokio::test]
async fn a_copy_starts_as_a_draft_with_the_content_alone() {
    let harness = Harness::start().await;
    harness.publish().await;
    let copy = |from: &str| proto::CreatePropositionRequest {
        proposition: None,
        copy_from: format!("propositions/{from}"),
        ..create("bus-repair")
    };
    let mut propositions = harness.propositions();
    assert_eq!(
        refused(propositions.create_proposition(copy("nothing")).await),
        (Code::InvalidArgument, "UNKNOWN_PROPOSITION".to_owned())
    );
    let both = proto::CreatePropositionRequest {
        proposition: Some(content()),
        ..copy("van-repair")
    };
    let both = refused(propositions.create_proposition(both).await);
    assert_eq!(both.0, Code::InvalidArgument);
    let copied = propositions.create_proposition(copy("van-repair")).await;
    let copied = copied.unwrap().into_inner();
    assert_eq!(copied.state(), proto::PropositionState::Draft);
    assert_eq!(copied.problems, content().problems);
    assert_eq!(copied.benefits, content().benefits);
    assert!(copied.presentations.is_empty());
    let neither = proto::CreatePropositionRequest {
        copy_from: String::new(),
        ..copy("van-repair")
    };
    let neither = refused(propositions.create_proposition(neither).await);
    assert_eq!(neither.0, Code::InvalidArgument);
}
