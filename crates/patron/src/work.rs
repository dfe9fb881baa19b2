//! `patron work`: whom to keep today and why, the most at stake first; or what has changed since a day.

use jiff::civil::Date;
use patron_proto::retention::v1::{
    Action, ListWorkNewsRequest, ListWorkNewsResponse, ListWorkRequest, ListWorkResponse,
    LossReason, Promise, WorkItem, WorkNewsKind,
};

use crate::connect::Services;
use crate::moment::{day as day_of, midnight};
use crate::pages::Paging;
use crate::show::{amount, day, json, last, more, print, spoken, table, words};

/// Whose work.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    services: Services,
    /// Whose work [default: that for customers whom nobody looks after].
    #[arg(long, default_value = "", hide_default_value = true)]
    owner: String,
    /// What has changed since that day, such as 2026-01-31, instead of what is to be done.
    #[arg(long, value_name = "DAY", value_parser = day_of)]
    since: Option<Date>,
    #[command(flatten)]
    paging: Paging,
    /// JSON for programs.
    #[arg(long)]
    json: bool,
}

/// Shows the work.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let retention = args.services.retention().await?;
    if let Some(since) = args.since {
        let since = Some(midnight(since)?);
        let ask = |page_size, page_token| {
            let request = ListWorkNewsRequest {
                owner: args.owner.clone(),
                since,
                page_size,
                page_token,
                min_position: String::new(),
            };
            let mut work = retention.work.clone();
            async move { work.list_work_news(request).await }
        };
        let page = args.paging.ask(args.json, ask).await?;
        print(if args.json { json(&page)? } else { news(&page) });
        return Ok(());
    }
    let ask = |page_size, page_token| {
        let request = ListWorkRequest {
            owner: args.owner.clone(),
            page_size,
            page_token,
            min_position: String::new(),
        };
        let mut work = retention.work.clone();
        async move { work.list_work(request).await }
    };
    let page = args.paging.ask(args.json, ask).await?;
    print(if args.json {
        json(&page)?
    } else {
        shown(&page)
    });
    Ok(())
}

/// The work as a person reads it.
fn shown(page: &ListWorkResponse) -> String {
    if page.items.is_empty() {
        return "nothing to do".to_owned();
    }
    let lines = page.items.iter().map(|item| {
        vec![
            format!("{}\n{}", last(&item.customer), why(item).join("\n")),
            amount(item.at_stake.as_ref()),
            spoken(item.risk_band().as_str_name(), "RISK_BAND_"),
            day(item.due_at.as_ref()),
        ]
    });
    let table = table(
        &["customer, what to do and why", "at stake", "risk", "due"],
        lines.collect(),
    );
    format!("{table}{}", more(&page.next_page_token))
}

/// What has changed as a person reads it.
fn news(page: &ListWorkNewsResponse) -> String {
    if page.news.is_empty() {
        return "nothing has changed".to_owned();
    }
    let lines = page.news.iter().map(|news| {
        let kind = spoken(news.kind().as_str_name(), "WORK_NEWS_KIND_");
        let band = spoken(news.risk_band().as_str_name(), "RISK_BAND_");
        let what = if news.kind() == WorkNewsKind::RiskChanged {
            format!("risk is {band}")
        } else if news.kind() == WorkNewsKind::OwnerChanged {
            format!("owner is {}", news.new_owner)
        } else if news.promise.is_empty() {
            kind
        } else {
            format!("{kind}: {}", last(&news.promise))
        };
        let customer = last(&news.customer).to_owned();
        vec![day(news.recorded_at.as_ref()), customer, what]
    });
    let table = words(&["day", "customer", "what has changed"], lines.collect());
    format!("{table}{}", more(&page.next_page_token))
}

/// What is to be done, and what speaks for a loss, each with its day.
fn why(item: &WorkItem) -> Vec<String> {
    let notice = item.notice.as_ref().map(|notice| {
        let (given, ends) = (
            day(notice.notice_at.as_ref()),
            day(notice.effective_at.as_ref()),
        );
        let cause = spoken(notice.cause().as_str_name(), "LOSS_CAUSE_");
        let reason = spoken(notice.reason().as_str_name(), "LOSS_REASON_");
        let why = if notice.reason() == LossReason::Unspecified {
            cause
        } else {
            format!("{cause}, {reason}")
        };
        format!(" notice of {given}, leaves on {ends}:\n  {why}")
    });
    let actions = item.actions.iter().map(to_do);
    actions
        .chain(notice)
        .chain(item.promises.iter().map(promised))
        .collect()
}

