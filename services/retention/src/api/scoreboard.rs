//! `ScoreboardService`.

use money::{Currency, Money};
use patron_proto::retention::v1 as proto;
use patron_proto::retention::v1::scoreboard_service_server::ScoreboardService;
use prost_types::Timestamp;
use read_model::{Key as _, Rows};
use server::{Moment, MomentOfPages, Page, asked, invalid, moment, money_out, reply_at, timestamp};
use tonic::{Request, Response, Status};

use super::period;
use crate::desk::Desk;
use crate::read_model::scoreboard::figure::{Entry, Place, behind};
use crate::read_model::scoreboard::{Line, Period, Scoreboard, scoreboard};
use crate::wire::report::figure;

/// `ScoreboardService`.
#[derive(Debug, Clone)]
pub(crate) struct Scoreboards(pub(crate) Desk);

#[tonic::async_trait]
impl ScoreboardService for Scoreboards {
    async fn get_scoreboard(
        &self,
        request: Request<proto::GetScoreboardRequest>,
    ) -> Result<Response<proto::Scoreboard>, Status> {
        let (call, message) = server::open(request)?;
        let moment = moment(&self.0.engine, &call, asked!(message)).await?;
        let period = period(message.start.as_ref(), message.end.as_ref(), moment.as_of)?;
        let seen = |_: &dyn Rows| Ok(Some(()));
        self.0
            .read(&call, &message.min_position, "scoreboard", seen)
            .await?;
        let board = server::aside(&self.0.engine, move |rows| {
            let board = scoreboard(rows, period, &moment)?;
            Ok(board_out(period, &board, &moment))
        });
        Ok(reply_at(board.await?, &self.0.engine.position()))
    }

    async fn list_scoreboard_customers(
        &self,
        request: Request<proto::ListScoreboardCustomersRequest>,
    ) -> Result<Response<proto::ListScoreboardCustomersResponse>, Status> {
        let (call, message) = server::open(request)?;
        let figure = figure("figure", message.figure)?;
        let number = message.figure.to_string();
        let text = |time: &Option<Timestamp>| time.as_ref().map(ToString::to_string);
        let [start, end, known_at] = [&message.start, &message.end, &message.known_at]
            .map(|time| text(time).unwrap_or_default());
        let question = ["scoreboard", &number, &start, &end, &known_at];
        let page = Page::parse(message.page_size, &message.page_token, &question)?;
        let after = page.after.as_deref().map(read_after).transpose()?;
        let before = after.as_ref().map(|(moment, _)| moment);
        let asked = asked!(message);
        let moment = MomentOfPages::again(before, &self.0.engine, &call, asked).await?;
        let period = period(message.start.as_ref(), message.end.as_ref(), moment.as_of)?;
        let wanted = page.wanted();
        let answered = server::aside(&self.0.engine, move |rows| {
            let after = after.as_ref().map(|(_, place)| place);
            let found = behind(rows, figure, period, &moment, after, wanted)?;
            Ok((found, moment))
        });
        let (found, moment) = answered.await?;
        let paged = page.cut(found, |entry| write_after(&moment, &entry.place));
        let answer = proto::ListScoreboardCustomersResponse {
            customers: paged.rows.iter().map(entry_out).collect(),
            next_page_token: paged.next_page_token,
            as_of: Some(timestamp(moment.as_of)),
            known_at_position: moment.known.token(),
        };
        Ok(reply_at(answer, &self.0.engine.position()))
    }
}

/// A page token: the moment of all pages, and where the last entry stands.
fn write_after(moment: &Moment, place: &Place) -> Vec<u8> {
    let mut bytes = Vec::new();
    MomentOfPages::of(moment).encode(&mut bytes);
    place.encode(&mut bytes);
    bytes
}

fn read_after(mut bytes: &[u8]) -> Result<(MomentOfPages, Place), Status> {
    let moment = MomentOfPages::decode(&mut bytes);
    let place = Place::decode(&mut bytes).filter(|_| bytes.is_empty());
    let after = moment.zip(place);
    after.ok_or_else(|| invalid("page_token", "is not a token of an earlier page"))
}

fn entry_out(entry: &Entry) -> proto::ScoreboardCustomer {
    let money = |value| money_out(Money::new(entry.currency, value));
    proto::ScoreboardCustomer {
        customer: format!("customers/{}", entry.place.1),
        occurred_at: entry.at.map(timestamp),
        value: entry.value.map(money),
    }
}

fn board_out(period: Period, board: &Scoreboard, moment: &Moment) -> proto::Scoreboard {
    let money = board.money.iter();
    proto::Scoreboard {
        start: period.start.map(timestamp),
        end: Some(timestamp(period.end)),
        opening: board.opening,
        created: board.created,
        kept: board.kept,
        lost: board.lost,
        won_back: board.won_back,
        closing: board.closing,
        retention_rate: board.retention_rate(),
        money: money
            .map(|(currency, line)| line_out(*currency, line))
            .collect(),
        as_of: Some(timestamp(moment.as_of)),
        known_at_position: moment.known.token(),
    }
}

fn line_out(currency: Currency, line: &Line) -> proto::ScoreboardMoney {
    let money = |minor_units| Some(money_out(Money::new(currency, minor_units)));
    proto::ScoreboardMoney {
        active: line.active,
        purchases: line.purchases,
        revenue: money(line.revenue),
        margin: money(line.margin),
        equity: money(line.equity),
    }
}
