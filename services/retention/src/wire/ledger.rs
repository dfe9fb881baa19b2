//! Ledgers and their statements.

use eventsourcing::Time;
use money::{Currency, Money, Rate};
use patron_proto::retention::v1 as proto;
use patron_proto::types::v1 as types;
use retention_domain::ledger::statement::{Counts, Line, Lines};
use retention_domain::ledger::{
    Assumptions, Closed, Figures, Ledger, Memo, Method, Model, StatementId,
};
use server::{Wrong, currency, money, money_out, pairs, parse, present, resource_id, timestamp};

use super::model::{optional_name, statement_model};
use super::resource::etag;
use super::{small, small_out};

/// What must be said with every statement.
const HEADING: &str = "management statement, unaudited; not an IFRS or GAAP asset";

pairs!(method_out, method: Method = proto::ValueMethod {
    Simple = Simple, MbgNbd = MbgNbd,
});
pairs!(line_out, line: Line = proto::EquityLine {
    Opening = Opening, Created = Created, WonBack = WonBack, Grown = Grown, Eroded = Eroded,
    Lost = Lost, Remeasured = Remeasured, Closing = Closing,
});

/// The currency in `ledgers/{currency}`.
pub(crate) fn ledger_name(field: &str, name: &str) -> Result<Currency, Wrong> {
    let [code] = resource_id(field, name, ["ledgers"])?;
    currency(field, code)
}

/// The ids in `ledgers/{currency}/statements/{statement}`.
pub(crate) fn statement_name(field: &str, name: &str) -> Result<(Currency, StatementId), Wrong> {
    let [code, statement] = resource_id(field, name, ["ledgers", "statements"])?;
    Ok((currency(field, code)?, parse(field, statement)?))
}

/// A method that may be left out.
pub(crate) fn optional_method(field: &str, number: i32) -> Result<Option<Method>, Wrong> {
    if number == proto::ValueMethod::Unspecified as i32 {
        return Ok(None);
    }
    method(field, number).map(Some)
}

/// A rate as the decimal that it was written as.
pub(crate) fn rate(field: &str, value: f64) -> Result<Rate, Wrong> {
    let what = "is no decimal with at most twelve places";
    Rate::from_f64(value).ok_or_else(|| Wrong::new(field, what))
}

/// What customers are valued with.
pub(crate) fn assumptions(
    field: &str,
    read: Option<&proto::Assumptions>,
) -> Result<Assumptions, Wrong> {
    let read = present(field, read)?;
    Ok(Assumptions {
        method: method("assumptions.method", read.method)?,
        annual_discount_rate: rate(
            "assumptions.annual_discount_rate",
            read.annual_discount_rate,
        )?,
        annual_retention_rate: rate(
            "assumptions.annual_retention_rate",
            read.annual_retention_rate,
        )?,
        default_margin_rate: rate("assumptions.default_margin_rate", read.default_margin_rate)?,
        horizon_months: small("assumptions.horizon_months", read.horizon_months)?,
        inactivity_days: read
            .inactivity_days
            .map(|days| small("assumptions.inactivity_days", days))
            .transpose()?,
    })
}

/// What customers are valued with, as protobuf writes it.
pub(crate) fn assumptions_out(assumptions: &Assumptions) -> proto::Assumptions {
    proto::Assumptions {
        method: method_out(assumptions.method),
        annual_discount_rate: assumptions.annual_discount_rate.to_f64(),
        annual_retention_rate: assumptions.annual_retention_rate.to_f64(),
        default_margin_rate: assumptions.default_margin_rate.to_f64(),
        horizon_months: small_out(assumptions.horizon_months),
        inactivity_days: assumptions.inactivity_days.map(small_out),
    }
}

/// A ledger as clients see it; whether its model should be fitted again is as of now.
pub(crate) fn ledger_out(
    currency: Currency,
    state: &Ledger,
    refit_due: bool,
    version: u64,
) -> proto::Ledger {
    let last = state.last.as_ref();
    proto::Ledger {
        name: format!("ledgers/{currency}"),
        assumptions: Some(assumptions_out(&state.assumptions)),
        assumptions_set_at: state.assumptions_set_at.map(timestamp),
        last_statement: last
            .map(|last| format!("ledgers/{currency}/statements/{}", last.statement_id))
            .unwrap_or_default(),
        closed_until: last.map(|last| timestamp(last.end)),
        etag: etag(version),
        last_model: optional_name(currency, (state.models > 0).then_some(state.models)),
        usable_model: optional_name(currency, state.usable_model),
        refit_due,
    }
}

