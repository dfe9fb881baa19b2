//! `ListWorkNews`.

use eventsourcing::Time;
use patron_proto::retention::v1 as proto;
use patron_proto::retention::v1::WorkNewsKind as Kind;
use read_model::{Key as _, Rows};
use retention_domain::text::Label;
use server::{Call, Page, from_timestamp, invalid, parse_optional, timestamp};
use tonic::{Response, Status};
use uuid::Uuid;

use crate::desk::Desk;
use crate::read_model::news::{self, News, Place};
use crate::wire::risk::band_out;
use crate::wire::text;

pub(super) async fn list(
    desk: &Desk,
    call: Call,
    message: proto::ListWorkNewsRequest,
) -> Result<Response<proto::ListWorkNewsResponse>, Status> {
    let owner: Option<Label> = parse_optional("owner", &message.owner)?;
    let owner = text(owner.as_ref());
    let since = message.since.as_ref().map(from_timestamp);
    let since = since.ok_or_else(|| invalid("since", "is required"))?;
    let asked = ["news", &owner, &since.to_string()];
    let page = Page::parse(message.page_size, &message.page_token, &asked)?;
    let from = match page.after.as_deref() {
        Some(after) => news::behind(read(after)?),
        None => news::from(since),
    };
    let read = |rows: &dyn Rows| {
        let found = news::since(rows, &owner, from, page.wanted())?;
        let paged = page.cut(found, |(place, _)| write(*place));
        let news = paged.rows.into_iter();
        Ok(Some(proto::ListWorkNewsResponse {
            news: news.map(|(place, news)| news_out(place, news)).collect(),
            next_page_token: paged.next_page_token,
        }))
    };
    desk.read(&call, &message.min_position, "news", read).await
}

fn write(place: Place) -> Vec<u8> {
    let mut bytes = Vec::new();
    place.encode(&mut bytes);
    bytes
}

fn read(mut bytes: &[u8]) -> Result<Place, Status> {
    let place = <(i64, Uuid, u32)>::decode(&mut bytes).filter(|_| bytes.is_empty());
    place.ok_or_else(|| invalid("page_token", "is not a token of an earlier page"))
}

fn news_out((micros, id, _): Place, news: News) -> proto::WorkNews {
    let customer = format!("customers/{id}");
    let mut out = proto::WorkNews {
        recorded_at: Some(timestamp(Time::from_micros(micros))),
        ..Default::default()
    };
    let action = |action: String| format!("{customer}/actions/{action}");
    let promise = |promise: String| format!("{customer}/promises/{promise}");
    let kind = match news {
        News::ActionProposed(id) => {
            out.action = action(id);
            Kind::ActionProposed
        }
        News::ActionCompleted(id) => {
            out.action = action(id);
            Kind::ActionCompleted
        }
        News::ActionCancelled(id) => {
            out.action = action(id);
            Kind::ActionCancelled
        }
        News::PromiseBroken(id) => {
            out.promise = promise(id);
            Kind::PromiseBroken
        }
        News::PromiseOverdue(id) => {
            out.promise = promise(id);
            Kind::PromiseOverdue
        }
        News::PromiseRepaired(id) => {
            out.promise = promise(id);
            Kind::PromiseRepaired
        }
        News::NoticeGiven => Kind::NoticeGiven,
        News::NoticeWithdrawn => Kind::NoticeWithdrawn,
        News::Lost => Kind::Lost,
        News::WonBack => Kind::WonBack,
        News::RiskChanged(band) => {
            out.risk_band = band_out(band);
            Kind::RiskChanged
        }
        News::OwnerChanged(owner) => {
            out.new_owner = owner;
            Kind::OwnerChanged
        }
    };
    out.kind = kind as i32;
    out.customer = customer;
    out
}
