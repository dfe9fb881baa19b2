//! What reports are asked for, and how they are told.

use acquisition_domain::id::{BenefitId, PropositionId};
use attribution::{HalfLife, Rule};
use eventsourcing::{Days, Time};
use money::{Currency, Money};
use patron_proto::acquisition::v1 as proto;
use patron_proto::types::v1 as types;
use prost_types::Timestamp;
use server::{
    Moment, Wrong, currency, from_timestamp, money_out, pairs, parse, resource_id, timestamp,
};

use super::prospect::close_reason_out;
use crate::read_model::attribution::{Attribution, Line, Question};
use crate::read_model::credit::{Model, WINDOW};
use crate::read_model::funnel::{self, By, Funnel};
use crate::read_model::period::Period;
use crate::read_model::point::{Dimension, PresentationName};

pairs!(dimension_out, dimension: Dimension = proto::AttributionDimension {
    Campaign = Campaign, Presentation = Presentation, Channel = Channel,
});
pairs!(by_out, by: By = proto::FunnelDimension {
    Proposition = Proposition, Problem = Problem, Campaign = Campaign, Channel = Channel,
});

/// What no touch point earned.
const UNATTRIBUTED: &str = "(unattributed)";
/// Prospects without a value of the dimension.
const NONE: &str = "(none)";
/// The longest window: a hundred years.
const LONGEST_WINDOW: u32 = 36_500;

/// The ids in `propositions/{proposition}/presentations/{presentation}`.
pub(crate) fn presentation_name(field: &str, name: &str) -> Result<PresentationName, Wrong> {
    let [proposition, presentation] = resource_id(field, name, ["propositions", "presentations"])?;
    Ok(PresentationName {
        proposition_id: parse(field, proposition)?,
        presentation_id: parse(field, presentation)?,
    })
}

/// The ids in `propositions/{proposition}/benefits/{benefit}`.
pub(crate) fn benefit_name(field: &str, name: &str) -> Result<(PropositionId, BenefitId), Wrong> {
    let [proposition, benefit] = resource_id(field, name, ["propositions", "benefits"])?;
    Ok((parse(field, proposition)?, parse(field, benefit)?))
}

/// A rule by its number; `TIME_DECAY` with the half-life that is given, or a week.
fn rule(field: &str, number: i32, half_life: Option<f64>) -> Result<Rule, Wrong> {
    let half_life = match half_life {
        None => HalfLife::WEEK,
        Some(days) => {
            HalfLife::days(days).ok_or_else(|| Wrong::new("half_life_days", "must be above 0"))?
        }
    };
    match proto::AttributionModel::try_from(number) {
        Ok(proto::AttributionModel::First) => Ok(Rule::First),
        Ok(proto::AttributionModel::Last) => Ok(Rule::Last),
        Ok(proto::AttributionModel::Linear) => Ok(Rule::Linear),
        Ok(proto::AttributionModel::TimeDecay) => Ok(Rule::TimeDecay(half_life)),
        Ok(proto::AttributionModel::Position) => Ok(Rule::Position),
        Ok(proto::AttributionModel::Markov) => Ok(Rule::Markov),
        Ok(proto::AttributionModel::Shapley) => Ok(Rule::Shapley),
        Ok(proto::AttributionModel::Unspecified) | Err(_) => {
            Err(Wrong::new(field, "is no model that is known here"))
        }
    }
}

const fn rule_out(rule: Rule) -> proto::AttributionModel {
    match rule {
        Rule::First => proto::AttributionModel::First,
        Rule::Last => proto::AttributionModel::Last,
        Rule::Linear => proto::AttributionModel::Linear,
        Rule::TimeDecay(_) => proto::AttributionModel::TimeDecay,
        Rule::Position => proto::AttributionModel::Position,
        Rule::Markov => proto::AttributionModel::Markov,
        Rule::Shapley => proto::AttributionModel::Shapley,
    }
}

/// A model that has credit for one customer; LAST if none is named.
pub(crate) fn model_of_one(field: &str, number: i32) -> Result<Model, Wrong> {
    if number == proto::AttributionModel::Unspecified as i32 {
        return Ok(Model::LAST);
    }
    let what = "MARKOV divides all conversions together and has no credit per customer";
    Model::new(rule(field, number, None)?).ok_or_else(|| Wrong::new(field, what))
}

