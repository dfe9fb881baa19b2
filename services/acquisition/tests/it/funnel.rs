//! `ReportService.GetFunnel`.

use eventsourcing::Time;
use patron_proto::acquisition::v1 as proto;
use patron_proto::acquisition::v1::FunnelDimension;

use crate::business::{self, DAY, End, Person, convert, seconds};
use crate::harness::{Harness, NOW, at, new_id};

async fn answer(harness: &Harness, request: proto::GetFunnelRequest) -> proto::Funnel {
    let answered = harness.reports().get_funnel(request).await;
    answered.unwrap().into_inner()
}

fn in_period(start: i64, end: i64, by: FunnelDimension) -> proto::GetFunnelRequest {
    proto::GetFunnelRequest {
        start: Some(seconds(start)),
        end: Some(seconds(end)),
        dimension: by as i32,
        ..Default::default()
    }
}

/// The same counted without rows: created, identified, qualified, converted, closed, and the median of days from
/// creation to conversion.
fn counted(people: &[&Person], start: i64, end: i64) -> ([i64; 5], Option<f64>) {
    let within = |at: i64| i64::from((start..end).contains(&at));
    let mut counts = [0; 5];
    let mut lengths = Vec::new();
    for person in people {
        counts[0] += within(person.created);
        counts[2] += person.qualified.map_or(0, within);
        match person.end {
            End::Open => {}
            End::Closed(at, _) => counts[4] += within(at),
            End::Converted { at, .. } => {
                counts[3] += within(at);
                if within(at) == 1 {
                    lengths.push(at - person.created);
                }
            }
        }
    }
    lengths.sort_unstable();
    let n = lengths.len();
    let days = |seconds: i64| f64::from(i32::try_from(seconds).unwrap()) / 86_400.0;
    let median = (n > 0).then(|| days(lengths[(n - 1) / 2]).midpoint(days(lengths[n / 2])));
    (counts, median)
}

fn shown(line: &proto::FunnelLine) -> [i64; 5] {
    [
        line.created,
        line.identified,
        line.qualified,
        line.converted,
        line.closed,
    ]
}

#[tokio::test]
async fn a_funnel_counts_as_a_person_would() {
    let harness = Harness::start().await;
    let people = business::live(&harness, 7, 60).await;
    let everybody: Vec<&Person> = people.iter().collect();
    for (start, end) in [(0, 200 * DAY), (20 * DAY, 90 * DAY), (90 * DAY, 91 * DAY)] {
        let request = in_period(start, end, FunnelDimension::Channel);
        let funnel = answer(&harness, request).await;
        let total = funnel.total.unwrap();
        let (counts, median) = counted(&everybody, start, end);
        assert_eq!(shown(&total), counts);
        match (total.median_days_created_to_converted, median) {
            (Some(found), Some(expected)) => assert!((found - expected).abs() < 1e-9),
            (found, expected) => assert_eq!(found, expected),
        }
        let reasons: i64 = total.closed_for.iter().map(|closed| closed.count).sum();
        assert_eq!(reasons, total.closed);
        for line in &funnel.lines {
            let there: Vec<&Person> = people
                .iter()
                .filter(|person| {
                    let first = person.touches.first().map_or("(none)", |met| met.channel);
                    first == line.key
                })
                .collect();
            assert_eq!(shown(line), counted(&there, start, end).0, "{}", line.key);
        }
        let sum: i64 = funnel.lines.iter().map(|line| line.created).sum();
        assert_eq!(sum, total.created);
    }
}

