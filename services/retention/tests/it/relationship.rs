//! `CustomerService`: owner, notice, recurring revenue, consent.

use patron_proto::retention::v1 as proto;
use patron_proto::types::v1::ConsentStatus;
use tonic::Code;

use crate::harness::{DAY, Harness, assess, at, end, euros, new_id, precondition, refused};

pub(crate) fn assign(customer: &str, owner: &str, territory: &str) -> proto::AssignOwnerRequest {
    proto::AssignOwnerRequest {
        name: customer.to_owned(),
        owner: owner.to_owned(),
        territory: territory.to_owned(),
        request_id: new_id(),
        ..Default::default()
    }
}

/// Notice for the price, effective in 30 days.
pub(crate) fn notice(customer: &str) -> proto::GiveNoticeRequest {
    proto::GiveNoticeRequest {
        name: customer.to_owned(),
        effective_at: at(30 * DAY),
        cause: proto::LossCause::Voluntary as i32,
        reason: proto::LossReason::Price as i32,
        request_id: new_id(),
        ..Default::default()
    }
}

pub(crate) fn withdraw(customer: &str) -> proto::WithdrawNoticeRequest {
    proto::WithdrawNoticeRequest {
        name: customer.to_owned(),
        request_id: new_id(),
        ..Default::default()
    }
}

fn recurring(customer: &str, minor_units: i64) -> proto::SetRecurringRevenueRequest {
    proto::SetRecurringRevenueRequest {
        name: customer.to_owned(),
        line_id: "support".to_owned(),
        monthly: euros(minor_units),
        request_id: new_id(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_customer_has_an_owner_in_a_territory_until_it_is_lost() {
    let harness = Harness::start().await;
    let customer = harness.customer("00042").await;
    let mut client = harness.customers();
    let assigned = client.assign_owner(assign(&customer, "rosa", "EMEA/ES"));
    let assigned = assigned.await.unwrap().into_inner();
    assert_eq!(
        (assigned.owner.as_str(), assigned.territory.as_str()),
        ("rosa", "EMEA/ES")
    );
    assert_eq!(assigned.owned_since, at(0));
    let wrong = assign(&customer, "rosa", "emea/es");
    assert_eq!(
        refused(client.assign_owner(wrong).await).0,
        Code::InvalidArgument
    );
    let nobody = assign(&customer, "", "EMEA");
    assert_eq!(
        refused(client.assign_owner(nobody).await).0,
        Code::InvalidArgument
    );
    let lost = end(&customer, proto::LossReason::Price);
    client.end_relationship(lost).await.unwrap();
    let late = client.assign_owner(assign(&customer, "li", "EMEA")).await;
    assert_eq!(refused(late), precondition("WIN_BACK_FIRST"));
}

#[tokio::test]
async fn who_gives_notice_is_leaving_until_it_is_withdrawn() {
    let harness = Harness::start().await;
    let customer = harness.customer("00042").await;
    let mut client = harness.customers();
    let leaving = client.give_notice(notice(&customer)).await.unwrap();
    let leaving = leaving.into_inner();
    assert_eq!(leaving.state(), proto::CustomerState::Leaving);
    let given = leaving.notice.unwrap();
    assert_eq!((given.notice_at, given.effective_at), (at(0), at(30 * DAY)));
    let full = harness.full(&customer).await;
    assert_eq!(full.open_actions[0].r#type(), proto::ActionType::Save);
    assert_eq!(full.open_actions[0].due_at, at(2 * DAY));
    assert_eq!(full.risk_drivers, [proto::RiskDriver::Notice as i32]);
    assert_eq!(
        refused(client.give_notice(notice(&customer)).await),
        precondition("NOT_ACTIVE")
    );
    let stays = client.withdraw_notice(withdraw(&customer)).await.unwrap();
    assert_eq!(stays.into_inner().notice, None);
    assert_eq!(
        refused(client.withdraw_notice(withdraw(&customer)).await),
        precondition("NOT_LEAVING")
    );
}

#[tokio::test]
async fn notice_is_refused_as_the_end_would_be() {
    let harness = Harness::start().await;
    let customer = harness.customer("00042").await;
    let mut client = harness.customers();
    let broken = proto::GiveNoticeRequest {
        reason: proto::LossReason::PromiseBroken as i32,
        ..notice(&customer)
    };
    assert_eq!(
        refused(client.give_notice(broken.clone()).await),
        precondition("NO_BROKEN_PROMISE")
    );
    let unsaid = proto::GiveNoticeRequest {
        reason: proto::LossReason::Unspecified as i32,
        ..notice(&customer)
    };
    assert_eq!(
        refused(client.give_notice(unsaid).await).0,
        Code::InvalidArgument
    );
    let before = proto::GiveNoticeRequest {
        effective_at: at(-DAY),
        ..notice(&customer)
    };
    assert_eq!(
        refused(client.give_notice(before).await).0,
        Code::InvalidArgument
    );
    let found = assess(&customer, "next-day", proto::PromiseVerdict::Broken);
    harness.promises().assess_promise(found).await.unwrap();
    let again = proto::GiveNoticeRequest {
        request_id: new_id(),
        ..broken
    };
    assert!(client.give_notice(again).await.is_ok());
}

#[tokio::test]
async fn a_line_of_recurring_revenue_ends_with_the_relationship() {
    let harness = Harness::start().await;
    let customer = harness.customer("00042").await;
    let mut client = harness.customers();
    for minor_units in [5_000, 8_000] {
        let set = recurring(&customer, minor_units);
        client.set_recurring_revenue(set).await.unwrap();
        let line = harness.full(&customer).await.recurring_lines.remove(0);
        assert_eq!(
            (line.line_id.as_str(), line.monthly),
            ("support", euros(minor_units))
        );
    }
    let lost = end(&customer, proto::LossReason::Price);
    client.end_relationship(lost).await.unwrap();
    let line = harness.full(&customer).await.recurring_lines.remove(0);
    assert_eq!(line.monthly, euros(0));
    let late = client.set_recurring_revenue(recurring(&customer, 1)).await;
    assert_eq!(refused(late), precondition("WIN_BACK_FIRST"));
}

#[tokio::test]
async fn what_a_customer_says_last_is_in_force_whenever_it_is_told() {
    let harness = Harness::start().await;
    let customer = harness.customer("00042").await;
    let mut client = harness.customers();
    let says = |status: ConsentStatus, seconds| proto::SetConsentRequest {
        name: customer.clone(),
        purpose: "contact".to_owned(),
        status: status as i32,
        at: at(seconds),
        evidence: "form 7".to_owned(),
        request_id: new_id(),
        ..Default::default()
    };
    let withdrawn = client.set_consent(says(ConsentStatus::Withdrawn, -DAY));
    let withdrawn = withdrawn.await.unwrap().into_inner();
    assert_eq!(withdrawn.consents[0].status(), ConsentStatus::Withdrawn);
    assert_eq!(withdrawn.consents[0].evidence, "form 7");
    let late = client.set_consent(says(ConsentStatus::Granted, -2 * DAY));
    let late = late.await.unwrap().into_inner();
    assert_eq!(late.consents, withdrawn.consents);
    let ahead = client.set_consent(says(ConsentStatus::Granted, DAY)).await;
    assert_eq!(refused(ahead).0, Code::InvalidArgument);
}