/// A period; without an end, everything up to a moment, that moment included.
pub(crate) fn period(
    start: Option<&Timestamp>,
    end: Option<&Timestamp>,
    as_of: Time,
) -> Result<Period, Wrong> {
    let period = Period {
        start: start.map(from_timestamp),
        end: end.map_or(
            Time::from_micros(as_of.micros().saturating_add(1)),
            from_timestamp,
        ),
    };
    if period.start.is_some_and(|start| start >= period.end) {
        return Err(Wrong::new("end", "must be later than start"));
    }
    Ok(period)
}

/// What a request for credit asks.
pub(crate) fn question(
    message: &proto::GetAttributionRequest,
    as_of: Time,
) -> Result<Question, Wrong> {
    let window = match message.window_days {
        None => WINDOW,
        Some(days) => u32::try_from(days)
            .ok()
            .filter(|days| (1..=LONGEST_WINDOW).contains(days))
            .map(Days)
            .ok_or_else(|| Wrong::new("window_days", format!("must be 1 to {LONGEST_WINDOW}")))?,
    };
    Ok(Question {
        period: period(message.start.as_ref(), message.end.as_ref(), as_of)?,
        rule: rule("model", message.model, message.half_life_days)?,
        window,
        dimension: dimension("dimension", message.dimension)?,
        currency: currency("currency_code", &message.currency_code)?,
    })
}

pub(crate) fn attribution_out(
    message: &proto::GetAttributionRequest,
    question: &Question,
    found: Attribution,
    moment: &Moment,
) -> proto::AttributionReport {
    let money = |minor_units| money_out(Money::new(question.currency, minor_units));
    let decays = matches!(question.rule, Rule::TimeDecay(_));
    let lines = found.lines.into_iter();
    proto::AttributionReport {
        start: question.period.start.map(timestamp),
        end: Some(timestamp(question.period.end)),
        model: rule_out(question.rule) as i32,
        dimension: dimension_out(question.dimension),
        window_days: super::small_out(question.window.0),
        half_life_days: decays.then(|| message.half_life_days.unwrap_or(7.0)),
        currency_code: question.currency.code().to_owned(),
        conversions: found.conversions,
        other_currency_conversions: found.other_currency,
        closed_journeys: found.closed,
        value: Some(money(found.value)),
        spend: found.spend.map(money),
        cac: found.cac.map(money),
        lines: lines
            .map(|line| line_out(line, question.currency))
            .collect(),
        as_of: Some(timestamp(moment.as_of)),
        known_at_position: moment.known.token(),
    }
}

fn line_out(line: Line, currency: Currency) -> proto::AttributionLine {
    let money = |minor_units| -> types::Money { money_out(Money::new(currency, minor_units)) };
    proto::AttributionLine {
        touch_point: line.point.unwrap_or_else(|| UNATTRIBUTED.to_owned()),
        credit: line.credit,
        value: Some(money(line.value)),
        spend: line.spend.map(money),
        cac: line.cac.map(money),
        removal_effect: line.removal_effect,
    }
}

/// What the lines of a funnel tell apart, if anything.
pub(crate) fn optional_by(number: i32) -> Result<Option<By>, Wrong> {
    if number == proto::FunnelDimension::Unspecified as i32 {
        return Ok(None);
    }
    by("dimension", number).map(Some)
}

pub(crate) fn funnel_out(
    period: Period,
    by: Option<By>,
    found: &Funnel,
    moment: &Moment,
) -> proto::Funnel {
    let lines = found.lines.iter();
    proto::Funnel {
        start: period.start.map(timestamp),
        end: Some(timestamp(period.end)),
        dimension: by.map_or(0, by_out),
        total: Some(stages_out("", &found.total)),
        lines: lines
            .map(|(key, line)| stages_out(key.as_deref().unwrap_or(NONE), line))
            .collect(),
        as_of: Some(timestamp(moment.as_of)),
        known_at_position: moment.known.token(),
    }
}

fn stages_out(key: &str, line: &funnel::Line) -> proto::FunnelLine {
    let closed_for = line.closed_for.values();
    proto::FunnelLine {
        key: key.to_owned(),
        created: line.created,
        identified: line.identified,
        qualified: line.qualified,
        converted: line.converted,
        closed: line.closed,
        closed_for: closed_for
            .map(|(reason, count)| proto::ClosedFor {
                reason: close_reason_out(*reason),
                count: *count,
            })
            .collect(),
        median_days_created_to_identified: line.created_to_identified.median(),
        median_days_created_to_qualified: line.created_to_qualified.median(),
        median_days_qualified_to_converted: line.qualified_to_converted.median(),
        median_days_created_to_converted: line.created_to_converted.median(),
        median_days_created_to_closed: line.created_to_closed.median(),
    }
}
