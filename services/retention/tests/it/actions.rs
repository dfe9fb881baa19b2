//! `CustomerService`: actions that people propose, complete and cancel.

use patron_proto::retention::v1 as proto;
use patron_proto::types::v1::ConsentStatus;
use tonic::Code;

use crate::harness::{DAY, Harness, at, end, euros, new_id, open, precondition, refused};

pub(crate) fn propose(
    customer: &str,
    id: &str,
    kind: proto::ActionType,
) -> proto::ProposeActionRequest {
    proto::ProposeActionRequest {
        parent: customer.to_owned(),
        action_id: id.to_owned(),
        action: Some(proto::Action {
            r#type: kind as i32,
            due_at: at(7 * DAY),
            ..Default::default()
        }),
        request_id: new_id(),
        ..Default::default()
    }
}

pub(crate) fn complete(action: &str) -> proto::CompleteActionRequest {
    proto::CompleteActionRequest {
        name: action.to_owned(),
        outcome: proto::ActionOutcome::Succeeded as i32,
        request_id: new_id(),
        ..Default::default()
    }
}

fn cancel(action: &str) -> proto::CancelActionRequest {
    proto::CancelActionRequest {
        name: action.to_owned(),
        request_id: new_id(),
        ..Default::default()
    }
}

#[tokio::test]
async fn an_action_is_proposed_and_completed_once() {
    let harness = Harness::start().await;
    let customer = harness.customer("00042").await;
    let mut client = harness.customers();
    let mut call = propose(&customer, "call", proto::ActionType::Grow);
    let action = call.action.as_mut().unwrap();
    action.owner = "li".to_owned();
    action.promise_id = "next-day".to_owned();
    action.trigger_event_id = "ticket-12".to_owned();
    let proposed = client.propose_action(call.clone()).await.unwrap();
    let proposed = proposed.into_inner();
    assert_eq!(proposed.name, format!("{customer}/actions/call"));
    assert_eq!(
        (proposed.owner.as_str(), proposed.trigger_event_id.as_str()),
        ("li", "ticket-12")
    );
    call.request_id = new_id();
    assert!(client.propose_action(call.clone()).await.is_ok());
    call.request_id = new_id();
    call.action.as_mut().unwrap().due_at = at(8 * DAY);
    assert_eq!(
        refused(client.propose_action(call).await).0,
        Code::AlreadyExists
    );
    let done = proto::CompleteActionRequest {
        cost: euros(2_500),
        ..complete(&proposed.name)
    };
    let done = client.complete_action(done).await.unwrap().into_inner();
    assert_eq!(
        (done.state(), done.cost, done.closed_at),
        (proto::ActionState::Succeeded, euros(2_500), at(0))
    );
    for again in [complete(&proposed.name), complete(&proposed.name)] {
        assert_eq!(
            refused(client.complete_action(again).await),
            precondition("ACTION_CLOSED")
        );
    }
    assert_eq!(
        refused(client.cancel_action(cancel(&proposed.name)).await),
        precondition("ACTION_CLOSED")
    );
}

#[tokio::test]
async fn an_action_without_an_id_gets_one_and_may_be_cancelled() {
    let harness = Harness::start().await;
    let customer = harness.customer("00042").await;
    let mut client = harness.customers();
    let call = propose(&customer, "", proto::ActionType::Renew);
    let proposed = client.propose_action(call).await.unwrap().into_inner();
    let cancelled = client.cancel_action(cancel(&proposed.name)).await.unwrap();
    assert_eq!(
        cancelled.into_inner().state(),
        proto::ActionState::Cancelled
    );
    let unknown = cancel(&format!("{customer}/actions/unknown"));
    assert_eq!(
        refused(client.cancel_action(unknown).await).0,
        Code::NotFound
    );
    let undecided = proto::CompleteActionRequest {
        outcome: proto::ActionOutcome::Unspecified as i32,
        ..complete(&proposed.name)
    };
    assert_eq!(
        refused(client.complete_action(undecided).await).0,
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn a_lost_customer_can_only_be_won_back_and_only_with_consent() {
    let harness = Harness::start().await;
    let mut client = harness.customers();
    let mut silent = open("00043");
    silent.consents[0].status = ConsentStatus::Denied as i32;
    let silent = client.open_relationship(silent).await.unwrap();
    let silent = silent.into_inner().name;
    let customer = harness.customer("00042").await;
    for name in [&customer, &silent] {
        let lost = end(name, proto::LossReason::Price);
        client.end_relationship(lost).await.unwrap();
    }
    let grow = propose(&customer, "grow", proto::ActionType::Grow);
    assert_eq!(
        refused(client.propose_action(grow).await),
        precondition("WIN_BACK_FIRST")
    );
    let back = propose(&customer, "back", proto::ActionType::WinBack);
    assert!(client.propose_action(back).await.is_ok());
    let back = propose(&silent, "back", proto::ActionType::WinBack);
    assert_eq!(
        refused(client.propose_action(back).await),
        precondition("NO_CONSENT")
    );
}

#[tokio::test]
async fn a_proposal_is_told_late_and_never_ahead() {
    let harness = Harness::start().await;
    let customer = harness.customer("00042").await;
    let acquired_at = harness.full(&customer).await.acquired_at;
    let told = |occurred_at| proto::ProposeActionRequest {
        occurred_at,
        ..propose(&customer, "call", proto::ActionType::Grow)
    };
    let mut client = harness.customers();
    assert_eq!(
        refused(client.propose_action(told(at(301))).await),
        (Code::InvalidArgument, "FUTURE_TIME".to_owned())
    );
    let proposed = client.propose_action(told(acquired_at)).await.unwrap();
    assert_eq!(proposed.into_inner().proposed_at, acquired_at);
    assert_eq!(
        refused(client.propose_action(told(at(0))).await).0,
        Code::AlreadyExists
    );
}
