//! `WorkService`.

use eventsourcing::Time;
use patron_proto::retention::v1 as proto;
use patron_proto::types::v1::Money;
use tonic::Code;

use crate::actions::{complete, propose};
use crate::harness::{DAY, Harness, NOW, assess, at, end, euros, open, purchase, record, refused};
use crate::relationship::{assign, notice};

fn ask(owner: &str) -> proto::ListWorkRequest {
    proto::ListWorkRequest {
        owner: owner.to_owned(),
        ..Default::default()
    }
}

async fn list(harness: &Harness, owner: &str) -> Vec<proto::WorkItem> {
    let page = harness.work().list_work(ask(owner)).await.unwrap();
    page.into_inner().items
}

/// The customers of a list with what is at stake.
fn stakes(items: &[proto::WorkItem]) -> Vec<(String, Option<Money>)> {
    let stake = |item: &proto::WorkItem| (item.customer.clone(), item.at_stake.clone());
    items.iter().map(stake).collect()
}

/// A customer of Rosa's who spent so many cents five days ago, with something to do.
async fn busy(harness: &Harness, external_id: &str, spent: i64) -> String {
    let name = harness.customer(external_id).await;
    let mut client = harness.customers();
    let bought = record(&name, purchase("first", spent, -5 * DAY));
    client.record_purchase(bought).await.unwrap();
    client
        .assign_owner(assign(&name, "rosa", "EMEA/ES"))
        .await
        .unwrap();
    let grow = propose(&name, "grow", proto::ActionType::Grow);
    client.propose_action(grow).await.unwrap();
    name
}

