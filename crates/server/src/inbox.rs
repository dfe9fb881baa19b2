//! `InboxService`: parked events of the other service, the same in both services.

use std::fmt;
use std::sync::Arc;

use eventsourcing::{Class, Explain};
use journal::StreamId;
use patron_proto::admin::v1 as proto;
use patron_proto::admin::v1::inbox_service_server::InboxService;
use runtime::{Engine, Failure, ParkedEvent, Retry, Service, StillParked, parked, parked_event};
use tonic::{Request, Response, Status};

use crate::reading::unread;
use crate::status::invalid;
use crate::{Page, from_failure, not_found, open, reply_at, timestamp, unavailable};

/// `InboxService` of one replica.
#[derive(Debug)]
pub struct Inbox<S: Service>(pub Arc<Engine<S>>);

/// The full name of the gRPC service, for health checks.
pub const INBOX_SERVICE: &str = "patron.admin.v1.InboxService";

#[tonic::async_trait]
impl<S: Service> InboxService for Inbox<S> {
    async fn list_parked_events(
        &self,
        request: Request<proto::ListParkedEventsRequest>,
    ) -> Result<Response<proto::ListParkedEventsResponse>, Status> {
        let (call, message) = open(request)?;
        let page = Page::parse(message.page_size, &message.page_token, &["parkedEvents"])?;
        let after = page.after_text()?.map(|place| number("page_token", &place));
        let after = after.transpose()?;
        let read = |rows: &dyn read_model::Rows| parked(rows, after, page.wanted());
        let (found, at) = self.read(call.deadline, read).await?;
        let paged = page.cut(found, |event| place(event).into_bytes());
        let answer = proto::ListParkedEventsResponse {
            parked_events: paged.rows.iter().map(shown).collect(),
            next_page_token: paged.next_page_token,
        };
        Ok(reply_at(answer, &at))
    }

    async fn get_parked_event(
        &self,
        request: Request<proto::GetParkedEventRequest>,
    ) -> Result<Response<proto::ParkedEvent>, Status> {
        let (call, message) = open(request)?;
        let [id] = crate::resource_id("name", &message.name, ["parkedEvents"])?;
        let (partition, sequence) = number("name", id)?;
        let read = |rows: &dyn read_model::Rows| parked_event(rows, partition, sequence);
        let (found, at) = self.read(call.deadline, read).await?;
        let event = found.ok_or_else(|| not_found(&message.name))?;
        Ok(reply_at(shown(&event), &at))
    }

    async fn retry_parked_events(
        &self,
        request: Request<proto::RetryParkedEventsRequest>,
    ) -> Result<Response<proto::RetryParkedEventsResponse>, Status> {
        let (call, message) = open(request)?;
        let subject = message.subject.clone();
        let root = StreamId::new(subject.as_str());
        let root = root.map_err(|error| invalid("subject", &error.to_string()))?;
        let request = crate::command::request(&call, &message, root)?;
        let answer = self.0.retry_parked(Retry { subject, request }).await;
        let answer = answer.map_err(|failure| refused(&message.subject, failure))?;
        let response = proto::RetryParkedEventsResponse {
            still_parked: i64::try_from(answer.value).unwrap_or(i64::MAX),
        };
        Ok(reply_at(response, &answer.position))
    }
}

impl<S: Service> Inbox<S> {
    /// What waits is said from the rows as they are here now: a replica that lags says a little less.
    async fn read<T>(
        &self,
        deadline: Option<tokio::time::Instant>,
        read: impl FnOnce(&dyn read_model::Rows) -> Result<T, read_model::Error>,
    ) -> Result<(T, journal::Position), Status> {
        let found = self.0.read(None, deadline, read).await;
        let (found, at) = found.map_err(|why| unread(&why))?;
        let found = found.map_err(|error| unavailable(&error.to_string()))?;
        Ok((found, at))
    }
}

/// Why nothing was taken, with the subject.
#[derive(Debug)]
struct NotTaken<'a> {
    subject: &'a str,
    why: StillParked,
}

impl fmt::Display for NotTaken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = self.subject;
        match &self.why {
            StillParked::Nothing => write!(f, "no event of {subject} waits"),
            StillParked::Unreadable(why) => write!(
                f,
                "this release cannot read the first event of {subject} that waits ({why}): upgrade it first \
                 (docs/errors/unknown-event.md)"
            ),
        }
    }
}

impl Explain for NotTaken<'_> {
    fn class(&self) -> Class {
        match self.why {
            StillParked::Nothing => Class::NotFound,
            StillParked::Unreadable(_) => Class::FailedPrecondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self.why {
            StillParked::Nothing => "NOTHING_PARKED",
            StillParked::Unreadable(_) => "STILL_UNREADABLE",
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        vec![("subject", self.subject.to_owned())]
    }
}

fn refused(subject: &str, failure: Failure<StillParked>) -> Status {
    from_failure(&failure.map(|why| NotTaken { subject, why }))
}

/// Where an event stands in its inbox, as its name says it: `3-17`.
fn place(waiting: &ParkedEvent) -> String {
    format!("{}-{}", waiting.event.partition, waiting.event.sequence)
}

fn number(field: &str, place: &str) -> Result<(u32, u64), Status> {
    let parts = place
        .split_once('-')
        .and_then(|(partition, sequence)| Some((partition.parse().ok()?, sequence.parse().ok()?)));
    parts.ok_or_else(|| invalid(field, "is not the name of a parked event"))
}

fn shown(waiting: &ParkedEvent) -> proto::ParkedEvent {
    let event = &waiting.event;
    proto::ParkedEvent {
        name: format!("parkedEvents/{}", place(waiting)),
        reason: waiting.reason.clone(),
        source: event.topic.clone(),
        r#type: event.kind.clone(),
        schema: i32::try_from(event.schema).unwrap_or(i32::MAX),
        subject: event.subject.clone(),
        event_id: event.event_id.clone(),
        sequence: i64::try_from(event.sequence).unwrap_or(i64::MAX),
        event_time: Some(timestamp(event.time)),
        recorded_at: Some(timestamp(event.recorded_at)),
        payload: event.payload.to_vec(),
    }
}
