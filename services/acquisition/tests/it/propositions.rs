//! `PropositionService`.

use patron_proto::acquisition::v1 as proto;
use tonic::Code;

use crate::harness::{Harness, content, create, new_id, presentation, refused};

fn publish() -> proto::PublishPropositionRequest {
    proto::PublishPropositionRequest {
        name: "propositions/van-repair".to_owned(),
        request_id: new_id(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_draft_is_created_revised_published_and_read_back() {
    let harness = Harness::start().await;
    let mut propositions = harness.propositions();
    let drafted = propositions
        .create_proposition(create("van-repair"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(drafted.state(), proto::PropositionState::Draft);
    assert_eq!((drafted.revision, drafted.etag.as_str()), (1, "\"1\""));

    let mut better = content();
    better.display_name = "Van repair, better".to_owned();
    let update = proto::UpdatePropositionRequest {
        name: drafted.name.clone(),
        proposition: Some(better),
        etag: drafted.etag.clone(),
        request_id: new_id(),
        ..Default::default()
    };
    let revised = propositions
        .update_proposition(update.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (revised.display_name.as_str(), revised.revision),
        ("Van repair, better", 2)
    );

    propositions.publish_proposition(publish()).await.unwrap();
    let late = proto::UpdatePropositionRequest {
        etag: String::new(),
        request_id: new_id(),
        ..update
    };
    let refusal = refused(propositions.update_proposition(late).await);
    assert_eq!(refusal, (Code::FailedPrecondition, "NOT_DRAFT".to_owned()));

    let get = proto::GetPropositionRequest {
        name: drafted.name,
        ..Default::default()
    };
    let read = propositions
        .get_proposition(get)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(read.state(), proto::PropositionState::Published);
}

#[tokio::test]
async fn the_same_request_id_takes_effect_once_and_may_not_be_reused() {
    let harness = Harness::start().await;
    let mut propositions = harness.propositions();
    let request = create("van-repair");
    let first = propositions
        .create_proposition(request.clone())
        .await
        .unwrap()
        .into_inner();
    let again = propositions
        .create_proposition(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(first, again);

    let mut other = request;
    other.proposition = Some(proto::Proposition {
        display_name: "Other".to_owned(),
        ..content()
    });
    let refusal = refused(propositions.create_proposition(other).await);
    assert_eq!(
        refusal,
        (Code::InvalidArgument, "REQUEST_ID_REUSED".to_owned())
    );
}

#[tokio::test]
async fn a_stale_etag_is_refused_and_a_question_changes_nothing() {
    let harness = Harness::start().await;
    harness.draft().await;
    let mut propositions = harness.propositions();
    let stale = proto::PublishPropositionRequest {
        etag: "\"1\"".to_owned(),
        ..publish()
    };
    let refusal = refused(propositions.publish_proposition(stale).await);
    assert_eq!(refusal, (Code::Aborted, "STALE_ETAG".to_owned()));

    let question = proto::PublishPropositionRequest {
        validate_only: true,
        ..publish()
    };
    let would_be = propositions
        .publish_proposition(question)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(would_be.state(), proto::PropositionState::Published);
    let get = proto::GetPropositionRequest {
        name: would_be.name,
        ..Default::default()
    };
    let still = propositions
        .get_proposition(get)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(still.state(), proto::PropositionState::Draft);
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let harness = Harness::start().await;
    let mut propositions = harness.propositions();
    let refusal = refused(propositions.create_proposition(create("Van Repair")).await);
    assert_eq!(refusal.0, Code::InvalidArgument);
    let empty = proto::UpdatePropositionRequest::default();
    let status = propositions.update_proposition(empty).await.unwrap_err();
    for field in ["proposition: is required", "request_id: is required"] {
        assert!(status.message().contains(field), "{}", status.message());
    }
    let importances = proto::AddPresentationRequest {
        presentation: presentation("speed", "next-day")
            .presentation
            .map(|mut shown| {
                shown
                    .claims
                    .iter_mut()
                    .for_each(|claim| claim.importance = 40);
                shown
            }),
        ..presentation("speed", "next-day")
    };
    propositions
        .create_proposition(create("van-repair"))
        .await
        .unwrap();
    let refusal = refused(propositions.add_presentation(importances).await);
    assert_eq!(
        refusal,
        (Code::InvalidArgument, "IMPORTANCE_NOT_WHOLE".to_owned())
    );
}

#[tokio::test]
async fn a_flag_is_set_and_cleared_by_hand() {
    let harness = Harness::start().await;
    harness.publish().await;
    let mut propositions = harness.propositions();
    let name = "propositions/van-repair/presentations/speed".to_owned();
    let flag = proto::FlagPresentationRequest {
        name: name.clone(),
        reason: "it promises too much".to_owned(),
        request_id: new_id(),
        ..Default::default()
    };
    let flagged = propositions
        .flag_presentation(flag)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(flagged.flag.unwrap().reason, "it promises too much");
    let clear = proto::ClearPresentationFlagRequest {
        name: name.clone(),
        note: "we hired a second mechanic".to_owned(),
        request_id: new_id(),
        ..Default::default()
    };
    let cleared = propositions
        .clear_presentation_flag(clear)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(cleared.flag, None);
    let get = proto::GetPresentationRequest {
        name: name.replace("speed", "slow"),
        ..Default::default()
    };
    assert_eq!(
        refused(propositions.get_presentation(get).await).0,
        Code::NotFound
    );
}

#[tokio::test]
async fn lists_are_read_page_by_page() {
    let harness = Harness::start().await;
    let mut propositions = harness.propositions();
    for id in ["c", "a", "b"] {
        propositions.create_proposition(create(id)).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = proto::ListPropositionsRequest {
            page_size: 2,
            page_token,
            ..Default::default()
        };
        let page = propositions
            .list_propositions(request)
            .await
            .unwrap()
            .into_inner();
        seen.extend(page.propositions.into_iter().map(|shown| shown.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, ["propositions/a", "propositions/b", "propositions/c"]);
    let wrong = proto::ListPropositionsRequest {
        page_token: "x".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        refused(propositions.list_propositions(wrong).await).0,
        Code::InvalidArgument
    );
}
