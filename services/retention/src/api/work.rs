//! `WorkService`.

mod book;
mod news;
mod place;

use std::sync::Arc;
use std::time::Duration;

use eventsourcing::Time;
use money::Money;
use patron_proto::retention::v1 as proto;
use patron_proto::retention::v1::work_service_server::WorkService;
use read_model::{Error, Rows};
use retention_domain::Customer;
use retention_domain::promise::{Promise, State};
use retention_domain::text::Label;
use runtime::{Engine, version};
use server::{Opener, Page, money_out, parse_optional, timestamp};
use tonic::{Request, Response, Status};

use crate::desk::Desk;
use crate::read_model::customers;
use crate::read_model::work::{self, Asked, Rankings, Row};
use crate::read_model::worth::Worth;
use crate::service::Retention;
use crate::wire::action::action_out;
use crate::wire::promise::promise_out;
use crate::wire::relationship::{notice_out, state_out};
use crate::wire::risk::{band_out, driver_out};
use crate::wire::text;

/// `WorkService`.
#[derive(Debug, Clone)]
pub(crate) struct Work(pub(crate) Desk);

/// How often lists by a model are valued ahead.
const LISTS_PREPARED: Duration = Duration::from_secs(20);

/// Values work lists before they are asked for, again and again until the service stops: a long one takes
/// seconds at its first time, and anew every day.
pub(crate) fn prepare_lists(desk: &Desk) -> impl Future<Output = ()> + Send + 'static {
    let stop = desk.engine.stopping().clone();
    let (engine, rankings) = (Arc::downgrade(&desk.engine), Arc::clone(&desk.rankings));
    let prepare = async move {
        while let Some(engine) = engine.upgrade() {
            if engine.ready().is_ok() {
                let rankings = Arc::clone(&rankings);
                let prepare = move || prepare(&engine, &rankings);
                let prepared = tokio::task::spawn_blocking(prepare).await;
                if let Ok(Err(error)) = prepared {
                    tracing::warn!(%error, "work lists are valued when they are asked for");
                }
            } else {
                drop(engine);
            }
            tokio::time::sleep(LISTS_PREPARED).await;
        }
    };
    async move {
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = prepare => {}
        }
    }
}

/// Each list by a look at the rows of its own: whoever looks at old rows holds up those who write.
fn prepare(engine: &Engine<Retention>, rankings: &Rankings) -> Result<(), Error> {
    let store = engine.store();
    let lists = store.read(|rows| rankings.to_prepare(rows, &Worth::in_force(rows)?))?;
    for list in lists {
        if engine.stopping().is_cancelled() {
            break;
        }
        let now = engine.clock().now();
        store.read(|rows| rankings.prepare(rows, &Worth::in_force(rows)?, now, &list))?;
    }
    Ok(())
}

#[tonic::async_trait]
impl WorkService for Work {
    async fn list_work(
        &self,
        request: Request<proto::ListWorkRequest>,
    ) -> Result<Response<proto::ListWorkResponse>, Status> {
        let (call, message) = server::open(request)?;
        let owner: Option<Label> = parse_optional("owner", &message.owner)?;
        let owner = text(owner.as_ref());
        let page = Page::parse(message.page_size, &message.page_token, &["work", &owner])?;
        let after = page.after.as_deref().map(place::read).transpose()?;
        let now = self.0.engine.clock().now();
        let rankings = Arc::clone(&self.0.rankings);
        let read = move |rows: &dyn Rows, opener: &Opener| {
            let worth = Worth::in_force(rows)?;
            let asked = Asked {
                owner: &owner,
                worth: &worth,
                now,
                rankings: &rankings,
            };
            let found = work::page(rows, asked, after, page.wanted())?;
            let paged = page.cut(found, |row| place::write(row.place));
            let mut items = Vec::new();
            for row in paged.rows {
                items.extend(item(rows, row, now, opener)?);
            }
            Ok(proto::ListWorkResponse {
                items,
                next_page_token: paged.next_page_token,
            })
        };
        self.0
            .read_people_aside(&call, &message.min_position, "work", read)
            .await
    }

    async fn list_work_news(
        &self,
        request: Request<proto::ListWorkNewsRequest>,
    ) -> Result<Response<proto::ListWorkNewsResponse>, Status> {
        let (call, message) = server::open(request)?;
        news::list(&self.0, call, message).await
    }

    async fn get_book_of_business(
        &self,
        request: Request<proto::GetBookOfBusinessRequest>,
    ) -> Result<Response<proto::BookOfBusiness>, Status> {
        let (call, message) = server::open(request)?;
        book::get(&self.0, call, message).await
    }
}

/// A row of the list, with the reasons why it is there.
fn item(
    rows: &dyn Rows,
    row: Row,
    now: Time,
    opener: &Opener,
) -> Result<Option<proto::WorkItem>, Error> {
    let id = row.id;
    let Some(state) = customers::get(rows, id)? else {
        return Ok(None);
    };
    let Some(relationship) = &state.relationship else {
        return Ok(None);
    };
    let mut actions: Vec<_> = state.open_actions.iter().collect();
    actions.sort_by_key(|(_, action)| action.due_at);
    let version = version(rows, &format!("customers/{id}"))?;
    let assignment = relationship.assignment.as_ref();
    let actions_due = actions.iter().map(|(_, action)| action.due_at);
    let reasons = reasons(&state);
    let overdue = reasons
        .iter()
        .filter(|(_, promise)| promise.is_noted_overdue());
    let promises_due = overdue.filter_map(|(_, promise)| promise.terms.due_at);
    let due_at = actions_due.chain(promises_due).min();
    Ok(Some(proto::WorkItem {
        customer: format!("customers/{id}"),
        state: state_out(relationship.state),
        at_stake: Some(money_out(Money::new(row.currency, row.at_stake))),
        risk_band: band_out(state.risk.band),
        risk_drivers: state.drivers_now(now).into_iter().map(driver_out).collect(),
        actions: actions
            .iter()
            .map(|(name, it)| action_out(id, name, it, row.currency))
            .collect(),
        promises: reasons
            .iter()
            .map(|(name, it)| promise_out(id, name, it, version, opener))
            .collect(),
        notice: relationship.notice.as_ref().map(notice_out),
        due_at: due_at.map(timestamp),
        owner: text(assignment.map(|assignment| &assignment.owner)),
        territory: text(assignment.and_then(|assignment| assignment.territory.as_ref())),
    }))
}

/// The promises that are broken or overdue, the oldest due date first.
fn reasons(state: &Customer) -> Vec<(&retention_domain::id::PromiseId, &Promise)> {
    let promises = state.promises.iter();
    let counts = |promise: &Promise| promise.state == State::Broken || promise.is_noted_overdue();
    let mut found: Vec<_> = promises.filter(|(_, promise)| counts(promise)).collect();
    found.sort_by_key(|(_, promise)| promise.terms.due_at.unwrap_or(promise.changed_at));
    found
}
