//! Something to convert prospects to: a published proposition with one presentation, `speed`.

use patron_proto::acquisition::v1 as acquisition;
use patron_proto::acquisition::v1::proposition_service_client::PropositionServiceClient;

use crate::clients::request_id;

pub(crate) const PROPOSITION: &str = "propositions/van-repair";

/// Publishes it.
pub(crate) async fn publish(url: &str) {
    let mut propositions = PropositionServiceClient::connect(url.to_owned())
        .await
        .unwrap();
    let created = acquisition::CreatePropositionRequest {
        proposition_id: "van-repair".to_owned(),
        proposition: Some(acquisition::Proposition {
            display_name: "Van repair".to_owned(),
            problems: vec![acquisition::Problem {
                problem_id: "van-off-road".to_owned(),
                statement: "The van is off the road".to_owned(),
            }],
            benefits: vec![acquisition::Benefit {
                benefit_id: "next-day".to_owned(),
                statement: "Back the next day".to_owned(),
                nature: acquisition::BenefitNature::Intangible as i32,
                level: acquisition::BenefitLevel::Augmented as i32,
                ..Default::default()
            }],
            ..Default::default()
        }),
        request_id: request_id(),
        ..Default::default()
    };
    propositions.create_proposition(created).await.unwrap();
    let added = acquisition::AddPresentationRequest {
        parent: PROPOSITION.to_owned(),
        presentation_id: "speed".to_owned(),
        presentation: Some(acquisition::Presentation {
            channel: "search".to_owned(),
            message: "Back the next day".to_owned(),
            claims: vec![acquisition::Claim {
                benefit_id: "next-day".to_owned(),
                expectation: "back the next day".to_owned(),
                expected_score: 6,
                importance: 100,
                due_days: None,
            }],
            ..Default::default()
        }),
        request_id: request_id(),
        ..Default::default()
    };
    propositions.add_presentation(added).await.unwrap();
    let published = acquisition::PublishPropositionRequest {
        name: PROPOSITION.to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    propositions.publish_proposition(published).await.unwrap();
}