#[tokio::test]
async fn prospects_are_told_apart_by_what_they_want_and_what_reached_them_first() {
    let harness = Harness::start().await;
    let people = business::live(&harness, 8, 40).await;
    let keys = async |by| {
        let funnel = answer(&harness, in_period(0, 200 * DAY, by)).await;
        let lines = funnel.lines.into_iter();
        lines
            .map(|line| (line.key, line.created))
            .collect::<Vec<_>>()
    };
    let wants = people
        .iter()
        .filter(|person| person.qualified.is_some() || matches!(person.end, End::Converted { .. }));
    let wants = i64::try_from(wants.count()).unwrap();
    let problem = "propositions/van-repair/problems/van-off-road".to_owned();
    assert_eq!(
        keys(FunnelDimension::Problem).await,
        [(problem, wants), ("(none)".to_owned(), 40 - wants)]
    );
    let plus = "propositions/van-repair-plus".to_owned();
    let by_proposition = keys(FunnelDimension::Proposition).await;
    assert!(by_proposition.iter().any(|(key, _)| *key == plus));
    let by_campaign = keys(FunnelDimension::Campaign).await;
    let without = people.iter().filter(|person| {
        let first = person.touches.first();
        first.is_none_or(|met| met.campaign.is_empty())
    });
    let without = i64::try_from(without.count()).unwrap();
    assert_eq!(by_campaign.last().unwrap(), &("(none)".to_owned(), without));
}

#[tokio::test]
async fn a_funnel_without_prospects_has_no_medians() {
    let harness = Harness::start().await;
    harness.publish().await;
    let empty = answer(&harness, proto::GetFunnelRequest::default()).await;
    assert_eq!((empty.start, empty.lines.len()), (None, 0));
    let total = empty.total.unwrap();
    assert_eq!(total, proto::FunnelLine::default());
    let prospect = harness.prospect().await;
    convert(&harness, &prospect, 0, None, "EUR").await;
    let funnel = answer(&harness, proto::GetFunnelRequest::default()).await;
    let total = funnel.total.unwrap();
    assert_eq!(shown(&total), [1, 0, 0, 1, 0]);
    assert_eq!(total.median_days_created_to_converted, Some(0.0));
    assert_eq!(total.median_days_qualified_to_converted, None);
    let before = proto::GetFunnelRequest {
        as_of: at(-1),
        ..Default::default()
    };
    let total = answer(&harness, before).await.total.unwrap();
    assert_eq!(total.created, 0);
}

#[tokio::test]
async fn who_is_closed_again_in_another_period_counts_in_both() {
    let harness = Harness::start().await;
    harness.publish().await;
    let prospect = harness.prospect().await;
    let mut client = harness.prospects();
    for (day, reason) in [
        (10, proto::CloseReason::NoNeed),
        (70, proto::CloseReason::NoBudget),
        (80, proto::CloseReason::Unreachable),
    ] {
        harness.clock.set(Time::from_seconds(NOW + day * DAY));
        let close = proto::CloseProspectRequest {
            name: prospect.clone(),
            reason: reason as i32,
            request_id: new_id(),
            ..Default::default()
        };
        client.close_prospect(close).await.unwrap();
        let reopen = proto::ReopenProspectRequest {
            name: prospect.clone(),
            request_id: new_id(),
            ..Default::default()
        };
        client.reopen_prospect(reopen).await.unwrap();
        let qualify = proto::QualifyProspectRequest {
            name: prospect.clone(),
            proposition: "propositions/van-repair".to_owned(),
            problem_id: "van-off-road".to_owned(),
            request_id: new_id(),
            ..Default::default()
        };
        client.qualify_prospect(qualify).await.unwrap();
    }
    harness.clock.set(Time::from_seconds(NOW + 100 * DAY));
    let total = async |start, end| {
        let request = in_period(start * DAY, end * DAY, FunnelDimension::Unspecified);
        answer(&harness, request).await.total.unwrap()
    };
    let first = total(0, 31).await;
    assert_eq!(shown(&first), [1, 0, 1, 0, 1]);
    assert_eq!(first.closed_for[0].reason(), proto::CloseReason::NoNeed);
    assert_eq!(first.median_days_created_to_closed, Some(10.0));
    assert_eq!(first.median_days_created_to_qualified, Some(10.0));
    assert_eq!(total(31, 59).await, proto::FunnelLine::default());
    // Once, for the first of the two reasons.
    let third = total(59, 90).await;
    assert_eq!(shown(&third), [0, 0, 0, 0, 1]);
    assert_eq!(third.closed_for.len(), 1);
    assert_eq!(third.closed_for[0].reason(), proto::CloseReason::NoBudget);
    assert_eq!(third.median_days_created_to_closed, Some(70.0));
    assert_eq!(third.median_days_created_to_qualified, None);
}
