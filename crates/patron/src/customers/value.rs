//! `patron customers ID --value`: what a customer is worth, with everything that the figure is made of.

use patron_proto::retention::v1::{CustomerValue, GetCustomerValueRequest, ValueMethod};

use super::known;
use crate::connect::Retention;
use crate::ledger::model::flags;
use crate::moment::AsOf;
use crate::show::{amount, day, json, last, percent, print, table};

/// Shows the value of a customer, as of a day or a moment.
pub(super) async fn run(
    retention: &Retention,
    id: &str,
    as_of: Option<AsOf>,
    as_json: bool,
) -> anyhow::Result<()> {
    let as_of = AsOf::of(as_of);
    let value = known(id, |name| {
        let request = GetCustomerValueRequest {
            name,
            as_of,
            ..GetCustomerValueRequest::default()
        };
        let mut values = retention.values.clone();
        async move { values.get_customer_value(request).await }
    });
    let value = value.await?;
    print(if as_json {
        json(&value)?
    } else {
        shown(&value)
    });
    Ok(())
}

fn shown(value: &CustomerValue) -> String {
    let line = |what: &str, figure: String| vec![what.to_owned(), figure];
    let assumptions = value.assumptions.unwrap_or_default();
    let state = value.state().as_str_name();
    let mut lines = vec![
        line("value", amount(value.value.as_ref())),
        line("as of", day(value.as_of.as_ref())),
        line(
            "state",
            state.trim_start_matches("CUSTOMER_STATE_").to_lowercase(),
        ),
        line(
            "margin of the 365 days before",
            amount(value.trailing_margin.as_ref()),
        ),
        line("purchases in them", value.trailing_purchases.to_string()),
        line(
            "discount a year",
            percent(Some(assumptions.annual_discount_rate)),
        ),
    ];
    if value.method() == ValueMethod::Simple {
        lines.push(line(
            "customers that stay a year",
            percent(Some(assumptions.annual_retention_rate)),
        ));
    } else {
        lines.extend(by_model(value));
    }
    let shown = table(&[last(&value.customer), ""], lines);
    format!("{shown}\n{}", value.meaning)
}

/// What the model says.
fn by_model(value: &CustomerValue) -> Vec<Vec<String>> {
    let line = |what: &str, figure: String| vec![what.to_owned(), figure];
    let number =
        |figure: Option<f64>| figure.map_or_else(|| "-".to_owned(), |it| format!("{it:.2}"));
    let within = value.within_days.unwrap_or_default();
    let days = value.repeat_purchase_days;
    let months = value.assumptions.unwrap_or_default().horizon_months;
    vec![
        line("model", last(&value.model).to_owned()),
        line("fitted as of", day(value.model_as_of.as_ref())),
        line(
            "purchase days after the first",
            days.map_or_else(|| "-".to_owned(), |days| days.to_string()),
        ),
        line(
            &format!("buys within {within} days"),
            percent(value.p_buy_within),
        ),
        line(
            &format!("purchases expected in {within} days"),
            number(value.expected_purchases),
        ),
        line(
            &format!("purchases of {months} months, discounted"),
            number(value.discounted_purchases),
        ),
        line("margin expected of each", number(value.expected_spend)),
        line("P(alive)", percent(value.p_alive)),
        line("flags", flags(value.flags())),
    ]
}