#[tokio::test]
async fn who_has_most_at_stake_comes_first_and_pages_go_on_where_they_ended() {
    let harness = Harness::start().await;
    let small = busy(&harness, "small", 10_000).await;
    let large = busy(&harness, "large", 40_000).await;
    let mut same = [
        busy(&harness, "one", 20_000).await,
        busy(&harness, "other", 20_000).await,
    ];
    same.sort();
    harness.customer("idle").await;
    let expected = [
        (large, euros(30_000)),
        (same[0].clone(), euros(15_000)),
        (same[1].clone(), euros(15_000)),
        (small, euros(7_500)),
    ];
    assert_eq!(stakes(&list(&harness, "rosa").await), expected);
    let mut found = Vec::new();
    let mut token = String::new();
    loop {
        let asked = proto::ListWorkRequest {
            page_size: 1,
            page_token: token,
            ..ask("rosa")
        };
        let page = harness.work().list_work(asked).await.unwrap().into_inner();
        found.extend(page.items);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(stakes(&found), expected);
    assert!(list(&harness, "li").await.is_empty());
}

#[tokio::test]
async fn currencies_are_never_ranked_together() {
    let harness = Harness::start().await;
    let euros = busy(&harness, "euros", 10_000).await;
    let mut command = open("dollars");
    command.currency_code = "USD".to_owned();
    let dollars = harness.customers().open_relationship(command).await;
    let dollars = dollars.unwrap().into_inner().name;
    let mut bought = purchase("first", 90_000, -DAY);
    bought.amount.as_mut().unwrap().currency_code = "USD".to_owned();
    let mut client = harness.customers();
    client
        .record_purchase(record(&dollars, bought))
        .await
        .unwrap();
    client
        .assign_owner(assign(&dollars, "rosa", "AMER"))
        .await
        .unwrap();
    client.give_notice(notice(&dollars)).await.unwrap();
    let items = list(&harness, "rosa").await;
    let customers: Vec<_> = items.iter().map(|item| item.customer.clone()).collect();
    assert_eq!(customers, [euros, dollars]);
}

#[tokio::test]
async fn a_customer_leaves_the_list_when_nothing_is_left_to_do() {
    let harness = Harness::start().await;
    let customer = busy(&harness, "00042", 10_000).await;
    let done = complete(&format!("{customer}/actions/grow"));
    harness.customers().complete_action(done).await.unwrap();
    assert!(list(&harness, "rosa").await.is_empty());
}

#[tokio::test]
async fn work_for_whom_nobody_looks_after_is_not_forgotten() {
    let harness = Harness::start().await;
    let customer = harness.customer("00042").await;
    harness
        .customers()
        .give_notice(notice(&customer))
        .await
        .unwrap();
    let items = list(&harness, "").await;
    assert_eq!((items.len(), &items[0].customer), (1, &customer));
    let given = items[0].notice.as_ref().unwrap();
    assert_eq!(
        (given.effective_at, items[0].due_at),
        (at(30 * DAY), at(2 * DAY))
    );
}

#[tokio::test]
async fn who_is_to_take_an_action_sees_it_too() {
    let harness = Harness::start().await;
    let customer = busy(&harness, "00042", 10_000).await;
    let mut call = propose(&customer, "call", proto::ActionType::Grow);
    call.action.as_mut().unwrap().owner = "li".to_owned();
    harness.customers().propose_action(call).await.unwrap();
    for owner in ["rosa", "li"] {
        let items = list(&harness, owner).await;
        assert_eq!((items.len(), items[0].actions.len()), (1, 2));
        assert_eq!(items[0].owner, "rosa");
    }
}

#[tokio::test]
async fn a_lost_customer_is_to_be_won_back_for_what_it_would_be_worth() {
    let harness = Harness::start().await;
    let customer = busy(&harness, "00042", 10_000).await;
    let lost = end(&customer, proto::LossReason::Price);
    harness.customers().end_relationship(lost).await.unwrap();
    let items = list(&harness, "rosa").await;
    assert_eq!(stakes(&items), [(customer.clone(), euros(7_500))]);
    assert_eq!(items[0].actions[0].r#type(), proto::ActionType::WinBack);
    assert_eq!(harness.full(&customer).await.value, euros(0));
}

#[tokio::test]
async fn what_was_bought_a_year_ago_is_no_longer_at_stake() {
    let harness = Harness::start().await;
    let (old, new) = (
        busy(&harness, "old", 40_000).await,
        busy(&harness, "new", 10_000).await,
    );
    harness.clock.set(Time::from_seconds(NOW + 300 * DAY));
    let bought = record(&new, purchase("again", 10_000, 300 * DAY));
    harness.customers().record_purchase(bought).await.unwrap();
    let before = [(old.clone(), euros(30_000)), (new.clone(), euros(15_000))];
    assert_eq!(stakes(&list(&harness, "rosa").await), before);
    harness.clock.set(Time::from_seconds(NOW + 360 * DAY));
    let after = [(new, euros(7_500)), (old, euros(0))];
    assert_eq!(stakes(&list(&harness, "rosa").await), after);
}

#[tokio::test]
async fn a_book_knows_what_was_known_and_pages_are_of_one_moment() {
    let harness = Harness::start().await;
    for external_id in ["1", "2", "3"] {
        busy(&harness, external_id, 10_000).await;
    }
    let asked = proto::GetBookOfBusinessRequest {
        owner: "rosa".to_owned(),
        page_size: 2,
        ..Default::default()
    };
    let book = harness.work().get_book_of_business(asked.clone()).await;
    let book = book.unwrap().into_inner();
    assert_eq!((book.customers.len(), book.customer_count), (2, 3));
    let customer = book.customers[0].customer.clone();
    harness.clock.set(Time::from_seconds(NOW + DAY));
    // Told late: it happened before, and was not known then.
    let late = record(&customer, purchase("late", 10_000, -DAY));
    harness.customers().record_purchase(late).await.unwrap();
    let next = proto::GetBookOfBusinessRequest {
        page_token: book.next_page_token.clone(),
        ..asked.clone()
    };
    let next = harness.work().get_book_of_business(next).await.unwrap();
    let next = next.into_inner();
    assert_eq!(
        (next.customers.len(), next.next_page_token.as_str()),
        (1, "")
    );
    assert_eq!((next.totals, next.as_of), (book.totals.clone(), book.as_of));
    let then = proto::GetBookOfBusinessRequest {
        as_of: book.as_of,
        known_at_position: book.known_at_position.clone(),
        ..asked.clone()
    };
    let then = harness.work().get_book_of_business(then).await.unwrap();
    assert_eq!(then.into_inner(), book);
    let now = proto::GetBookOfBusinessRequest {
        as_of: book.as_of,
        ..asked
    };
    let now = harness.work().get_book_of_business(now).await.unwrap();
    let equity = now.into_inner().totals[0].equity.clone();
    assert_eq!(equity, euros(4 * 7_500));
}

#[tokio::test]
async fn a_book_is_somebodys_or_somewheres() {
    let harness = Harness::start().await;
    let nobody = proto::GetBookOfBusinessRequest::default();
    let nowhere = proto::GetBookOfBusinessRequest {
        territory: "EMEA/".to_owned(),
        ..Default::default()
    };
    for wrong in [nobody, nowhere] {
        let refusal = harness.work().get_book_of_business(wrong).await;
        assert_eq!(refused(refusal).0, Code::InvalidArgument);
    }
}

async fn news(
    harness: &Harness,
    asked: proto::ListWorkNewsRequest,
) -> (Vec<(proto::WorkNewsKind, String)>, String) {
    let page = harness.work().list_work_news(asked).await.unwrap();
    let page = page.into_inner();
    let news = page.news.iter();
    let news = news.map(|news| (news.kind(), news.customer.clone()));
    (news.collect(), page.next_page_token)
}

fn news_of(owner: &str, days: i64) -> proto::ListWorkNewsRequest {
    proto::ListWorkNewsRequest {
        owner: owner.to_owned(),
        since: at(days * DAY),
        ..Default::default()
    }
}

#[tokio::test]
async fn what_has_changed_since_yesterday_is_told_to_whom_it_concerns() {
    use proto::WorkNewsKind as Kind;

    let harness = Harness::start().await;
    let name = harness.customer("a").await;
    let mut customers = harness.customers();
    customers
        .assign_owner(assign(&name, "rosa", "EMEA/ES"))
        .await
        .unwrap();
    harness.clock.set(Time::from_seconds(NOW + DAY));
    let broken = assess(&name, "next-day", proto::PromiseVerdict::Broken);
    harness.promises().assess_promise(broken).await.unwrap();
    customers
        .assign_owner(assign(&name, "li", "APAC/SG"))
        .await
        .unwrap();

    let told = |kind| (kind, name.clone());
    let since_yesterday = [
        Kind::PromiseBroken,
        Kind::ActionProposed,
        Kind::OwnerChanged,
    ];
    let (all, _) = news(&harness, news_of("rosa", 0)).await;
    assert_eq!(all[0], told(Kind::OwnerChanged));
    assert_eq!(all[1..], since_yesterday.map(told));
    let (rosa, _) = news(&harness, news_of("rosa", 1)).await;
    assert_eq!(rosa, since_yesterday.map(told));
    let (li, _) = news(&harness, news_of("li", 0)).await;
    assert_eq!(li, [told(Kind::OwnerChanged)]);
    let (nobody, _) = news(&harness, news_of("", 0)).await;
    assert_eq!(nobody, [told(Kind::OwnerChanged)]);

    let mut pages = Vec::new();
    let mut asked = proto::ListWorkNewsRequest {
        page_size: 1,
        ..news_of("rosa", 0)
    };
    loop {
        let (page, token) = news(&harness, asked.clone()).await;
        pages.extend(page);
        if token.is_empty() {
            break;
        }
        asked.page_token = token;
    }
    assert_eq!(pages, all);

    let always = proto::ListWorkNewsRequest {
        owner: "rosa".to_owned(),
        ..Default::default()
    };
    let refusal = harness.work().list_work_news(always).await;
    assert_eq!(refused(refusal).0, Code::InvalidArgument);
}
