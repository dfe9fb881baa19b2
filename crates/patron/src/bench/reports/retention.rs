//! The side that keeps customers: purchases brought in, then work, values, cohorts and the books.

use std::path::Path;

use anyhow::ensure;
use eventsourcing::{Clock as _, SystemClock, Time};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use patron_proto::retention::v1 as ret;
use server::timestamp;

use super::books;
use super::draw::{self, Sizes};
use super::figures::Figures;
use crate::bench::process::Server;
use crate::connect::{Retention, request_id, said};
use crate::import::purchases;

/// Actions proposed at once.
const AT_ONCE: usize = 64;
/// Whose work list it is.
const OWNER: &str = "rosa";

const MEASURES: [(ret::CohortMeasure, &str); 4] = [
    (ret::CohortMeasure::Relationship, "RELATIONSHIP"),
    (ret::CohortMeasure::Purchase, "PURCHASE"),
    (ret::CohortMeasure::Revenue, "REVENUE"),
    (ret::CohortMeasure::Margin, "MARGIN"),
];

pub(super) async fn measure(
    server: &Server,
    folder: &Path,
    sizes: &Sizes,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let retention = server.services.retention().await?;
    let now = SystemClock.now();
    let (file, count) = draw::purchases(folder, sizes, now)?;
    let started = figures.start()?;
    let currency = "EUR".parse()?;
    let imported = purchases::import(&retention, &file, Some(currency)).await?;
    let what = "purchases, with their customers";
    figures.loaded(what, imported.recorded, started)?;
    let all = imported.recorded == count && imported.rejected == 0;
    ensure!(all, "purchases were rejected");
    let started = figures.start()?;
    propose(&retention, sizes.work, now).await?;
    figures.loaded("actions", sizes.work.into(), started)?;
    server.rest().await?;
    figures.loaded("until acquisition knew of all of it", count, started)?;
    for (measure, name) in MEASURES {
        let request = ret::GetCohortTableRequest {
            measure: measure as i32,
            currency_code: "EUR".to_owned(),
            months: 12,
            ..Default::default()
        };
        let ask = |_| {
            let (mut reports, request) = (retention.reports.clone(), request.clone());
            async move { reports.get_cohort_table(request).await }
        };
        figures.ask(&format!("cohorts {name}"), ask).await?;
    }
    books::assume(&retention, ret::ValueMethod::Simple).await?;
    people(&retention, sizes, figures, "SIMPLE").await?;
    let mut books = books::Books::new(retention.clone(), now);
    books.close(figures, "SIMPLE").await?;
    books.fit(figures).await?;
    books::assume(&retention, ret::ValueMethod::MbgNbd).await?;
    people(&retention, sizes, figures, "MBG_NBD").await?;
    books.close(figures, "MBG_NBD").await
}

/// What is asked about people: the work list, and single values.
async fn people(
    retention: &Retention,
    sizes: &Sizes,
    figures: &mut Figures,
    method: &str,
) -> anyhow::Result<()> {
    let ask = |_| {
        let request = ret::ListWorkRequest {
            owner: OWNER.to_owned(),
            ..Default::default()
        };
        let mut work = retention.work.clone();
        async move { work.list_work(request).await }
    };
    figures.ask(&format!("work list {method}"), ask).await?;
    let ask = |number: usize| {
        let number = u32::try_from(number).unwrap_or_default();
        // Anybody: a step that shares no factor with most sizes.
        let who = number.wrapping_mul(7_919) % sizes.customers;
        let request = ret::GetCustomerValueRequest {
            name: customer_name(who),
            ..Default::default()
        };
        let mut values = retention.values.clone();
        async move { values.get_customer_value(request).await }
    };
    let what = format!("value of a customer {method}");
    figures.ask(&what, ask).await
}

/// The name of an imported customer; ids that are drawn are never refused.
fn customer_name(number: u32) -> String {
    let id = ::retention::customer_imported_as(&draw::customer_id(number));
    format!("customers/{}", id.unwrap_or_default())
}

/// Puts customers on the work list.
async fn propose(retention: &Retention, work: u32, now: Time) -> anyhow::Result<()> {
    let proposing = (0..work).map(|number| {
        let request = ret::ProposeActionRequest {
            parent: customer_name(number),
            action: Some(ret::Action {
                r#type: ret::ActionType::Grow as i32,
                due_at: Some(timestamp(now.plus_seconds(86_400))),
                owner: OWNER.to_owned(),
                ..Default::default()
            }),
            request_id: request_id(),
            ..Default::default()
        };
        let mut customers = retention.customers.clone();
        async move {
            let proposed = customers.propose_action(request).await;
            proposed.map(|_| ()).map_err(|status| said(&status))
        }
    });
    stream::iter(proposing)
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}
