//! Story S3: a finance lead closes two quarters, and the books add up.

use std::collections::HashMap;

use jiff::Span;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use patron_proto::retention::v1 as ret;
use patron_proto::types::v1::Money;
use prost_types::Timestamp;
use tonic::Status;

use crate::connect::{Retention, request_id, said};
use crate::ledger::statement;
use crate::moment::midnight;
use crate::show::now;

const LEDGER: &str = "ledgers/EUR";

/// A quarter of the calendar.
struct Quarter {
    /// `2026-q2`.
    id: String,
    start: Date,
    end: Date,
}

/// Plays the story in the last two quarters that are over.
pub(crate) async fn play(
    retention: &mut Retention,
    tell: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<()> {
    let (first, last) = quarters()?;
    let mut books = Books {
        retention,
        names: HashMap::new(),
    };
    tell(
        "Four more customers buy for 800.00, 400.00, 400.00 and 200.00 EUR; the last of them leaves again.\n",
    );
    let kept = books.first_quarter(&first).await;
    kept.map_err(|status| said(&status))?;
    tell(&books.closed(&first).await?);
    tell(
        "\nIn the next quarter one comes new, the lost one is won back, one buys more, one returns a part,\n\
         one leaves; and customers turn out to stay longer than was assumed.\n",
    );
    let kept = books.second_quarter(&last).await;
    kept.map_err(|status| said(&status))?;
    tell(&books.closed(&last).await?);
    let late = books.buy("dubois", "late", 10_000, last.day(20)).await;
    late.map_err(|status| said(&status))?;
    tell(
        "\nA purchase of that quarter is told of today. No closed statement changes: it will be in the next one.",
    );
    Ok(())
}

/// The last two quarters that are over.
fn quarters() -> anyhow::Result<(Quarter, Quarter)> {
    let now = jiff::Timestamp::from_second(now().seconds)?;
    let today = now.to_zoned(TimeZone::UTC).date();
    let last = Quarter::before(start_of_quarter(today)?)?;
    Ok((Quarter::before(last.start)?, last))
}

/// The first day of the story.
pub(crate) fn begins() -> anyhow::Result<Date> {
    Ok(quarters()?.0.start)
}

fn start_of_quarter(day: Date) -> anyhow::Result<Date> {
    let months = i64::from((day.month() - 1) % 3);
    Ok(day
        .first_of_month()
        .checked_sub(Span::new().months(months))?)
}

impl Quarter {
    /// The quarter that ended with the day before this one.
    fn before(end: Date) -> anyhow::Result<Self> {
        let start = end.checked_sub(Span::new().months(3))?;
        let number = (start.month() - 1) / 3 + 1;
        let id = format!("{}-q{number}", start.year());
        Ok(Self { id, start, end })
    }

    /// Noon of the day so many days after its first.
    fn day(&self, days: i64) -> Timestamp {
        let start = midnight(self.start).unwrap_or_default();
        Timestamp {
            seconds: start.seconds + days * 86_400 + 43_200,
            nanos: 0,
        }
    }
}

/// Customers by the names that the story has for them.
struct Books<'a> {
    retention: &'a mut Retention,
    names: HashMap<&'static str, String>,
}

impl Books<'_> {
    async fn first_quarter(&mut self, quarter: &Quarter) -> Result<(), Status> {
        let first = [
            ("anders", 80_000),
            ("bakker", 40_000),
            ("costa", 40_000),
            ("evans", 20_000),
        ];
        for (who, amount) in first {
            self.open(who, amount, quarter.day(9)).await?;
        }
        self.end("evans", quarter.day(40)).await
    }

    async fn second_quarter(&mut self, quarter: &Quarter) -> Result<(), Status> {
        self.open("dubois", 40_000, quarter.day(9)).await?;
        let won_back = ret::WinBackCustomerRequest {
            name: self.name("evans"),
            won_back_at: Some(quarter.day(10)),
            request_id: request_id(),
            ..Default::default()
        };
        self.retention.customers.win_back_customer(won_back).await?;
        self.buy("evans", "back", 20_000, quarter.day(11)).await?;
        self.buy("anders", "more", 20_000, quarter.day(12)).await?;
        let returned = ret::ReversePurchaseRequest {
            parent: self.name("bakker"),
            purchase_id: "first".to_owned(),
            reversal: Some(ret::Reversal {
                reversal_id: "returned".to_owned(),
                amount: Some(euros(10_000)),
                occurred_at: Some(quarter.day(13)),
                ..Default::default()
            }),
            request_id: request_id(),
            ..Default::default()
        };
        self.retention.customers.reverse_purchase(returned).await?;
        self.end("costa", quarter.day(14)).await?;
        let longer = ret::SetAssumptionsRequest {
            name: LEDGER.to_owned(),
            annual_retention_rate: Some(0.8),
            annual_discount_rate: Some(0.2),
            request_id: request_id(),
            ..Default::default()
        };
        self.retention.ledgers.set_assumptions(longer).await?;
        Ok(())
    }

    /// Closes the quarter; the statement as a person reads it.
    async fn closed(&mut self, quarter: &Quarter) -> anyhow::Result<String> {
        let closed = self.close(quarter).await.map_err(|status| said(&status))?;
        Ok(statement::shown(&closed))
    }

    async fn close(&mut self, quarter: &Quarter) -> Result<ret::EquityStatement, Status> {
        let close = ret::ClosePeriodRequest {
            parent: LEDGER.to_owned(),
            statement_id: quarter.id.clone(),
            start: midnight(quarter.start).ok(),
            end: midnight(quarter.end).ok(),
            request_id: request_id(),
            ..Default::default()
        };
        let closed = self.retention.ledgers.close_period(close).await?;
        Ok(closed.into_inner())
    }

    async fn open(&mut self, who: &'static str, amount: i64, at: Timestamp) -> Result<(), Status> {
        let open = ret::OpenRelationshipRequest {
            external_id: who.to_owned(),
            acquired_at: Some(at),
            currency_code: "EUR".to_owned(),
            first_purchase: Some(purchase("first", amount, at)),
            request_id: request_id(),
            ..Default::default()
        };
        let opened = self.retention.customers.open_relationship(open).await?;
        self.names.insert(who, opened.into_inner().name);
        Ok(())
    }

    async fn buy(&mut self, who: &str, id: &str, amount: i64, at: Timestamp) -> Result<(), Status> {
        let bought = ret::RecordPurchaseRequest {
            parent: self.name(who),
            purchase: Some(purchase(id, amount, at)),
            request_id: request_id(),
            validate_only: false,
        };
        self.retention.customers.record_purchase(bought).await?;
        Ok(())
    }

    async fn end(&mut self, who: &str, at: Timestamp) -> Result<(), Status> {
        let ended = ret::EndRelationshipRequest {
            name: self.name(who),
            ended_at: Some(at),
            cause: ret::LossCause::Voluntary as i32,
            reason: ret::LossReason::NoLongerNeeded as i32,
            request_id: request_id(),
            ..Default::default()
        };
        self.retention.customers.end_relationship(ended).await?;
        Ok(())
    }

    fn name(&self, who: &str) -> String {
        self.names.get(who).cloned().unwrap_or_default()
    }
}

fn purchase(id: &str, amount: i64, at: Timestamp) -> ret::Purchase {
    ret::Purchase {
        purchase_id: id.to_owned(),
        amount: Some(euros(amount)),
        occurred_at: Some(at),
        ..Default::default()
    }
}

fn euros(minor_units: i64) -> Money {
    Money {
        currency_code: "EUR".to_owned(),
        minor_units,
    }
}
