//! Reports as protobuf writes them.

use money::{Currency, Money};
use patron_proto::retention::v1 as proto;
use retention_domain::recurring::movement::Movements;
use server::{Moment, Wrong, money_out, pairs, timestamp};

use super::relationship::{cause_out, optional_reason_out};
use crate::read_model::reports::cohorts::{self, Cell, Cohorts, Measure, Question, Row};
use crate::read_model::reports::gaps::{self, Gap};
use crate::read_model::reports::retention::Report;
use crate::read_model::scoreboard::Period;
use crate::read_model::scoreboard::figure::Figure;

pairs!(measure_out, measure: Measure = proto::CohortMeasure {
    Relationship = Relationship, Purchase = Purchase, Revenue = Revenue, Margin = Margin,
});
pairs!(rows_out, rows_by: cohorts::By = proto::CohortDimension {
    Month = Month, Campaign = Campaign, Presentation = Presentation,
});
pairs!(gaps_by_out, gaps_by: gaps::By = proto::GapDimension {
    Benefit = Benefit, Campaign = Campaign, Owner = Owner,
});
pairs!(figure_out, figure: Figure = proto::ScoreboardFigure {
    Created = Created, Kept = Kept, Lost = Lost, WonBack = WonBack, Active = Active,
});

/// What the rows of a cohort table are; months if it is not said.
pub(crate) fn rows_by_or_month(field: &str, number: i32) -> Result<cohorts::By, Wrong> {
    if number == proto::CohortDimension::Unspecified as i32 {
        return Ok(cohorts::By::Month);
    }
    rows_by(field, number)
}

pub(crate) fn retention_out(
    period: Period,
    report: &Report,
    moment: &Moment,
) -> proto::RetentionReport {
    let interval = report.interval();
    let recurring = report.recurring.iter();
    proto::RetentionReport {
        start: period.start.map(timestamp),
        end: Some(timestamp(period.end)),
        opening: report.opening,
        created: report.created,
        kept: report.kept,
        lost: report.lost,
        won_back: report.won_back,
        closing: report.closing,
        retention_rate: report.retention_rate(),
        retention_rate_low: interval.map(|interval| interval.low),
        retention_rate_high: interval.map(|interval| interval.high),
        churn: churn_out(report),
        recurring: recurring
            .map(|(currency, movements)| movement_out(*currency, movements))
            .collect(),
        as_of: Some(timestamp(moment.as_of)),
        known_at_position: moment.known.token(),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a ratio for people; no sum is made of it"
)]
fn churn_out(report: &Report) -> Vec<proto::ChurnLine> {
    let lines = report.churn.iter();
    lines
        .map(|((cause, reason), count)| proto::ChurnLine {
            cause: cause_out(*cause),
            reason: optional_reason_out(*reason),
            count: *count,
            share: *count as f64 / report.lost as f64,
        })
        .collect()
}

fn movement_out(currency: Currency, movements: &Movements) -> proto::RecurringMovement {
    let money = |minor_units| Some(money_out(Money::new(currency, minor_units)));
    proto::RecurringMovement {
        opening: money(movements.opening),
        new: money(movements.new),
        reactivated: money(movements.reactivated),
        expanded: money(movements.expanded),
        contracted: money(movements.contracted),
        churned: money(movements.churned),
        closing: money(movements.closing),
        gross_retention_rate: movements.gross_rate(),
        net_retention_rate: movements.net_rate(),
    }
}

pub(crate) fn cohorts_out(
    question: &Question,
    cohorts: &Cohorts,
    moment: &Moment,
) -> proto::CohortTable {
    let rows = cohorts.rows.iter();
    proto::CohortTable {
        measure: measure_out(question.measure),
        dimension: rows_out(question.by),
        rows: rows
            .map(|(name, row)| row_out(name, row, question))
            .collect(),
        total: Some(row_out("", &cohorts.total, question)),
        as_of: Some(timestamp(moment.as_of)),
        known_at_position: moment.known.token(),
    }
}

fn row_out(name: &str, row: &Row, question: &Question) -> proto::CohortRow {
    let cells = row.cells.iter();
    proto::CohortRow {
        name: name.to_owned(),
        customers: row.customers,
        cells: cells.map(|cell| cell_out(*cell, question)).collect(),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a ratio for people; no sum is made of it"
)]
fn cell_out(cell: Cell, question: &Question) -> proto::CohortCell {
    let Cell { complete, sum } = cell;
    let known = (complete > 0).then_some(sum);
    match (question.measure, question.currency) {
        (Measure::Revenue | Measure::Margin, Some(currency)) => proto::CohortCell {
            complete,
            count: None,
            share: None,
            amount: known.map(|sum| money_out(Money::new(currency, sum))),
        },
        _ => proto::CohortCell {
            complete,
            count: known,
            share: known.map(|count| count as f64 / complete as f64),
            amount: None,
        },
    }
}

pub(crate) fn gap_out(name: &str, gap: &Gap) -> proto::PromiseGap {
    proto::PromiseGap {
        name: name.to_owned(),
        scored: gap.scored,
        expected_score: gap.expected(),
        perceived_score: gap.perceived(),
        gap: gap.mean(),
        weighted_gap: gap.weighted(),
    }
}
