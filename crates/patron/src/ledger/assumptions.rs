//! `patron ledger assumptions`: shown, or set.

use patron_proto::retention::v1::ledger_service_client::LedgerServiceClient;
use patron_proto::retention::v1::{
    Assumptions, GetLedgerRequest, Ledger, SetAssumptionsRequest, ValueMethod,
};
use tonic::transport::Channel;

use super::values::Method;
use super::{Format, name};
use crate::connect::{request_id, said};
use crate::show::{day, last, percent, table};

/// Which ledger, and what to set there.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The currency of the ledger, such as EUR.
    currency: String,
    /// How customers are valued: by SIMPLE, or by the last model that was fitted.
    #[arg(long)]
    method: Option<Method>,
    /// The share of customers that stay a year, from 0 up to but not 1.
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    annual_retention_rate: Option<f64>,
    /// The rate at which a year's margin is discounted, from 0 up to but not 1.
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    annual_discount_rate: Option<f64>,
    /// The share of a price that is margin when nothing is said, from 0 to 1.
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    default_margin_rate: Option<f64>,
    /// How many months a model looks ahead.
    #[arg(long, value_name = "MONTHS", allow_negative_numbers = true)]
    horizon_months: Option<i32>,
    /// After how many silent days a customer counts as lost; 0 for never.
    #[arg(long, value_name = "DAYS", allow_negative_numbers = true)]
    inactivity_days: Option<i32>,
    #[command(flatten)]
    format: Format,
}

impl Args {
    /// What to set, if anything.
    fn setting(&self) -> Option<SetAssumptionsRequest> {
        let request = SetAssumptionsRequest {
            method: self.method.map_or(0, Method::number),
            annual_retention_rate: self.annual_retention_rate,
            annual_discount_rate: self.annual_discount_rate,
            default_margin_rate: self.default_margin_rate,
            horizon_months: self.horizon_months,
            inactivity_days: self.inactivity_days,
            ..SetAssumptionsRequest::default()
        };
        (request != SetAssumptionsRequest::default()).then(|| SetAssumptionsRequest {
            name: name(&self.currency),
            request_id: request_id(),
            ..request
        })
    }
}

/// Shows the assumptions, after setting those that are given.
pub(super) async fn run(
    ledgers: &mut LedgerServiceClient<Channel>,
    args: Args,
) -> anyhow::Result<()> {
    let ledger = if let Some(request) = args.setting() {
        ledgers.set_assumptions(request).await
    } else {
        let request = GetLedgerRequest {
            name: name(&args.currency),
            min_position: String::new(),
        };
        ledgers.get_ledger(request).await
    };
    let ledger = ledger.map_err(|status| said(&status))?.into_inner();
    let headings = ["assumption", "value"];
    args.format.print(&ledger, &headings, plain, shown)
}

/// The assumptions, each with its value as it is set.
fn plain(ledger: &Ledger) -> Vec<Vec<String>> {
    let assumptions = ledger.assumptions.unwrap_or_default();
    let line = |what: &str, value: String| vec![what.to_owned(), value];
    let inactivity = assumptions.inactivity_days;
    vec![
        line("method", method(assumptions).to_owned()),
        line(
            "annual_retention_rate",
            assumptions.annual_retention_rate.to_string(),
        ),
        line(
            "annual_discount_rate",
            assumptions.annual_discount_rate.to_string(),
        ),
        line(
            "default_margin_rate",
            assumptions.default_margin_rate.to_string(),
        ),
        line("horizon_months", assumptions.horizon_months.to_string()),
        line(
            "inactivity_days",
            inactivity.map(|days| days.to_string()).unwrap_or_default(),
        ),
    ]
}

fn shown(ledger: &Ledger) -> String {
    let assumptions = ledger.assumptions.unwrap_or_default();
    let line = |what: &str, value: String| vec![what.to_owned(), value];
    let since = ledger.assumptions_set_at.as_ref();
    let lines = vec![
        line("method", method(assumptions).to_owned()),
        line(
            "customers that stay a year",
            percent(Some(assumptions.annual_retention_rate)),
        ),
        line(
            "discount a year",
            percent(Some(assumptions.annual_discount_rate)),
        ),
        line(
            "margin of a price when none is given",
            percent(Some(assumptions.default_margin_rate)),
        ),
        line(
            "a model looks ahead",
            format!("{} months", assumptions.horizon_months),
        ),
        line(
            "lost after silence of",
            assumptions
                .inactivity_days
                .map_or_else(|| "never".to_owned(), |days| format!("{days} days")),
        ),
        line(
            "set",
            since.map_or_else(|| "defaults".to_owned(), |at| day(Some(at))),
        ),
        line("closed until", day(ledger.closed_until.as_ref())),
        line(
            "model",
            match (ledger.usable_model.is_empty(), ledger.refit_due) {
                (true, _) => "none".to_owned(),
                (false, false) => last(&ledger.usable_model).to_owned(),
                (false, true) => {
                    format!("{}, stale: fit again", last(&ledger.usable_model))
                }
            },
        ),
    ];
    table(&[&ledger.name, ""], lines)
}

fn method(assumptions: Assumptions) -> &'static str {
    match assumptions.method() {
        ValueMethod::Unspecified => "?",
        ValueMethod::Simple => "SIMPLE",
        ValueMethod::MbgNbd => "MBG_NBD",
    }
}
