//! `ScoreboardService`.

use money::{Currency, Money};
use patron_proto::retention::v1 as proto;
use patron_proto::retention::v1::scoreboard_service_server::ScoreboardService;
use read_model::Rows;
use server::{Moment, asked, moment, money_out, reply_at, timestamp};
use tonic::{Request, Response, Status};

use super::period;
use crate::desk::Desk;
use crate::read_model::scoreboard::{Line, Period, Scoreboard, scoreboard};

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
