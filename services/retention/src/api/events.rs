//! `EventService`.

use std::pin::Pin;

use futures::{Stream, StreamExt as _};
use patron_proto::retention::v1 as proto;
use patron_proto::retention::v1::event_service_server::EventService;
use server::{Watched, Watchers, Watching};
use tonic::{Request, Response, Status};

use crate::desk::Desk;

/// `EventService`.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    pub(crate) desk: Desk,
    pub(crate) watchers: Watchers,
}

#[tonic::async_trait]
impl EventService for Events {
    type WatchEventsStream =
        Pin<Box<dyn Stream<Item = Result<proto::WatchEventsResponse, Status>> + Send>>;

    async fn watch_events(
        &self,
        request: Request<proto::WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        let (_, message) = server::open(request)?;
        let watching = Watching {
            types: message.types,
            subject: message.subject,
            resume_token: message.resume_token,
            from_start: message.from_start,
        };
        let events = server::watch(&self.desk.engine, &self.watchers, watching)?;
        Ok(Response::new(Box::pin(
            events.map(|event| event.map(shown)),
        )))
    }
}

fn shown(event: Watched) -> proto::WatchEventsResponse {
    proto::WatchEventsResponse {
        event_id: event.event_id,
        r#type: event.kind,
        subject: event.subject,
        recorded_at: Some(event.recorded_at),
        event: Some(event.event),
        resume_token: event.resume_token,
    }
}
