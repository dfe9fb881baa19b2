//! Campaigns and what is spent on them.

use acquisition_domain::campaign::{Plan, Spend, SpendKind, State};
use eventsourcing::Time;
use patron_proto::acquisition::v1 as proto;
use patron_proto::types::v1::Money;
use prost_types::Timestamp;
use server::{Wrong, currency, money, money_out, pairs, parse, parse_optional, present, timestamp};

use super::time;

pairs!(spend_kind_out, spend_kind: SpendKind = proto::SpendKind {
    Media = Media, Content = Content, Tools = Tools, Sales = Sales, Other = Other,
});
pairs!(state_out, _state: State = proto::CampaignState {
    Planned = Planned, Running = Running, Ended = Ended,
});

/// The parts of a message that are a campaign's plan.
pub(crate) struct Planned<'a> {
    pub(crate) presentation_ids: &'a [String],
    pub(crate) starts_at: Option<&'a Timestamp>,
    pub(crate) ends_at: Option<&'a Timestamp>,
    pub(crate) currency_code: &'a str,
    pub(crate) budget: Option<&'a Money>,
}

pub(crate) fn plan(planned: &Planned<'_>) -> Result<Plan, Wrong> {
    let presentations = planned.presentation_ids.iter();
    Ok(Plan {
        presentation_ids: presentations
            .map(|id| parse("presentation_ids", id))
            .collect::<Result<_, _>>()?,
        starts_at: time("starts_at", planned.starts_at)?,
        ends_at: time("ends_at", planned.ends_at)?,
        currency: currency("currency_code", planned.currency_code)?,
        budget: planned
            .budget
            .map(|budget| money("budget", budget))
            .transpose()?,
    })
}

/// The parts of a message that are a spend.
pub(crate) struct Spent<'a> {
    pub(crate) kind: i32,
    pub(crate) amount: Option<&'a Money>,
    pub(crate) presentation_id: &'a str,
    pub(crate) reverses: &'a str,
}

pub(crate) fn spend(spent: &Spent<'_>, incurred_at: Time) -> Result<Spend, Wrong> {
    Ok(Spend {
        kind: spend_kind("kind", spent.kind)?,
        amount: money("amount", present("amount", spent.amount)?)?,
        incurred_at,
        presentation_id: parse_optional("presentation_id", spent.presentation_id)?,
        reverses: parse_optional("reverses", spent.reverses)?,
    })
}

pub(crate) fn spend_out(spend_id: &str, spend: &Spend) -> proto::Spend {
    proto::Spend {
        spend_id: spend_id.to_owned(),
        kind: spend_kind_out(spend.kind),
        amount: Some(money_out(spend.amount)),
        incurred_at: Some(timestamp(spend.incurred_at)),
        presentation_id: spend
            .presentation_id
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        reverses: spend
            .reverses
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
    }
}
