//! `ScoreboardService`.

use eventsourcing::Time;
use money::{Currency, Money};
use patron_proto::retention::v1 as proto;
use patron_proto::retention::v1::scoreboard_service_server::ScoreboardService;
use read_model::Rows;
use server::{from_timestamp, invalid, money_out, timestamp};
use tonic::{Request, Response, Status};

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
        // The end is excluded, and what happens at this moment has happened.
        let just_after_now = Time::from_micros(self.0.engine.clock().now().micros() + 1);
        let period = Period {
            start: message.start.as_ref().map(from_timestamp),
            // Of what lies ahead nothing is known: the rest of a year is not a year without purchases.
            end: message
                .end
                .as_ref()
                .map_or(just_after_now, from_timestamp)
                .min(just_after_now),
        };
        if period.start.is_some_and(|start| start >= period.end) {
            return Err(invalid("end", "must be later than start"));
        }
        let read =
            |rows: &dyn Rows| scoreboard(rows, period).map(|board| Some(board_out(period, &board)));
        self.0
            .read(&call, &message.min_position, "scoreboard", read)
            .await
    }
}

fn board_out(period: Period, board: &Scoreboard) -> proto::Scoreboard {
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