fn to_do(action: &Action) -> String {
    let kind = spoken(action.r#type().as_str_name(), "ACTION_TYPE_");
    let by = day(action.due_at.as_ref());
    if action.owner.is_empty() {
        format!(" {kind} by {by}")
    } else {
        format!(" {kind} by {by} ({})", action.owner)
    }
}

fn promised(promise: &Promise) -> String {
    let terms = promise.terms.as_ref();
    let expectation = terms.map_or("", |terms| terms.expectation.as_str());
    let due_at = terms.and_then(|terms| terms.due_at.as_ref());
    if promise.assessed_at.is_some() {
        let since = day(promise.assessed_at.as_ref());
        format!(" broken on {since}: {expectation}")
    } else {
        format!(" overdue since {}: {expectation}", day(due_at))
    }
}

#[cfg(test)]
mod tests {
    use patron_proto::retention::v1::{
        Action, ActionType, ListWorkNewsResponse, ListWorkResponse, LossCause, LossReason, Notice,
        Promise, RiskBand, WorkItem, WorkNews, WorkNewsKind,
    };
    use patron_proto::types::v1::{Money, PromiseTerms};
    use prost_types::Timestamp;

    use super::{news, shown};

    fn on(day: i64) -> Timestamp {
        Timestamp {
            seconds: day * 86_400,
            nanos: 0,
        }
    }

    #[test]
    fn work_says_what_to_do_why_and_until_when_within_100_columns() {
        let item = WorkItem {
            customer: "customers/0b0e6f5e-7c55-4d0c-9f50-3f3ad5b3a2c1".to_owned(),
            at_stake: Some(Money {
                currency_code: "EUR".to_owned(),
                minor_units: 123_456_789,
            }),
            risk_band: RiskBand::High as i32,
            actions: vec![Action {
                r#type: ActionType::Repair as i32,
                due_at: Some(on(2)),
                owner: "li".to_owned(),
                ..Action::default()
            }],
            notice: Some(Notice {
                notice_at: Some(on(0)),
                effective_at: Some(on(30)),
                cause: LossCause::Voluntary as i32,
                reason: LossReason::PromiseBroken as i32,
                ..Notice::default()
            }),
            promises: vec![Promise {
                terms: Some(PromiseTerms {
                    expectation: "a courtesy van the next morning ".repeat(5),
                    ..PromiseTerms::default()
                }),
                assessed_at: Some(on(1)),
                ..Promise::default()
            }],
            due_at: Some(on(2)),
            ..WorkItem::default()
        };
        let shown = shown(&ListWorkResponse {
            items: vec![item],
            next_page_token: "abc".to_owned(),
        });
        for part in [
            "0b0e6f5e-7c55-4d0c-9f50-3f3ad5b3a2c1",
            "1,234,567.89 EUR",
            "high",
            "repair by 1970-01-03 (li)",
            "notice of 1970-01-01, leaves on 1970-01-31:",
            "voluntary, promise broken",
            "broken on 1970-01-02: a courtesy van",
            "--page abc",
        ] {
            assert!(shown.contains(part), "{part} is not in\n{shown}");
        }
        let fits = |line: &str| line.chars().count() <= 100;
        assert!(shown.lines().all(fits), "{shown}");
    }

    #[test]
    fn a_notice_without_a_reason_has_a_cause() {
        let item = WorkItem {
            notice: Some(Notice {
                notice_at: Some(on(0)),
                effective_at: Some(on(30)),
                cause: LossCause::PaymentFailure as i32,
                ..Notice::default()
            }),
            ..WorkItem::default()
        };
        let why = super::why(&item);
        assert_eq!(
            why,
            [" notice of 1970-01-01, leaves on 1970-01-31:\n  payment failure"]
        );
    }

    #[test]
    fn news_say_when_whose_and_what() {
        let of = |kind: WorkNewsKind| WorkNews {
            customer: "customers/0b0e6f5e-7c55-4d0c-9f50-3f3ad5b3a2c1".to_owned(),
            recorded_at: Some(on(2)),
            kind: kind as i32,
            ..WorkNews::default()
        };
        let page = ListWorkNewsResponse {
            news: vec![
                WorkNews {
                    promise: "customers/a/promises/next-day".to_owned(),
                    ..of(WorkNewsKind::PromiseBroken)
                },
                WorkNews {
                    risk_band: RiskBand::High as i32,
                    ..of(WorkNewsKind::RiskChanged)
                },
                WorkNews {
                    new_owner: "li".to_owned(),
                    ..of(WorkNewsKind::OwnerChanged)
                },
            ],
            next_page_token: String::new(),
        };
        let shown = news(&page);
        for part in [
            "promise broken: next-day",
            "risk is high",
            "owner is li",
            "1970-01-03",
        ] {
            assert!(shown.contains(part), "{part} is not in\n{shown}");
        }
        assert_eq!(
            news(&ListWorkNewsResponse::default()),
            "nothing has changed"
        );
    }

    #[test]
    fn who_has_nothing_to_do_is_told_so() {
        assert_eq!(shown(&ListWorkResponse::default()), "nothing to do");
    }
}
