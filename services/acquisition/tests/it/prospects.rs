//! `ProspectService`.

use patron_proto::acquisition::v1 as proto;
use tonic::Code;
use uuid::Uuid;

use crate::harness::{Harness, at, create, euros, new_id, refused};

fn touch(prospect: &str, id: &str, seconds: i64) -> proto::RecordTouchpointRequest {
    proto::RecordTouchpointRequest {
        parent: prospect.to_owned(),
        touchpoint: Some(proto::Touchpoint {
            touchpoint_id: id.to_owned(),
            channel: "search".to_owned(),
            kind: proto::TouchpointKind::Click as i32,
            occurred_at: at(seconds),
            ..Default::default()
        }),
        request_id: new_id(),
        validate_only: false,
    }
}

fn convert(prospect: &str) -> proto::ConvertProspectRequest {
    proto::ConvertProspectRequest {
        name: prospect.to_owned(),
        proposition: "propositions/van-repair".to_owned(),
        presentation_id: "speed".to_owned(),
        problem_id: "van-off-road".to_owned(),
        first_purchase: Some(proto::FirstPurchase {
            amount: euros(40_000),
            contribution_margin: None,
        }),
        currency_code: "EUR".to_owned(),
        request_id: new_id(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_conversion_copies_the_claims_as_promises_with_their_dates() {
    let harness = Harness::start().await;
    harness.publish().await;
    let prospect = harness.prospect().await;
    harness
        .prospects()
        .record_touchpoint(touch(&prospect, "click", -60))
        .await
        .unwrap();
    let converted = harness
        .prospects()
        .convert_prospect(convert(&prospect))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(converted.state(), proto::ProspectState::Converted);
    let conversion = converted.conversion.unwrap();
    assert_eq!(
        conversion.customer,
        prospect.replace("prospects", "customers")
    );
    let promise = conversion.promises.first().unwrap();
    assert_eq!(
        (promise.benefit_id.as_str(), promise.due_at),
        ("next-day", at(30 * 86_400))
    );
    assert!(promise.promise_id.parse::<Uuid>().is_ok());
}

#[tokio::test]
async fn a_touch_after_the_conversion_is_refused_and_a_late_record_of_an_earlier_one_is_not() {
    let harness = Harness::start().await;
    harness.publish().await;
    let prospect = harness.prospect().await;
    harness
        .prospects()
        .convert_prospect(convert(&prospect))
        .await
        .unwrap();
    let after = refused(
        harness
            .prospects()
            .record_touchpoint(touch(&prospect, "after", 60))
            .await,
    );
    assert_eq!(
        after,
        (Code::FailedPrecondition, "AFTER_CONVERSION".to_owned())
    );
    harness
        .prospects()
        .record_touchpoint(touch(&prospect, "late", -60))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_conversion_needs_a_promise_and_happens_once() {
    let harness = Harness::start().await;
    harness.publish().await;
    let prospect = harness.prospect().await;
    let unpromising = proto::ConvertProspectRequest {
        presentation_id: String::new(),
        ..convert(&prospect)
    };
    let refusal = refused(harness.prospects().convert_prospect(unpromising).await);
    assert_eq!(refusal, (Code::InvalidArgument, "NO_PROMISE".to_owned()));
    harness
        .prospects()
        .convert_prospect(convert(&prospect))
        .await
        .unwrap();
    harness
        .prospects()
        .convert_prospect(convert(&prospect))
        .await
        .expect("the same content is OK");
    let other = proto::ConvertProspectRequest {
        first_purchase: None,
        ..convert(&prospect)
    };
    let refusal = refused(harness.prospects().convert_prospect(other).await);
    assert_eq!(
        refusal,
        (Code::FailedPrecondition, "ALREADY_CONVERTED".to_owned())
    );
}

#[tokio::test]
async fn a_prospect_is_qualified_and_closed_with_a_reason() {
    let harness = Harness::start().await;
    harness.publish().await;
    let prospect = harness.prospect().await;
    let qualified = harness
        .prospects()
        .qualify_prospect(qualify(&prospect, "van-repair", "van-off-road"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(qualified.state(), proto::ProspectState::Qualified);
    let close = |reason: proto::CloseReason, note: &str| proto::CloseProspectRequest {
        name: prospect.clone(),
        reason: reason as i32,
        note: note.to_owned(),
        request_id: new_id(),
        ..Default::default()
    };
    let mut prospects = harness.prospects();
    let nobody = refused(
        prospects
            .close_prospect(close(proto::CloseReason::LostToCompetitor, ""))
            .await,
    );
    assert_eq!(nobody.0, Code::InvalidArgument);
    let noteless = refused(
        prospects
            .close_prospect(close(proto::CloseReason::Other, ""))
            .await,
    );
    assert_eq!(noteless.0, Code::InvalidArgument);
    let closed = prospects
        .close_prospect(close(proto::CloseReason::NoBudget, ""))
        .await
        .unwrap();
    assert_eq!(closed.into_inner().state(), proto::ProspectState::Closed);
    let late = refused(prospects.convert_prospect(convert(&prospect)).await);
    assert_eq!(late.0, Code::FailedPrecondition);
}

fn qualify(prospect: &str, proposition: &str, problem: &str) -> proto::QualifyProspectRequest {
    proto::QualifyProspectRequest {
        name: prospect.to_owned(),
        proposition: format!("propositions/{proposition}"),
        problem_id: problem.to_owned(),
        request_id: new_id(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_prospect_is_qualified_for_a_problem_that_the_proposition_names() {
    let harness = Harness::start().await;
    harness.publish().await;
    let prospect = harness.prospect().await;
    let mut client = harness.prospects();
    for (proposition, problem, reason) in [
        ("van-hire", "van-off-road", "UNKNOWN_PROPOSITION"),
        ("van-repair", "van-too-small", "UNKNOWN_PROBLEM"),
    ] {
        let request = qualify(&prospect, proposition, problem);
        let refusal = refused(client.qualify_prospect(request).await);
        assert_eq!(refusal, (Code::InvalidArgument, reason.to_owned()));
    }
    let get = proto::GetProspectRequest {
        name: prospect.clone(),
        ..Default::default()
    };
    let found = client.get_prospect(get).await.unwrap().into_inner();
    assert_eq!(found.state(), proto::ProspectState::Anonymous);
}

#[tokio::test]
async fn another_instance_knows_a_proposition_as_soon_as_it_is_there() {
    let one = Harness::start().await;
    let options = runtime::Options {
        inbox_topic: None,
        ..runtime::Options::for_pair("acquisition", "retention")
    };
    let clock = std::sync::Arc::clone(&one.clock);
    let other = Harness::start_on(one.topics.clone(), clock, options).await;
    let prospect = other.prospect().await;
    for i in 0..20 {
        let id = format!("p{i}");
        let made = one.propositions().create_proposition(create(&id)).await;
        made.unwrap();
        let request = qualify(&prospect, &id, "van-off-road");
        other.prospects().qualify_prospect(request).await.unwrap();
    }
}

#[tokio::test]
async fn one_bad_touch_of_a_batch_does_not_stop_the_others() {
    let harness = Harness::start().await;
    let prospect = harness.prospect().await;
    let item = |parent: &str, id: &str| proto::TouchpointItem {
        parent: parent.to_owned(),
        touchpoint: touch(parent, id, -60).touchpoint,
    };
    let request = proto::BatchRecordTouchpointsRequest {
        items: vec![
            item(&prospect, "one"),
            item("prospects/00000000-0000-0000-0000-000000000000", "nobody"),
            item(&prospect, "two"),
        ],
        request_id: new_id(),
    };
    for _ in 0..2 {
        let answer = harness
            .prospects()
            .batch_record_touchpoints(request.clone())
            .await
            .unwrap();
        let codes: Vec<i32> = answer
            .into_inner()
            .results
            .iter()
            .map(|result| result.code)
            .collect();
        assert_eq!(codes, [0, Code::NotFound as i32, 0]);
    }
    let get = proto::GetProspectRequest {
        name: prospect,
        ..Default::default()
    };
    let read = harness
        .prospects()
        .get_prospect(get)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(read.touchpoint_count, 2);
}

#[tokio::test]
async fn a_thousand_clients_that_repeat_themselves_take_effect_once() {
    let harness = Harness::start().await;
    let prospect = harness.prospect().await;
    let request = touch(&prospect, "click", -60);
    let repeated = (0..1_000).map(|_| {
        let (mut prospects, request) = (harness.prospects(), request.clone());
        async move { prospects.record_touchpoint(request).await }
    });
    for outcome in futures::future::join_all(repeated).await {
        // A server may turn some away, but none is told a falsehood.
        assert!(outcome.is_ok() || outcome.unwrap_err().code() == Code::ResourceExhausted);
    }
    let get = proto::GetProspectRequest {
        name: prospect,
        ..Default::default()
    };
    assert_eq!(
        harness
            .prospects()
            .get_prospect(get)
            .await
            .unwrap()
            .into_inner()
            .touchpoint_count,
        1
    );
}