/// The statement of a closed period. It is made of nothing but what was closed, and the model that it names.
pub(crate) fn statement_out(
    currency: Currency,
    closed: &Closed,
    model: Option<&Model>,
) -> proto::EquityStatement {
    proto::EquityStatement {
        name: format!("ledgers/{currency}/statements/{}", closed.statement_id),
        closed_at: Some(timestamp(closed.closed_at)),
        algorithm: closed.algorithm,
        ..measured_out(&Measurement {
            currency,
            start: Some(closed.start),
            end: closed.end,
            figures: &closed.figures,
            assumptions: &closed.assumptions,
            cut: closed.cut.clone(),
            digest: &closed.movements_digest,
            model,
        })
    }
}

/// What was measured of a period, closed or not.
pub(crate) struct Measurement<'a> {
    pub(crate) currency: Currency,
    /// Absent for the beginning of time.
    pub(crate) start: Option<Time>,
    pub(crate) end: Time,
    pub(crate) figures: &'a Figures,
    pub(crate) assumptions: &'a Assumptions,
    pub(crate) cut: std::collections::BTreeMap<u32, u64>,
    pub(crate) digest: &'a [u8; 32],
    /// The model behind the values at the end.
    pub(crate) model: Option<&'a Model>,
}

/// A statement that nobody has closed.
pub(crate) fn measured_out(measured: &Measurement<'_>) -> proto::EquityStatement {
    let (currency, figures) = (measured.currency, measured.figures);
    let digest: Vec<String> = measured
        .digest
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    proto::EquityStatement {
        name: String::new(),
        heading: HEADING.to_owned(),
        start: measured.start.map(timestamp),
        end: Some(timestamp(measured.end)),
        counts: Some(counts_out(&figures.counts)),
        lines: Some(lines_out(currency, &figures.lines)),
        memo: Some(memo_out(currency, &figures.memo)),
        assumptions: Some(assumptions_out(measured.assumptions)),
        closed_at: None,
        cut: measured.cut.clone(),
        algorithm: retention_domain::ledger::ALGORITHM,
        movements_digest: digest.concat(),
        known_at_position: String::new(),
        model: measured.model.map(|model| statement_model(currency, model)),
    }
}

pub(crate) const fn counts(read: &proto::EquityCounts) -> Counts {
    Counts {
        opening: read.opening,
        created: read.created,
        won_back: read.won_back,
        lost: read.lost,
        closing: read.closing,
    }
}

pub(crate) const fn counts_out(counts: &Counts) -> proto::EquityCounts {
    proto::EquityCounts {
        opening: counts.opening,
        created: counts.created,
        won_back: counts.won_back,
        lost: counts.lost,
        closing: counts.closing,
    }
}

pub(crate) fn lines(currency: Currency, read: &proto::EquityLines) -> Result<Lines, Wrong> {
    let amount =
        |field, amount: &Option<types::Money>| minor_units(currency, field, amount.as_ref());
    Ok(Lines {
        opening: amount("lines.opening", &read.opening)?,
        created: amount("lines.created", &read.created)?,
        won_back: amount("lines.won_back", &read.won_back)?,
        grown: amount("lines.grown", &read.grown)?,
        eroded: amount("lines.eroded", &read.eroded)?,
        lost: amount("lines.lost", &read.lost)?,
        remeasured: amount("lines.remeasured", &read.remeasured)?,
        closing: amount("lines.closing", &read.closing)?,
    })
}

pub(crate) fn lines_out(currency: Currency, lines: &Lines) -> proto::EquityLines {
    let amount = |minor_units| Some(money_out(Money::new(currency, minor_units)));
    proto::EquityLines {
        opening: amount(lines.opening),
        created: amount(lines.created),
        won_back: amount(lines.won_back),
        grown: amount(lines.grown),
        eroded: amount(lines.eroded),
        lost: amount(lines.lost),
        remeasured: amount(lines.remeasured),
        closing: amount(lines.closing),
    }
}

pub(crate) fn memo(currency: Currency, read: &proto::EquityMemo) -> Result<Memo, Wrong> {
    let amount =
        |field, amount: &Option<types::Money>| minor_units(currency, field, amount.as_ref());
    Ok(Memo {
        acquisition_spend: amount("memo.acquisition_spend", &read.acquisition_spend)?,
        realised_margin: amount("memo.realised_margin", &read.realised_margin)?,
        under_notice: amount("memo.under_notice", &read.under_notice)?,
    })
}

pub(crate) fn memo_out(currency: Currency, memo: &Memo) -> proto::EquityMemo {
    let amount = |minor_units| Some(money_out(Money::new(currency, minor_units)));
    proto::EquityMemo {
        acquisition_spend: amount(memo.acquisition_spend),
        realised_margin: amount(memo.realised_margin),
        under_notice: amount(memo.under_notice),
    }
}

/// An amount in the ledger's currency.
fn minor_units(
    currency: Currency,
    field: &str,
    amount: Option<&types::Money>,
) -> Result<i64, Wrong> {
    let amount = money(field, present(field, amount)?)?;
    if amount.currency == currency {
        Ok(amount.minor_units)
    } else {
        Err(Wrong::new(field, "is in another currency than the ledger"))
    }
}
