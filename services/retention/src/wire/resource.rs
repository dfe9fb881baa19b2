//! A customer's state as the resource that clients see.

use eventsourcing::Time;
use money::Money;
use patron_proto::retention::v1 as proto;
use retention_domain::Customer;
use server::{Opener, money_out, timestamp};
use uuid::Uuid;
use vault::Field;

use super::action::action_out;
use super::person::identities_shown;
use super::promise::promise_out;
use super::relationship::{consents_out, loss_out, notice_out, source_out, state_out};
use super::risk::{band_out, driver_out};
use super::{small_out, text};

/// How a version is written in an etag.
pub(crate) fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

/// A customer in view BASIC; nothing before the relationship was opened.
pub(crate) fn basic(
    id: Uuid,
    state: &Customer,
    version: u64,
    opener: &Opener,
) -> Option<proto::Customer> {
    let relationship = state.relationship.as_ref()?;
    let name = relationship.who.display_name.as_ref();
    let money = |minor_units| Some(money_out(Money::new(relationship.currency, minor_units)));
    let origin = &relationship.origin;
    let (source, external_id) = source_out(&origin.source);
    let assignment = relationship.assignment.as_ref();
    let loss = relationship
        .last_loss
        .as_ref()
        .filter(|_| relationship.is_lost());
    Some(proto::Customer {
        name: format!("customers/{id}"),
        state: state_out(relationship.state),
        source,
        external_id,
        proposition: text(origin.proposition.as_ref()),
        campaign: text(origin.campaign.as_ref()),
        presentation_id: text(origin.presentation_id.as_ref()),
        currency_code: relationship.currency.to_string(),
        acquired_at: Some(timestamp(relationship.acquired_at)),
        ended_at: relationship.ended_at().map(timestamp),
        loss: loss.map(loss_out),
        purchase_count: small_out(state.totals.purchases),
        last_purchase_at: state.totals.last_purchase_at.map(timestamp),
        revenue: money(state.totals.revenue),
        margin: money(state.totals.contribution_margin),
        consents: consents_out(&relationship.consents),
        promises: Vec::new(),
        open_actions: Vec::new(),
        value: None,
        etag: etag(version),
        owner: text(assignment.map(|assignment| &assignment.owner)),
        territory: text(assignment.and_then(|assignment| assignment.territory.as_ref())),
        owned_since: assignment.map(|assignment| timestamp(assignment.effective_at)),
        notice: relationship.notice.as_ref().map(notice_out),
        risk_band: band_out(state.risk.band),
        risk_drivers: Vec::new(),
        recurring_lines: Vec::new(),
        display_name: opener.show_of(state.is_erased(), Field::Name, name),
        identities: Vec::new(),
        erased_at: state.erasure.erased_at.map(timestamp),
    })
}

/// A customer in view FULL at a moment, worth `value` in minor units.
pub(crate) fn full(
    id: Uuid,
    state: &Customer,
    version: u64,
    (value, now): (i64, Time),
    opener: &Opener,
) -> Option<proto::Customer> {
    let relationship = state.relationship.as_ref()?;
    let promises = state.promises.iter();
    let actions = state.open_actions.iter();
    let currency = relationship.currency;
    let lines = state.lines.iter();
    Some(proto::Customer {
        promises: promises
            .map(|(promise, it)| promise_out(id, promise, it, version, opener))
            .collect(),
        open_actions: actions
            .map(|(action, it)| action_out(id, action, it, currency))
            .collect(),
        value: Some(money_out(Money::new(currency, value))),
        risk_drivers: state.drivers_now(now).into_iter().map(driver_out).collect(),
        recurring_lines: lines
            .map(|(line, it)| proto::RecurringLine {
                line_id: line.to_string(),
                monthly: Some(money_out(Money::new(currency, it.monthly))),
                since: Some(timestamp(it.since)),
            })
            .collect(),
        identities: identities_shown(&relationship.who, opener),
        ..basic(id, state, version, opener)?
    })
}
