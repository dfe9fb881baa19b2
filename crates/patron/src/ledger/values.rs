//! `patron ledger values`: what each customer of a ledger is worth, the most first.

use futures::TryStreamExt as _;
use patron_proto::retention::v1::value_service_client::ValueServiceClient;
use patron_proto::retention::v1::{CustomerValue, StreamCustomerValuesRequest, ValueMethod};
use patron_proto::types::v1::Money;
use tonic::transport::Channel;

use super::{Format, name};
use crate::connect::said;
use crate::moment::{AS_OF, AsOf, as_of};
use crate::show::{amount, csv, day, figure, grouped, json, last, percent, print, table};

/// Of which ledger.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The currency of the ledger, such as EUR.
    currency: String,
    #[arg(long, value_name = "DAY", value_parser = as_of, help = AS_OF)]
    as_of: Option<AsOf>,
    /// By which method [default: the one in force].
    #[arg(long)]
    method: Option<Method>,
    /// For how many days purchases are expected, where a model is used.
    #[arg(long, value_name = "DAYS", default_value_t = 91)]
    within_days: i32,
    /// How many a person is shown; programs get all of them.
    #[arg(long, default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    format: Format,
}

/// How a customer's value is worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Method {
    /// From the margin of the last year and two rates.
    Simple,
    /// From the last model that was fitted.
    MbgNbd,
}

impl Method {
    pub(super) const fn number(self) -> i32 {
        match self {
            Self::Simple => ValueMethod::Simple as i32,
            Self::MbgNbd => ValueMethod::MbgNbd as i32,
        }
    }
}

const HEADINGS: [&str; 11] = [
    "customer",
    "state",
    "value",
    "currency",
    "repeat_purchase_days",
    "p_alive",
    "p_buy_within",
    "expected_purchases",
    "discounted_purchases",
    "expected_spend",
    "trailing_margin",
];

/// Shows the values.
pub(super) async fn run(
    values: &mut ValueServiceClient<Channel>,
    args: Args,
) -> anyhow::Result<()> {
    let request = StreamCustomerValuesRequest {
        parent: name(&args.currency),
        method: args.method.map_or(0, Method::number),
        as_of: AsOf::of(args.as_of),
        within_days: Some(args.within_days),
        ..StreamCustomerValuesRequest::default()
    };
    let streamed = values.stream_customer_values(request).await;
    let streamed = streamed.map_err(|status| said(&status))?.into_inner();
    let found: Vec<_> = streamed
        .try_collect()
        .await
        .map_err(|status| said(&status))?;
    let mut all: Vec<CustomerValue> = found.into_iter().filter_map(|item| item.value).collect();
    let worth = |value: &CustomerValue| value.value.as_ref().map_or(0, |it| it.minor_units);
    all.sort_by_key(|value| (-worth(value), value.customer.clone()));
    if args.format.json {
        let values: Vec<serde_json::Value> = all
            .iter()
            .map(|value| Ok(serde_json::from_str(&json(value)?)?))
            .collect::<anyhow::Result<_>>()?;
        let all = serde_json::json!({ "values": values });
        print(serde_json::to_string_pretty(&all)?);
        return Ok(());
    }
    print(if args.format.csv {
        csv(&HEADINGS, all.iter().map(plain).collect())?
    } else {
        shown(&all, args.limit)
    });
    Ok(())
}

fn plain(value: &CustomerValue) -> Vec<String> {
    let money = |money: Option<&Money>| money.map(figure).unwrap_or_default();
    let number = |number: Option<f64>| number.map(|it| it.to_string()).unwrap_or_default();
    let state = value.state().as_str_name();
    vec![
        last(&value.customer).to_owned(),
        state.trim_start_matches("CUSTOMER_STATE_").to_owned(),
        money(value.value.as_ref()),
        value
            .value
            .as_ref()
            .map(|money| money.currency_code.clone())
            .unwrap_or_default(),
        value
            .repeat_purchase_days
            .map(|days| days.to_string())
            .unwrap_or_default(),
        number(value.p_alive),
        number(value.p_buy_within),
        number(value.expected_purchases),
        number(value.discounted_purchases),
        number(value.expected_spend),
        money(value.trailing_margin.as_ref()),
    ]
}

fn shown(all: &[CustomerValue], limit: usize) -> String {
    let Some(first) = all.first() else {
        return "no customers".to_owned();
    };
    let total = all.iter().filter_map(|value| value.value.as_ref());
    let total = Money {
        currency_code: first
            .value
            .as_ref()
            .map(|money| money.currency_code.clone())
            .unwrap_or_default(),
        minor_units: total.map(|money| money.minor_units).sum(),
    };
    let by_model = first.method() == ValueMethod::MbgNbd;
    let row = |value: &CustomerValue| {
        let id = last(&value.customer).to_owned();
        let worth = amount(value.value.as_ref());
        if by_model {
            let expected = value.expected_purchases;
            vec![
                id,
                percent(value.p_buy_within),
                expected.map(|it| format!("{it:.2}")).unwrap_or_default(),
                percent(value.p_alive),
                worth,
            ]
        } else {
            vec![id, value.trailing_purchases.to_string(), worth]
        }
    };
    let within = first.within_days.unwrap_or_default();
    let buys = format!("buys in {within} d");
    let headings: &[&str] = if by_model {
        &["customer", &buys, "purchases", "P(alive)", "value"]
    } else {
        &["customer", "purchases of a year", "value"]
    };
    let rows = all.iter().take(limit).map(row).collect();
    let by = if by_model { &first.model } else { "SIMPLE" };
    format!(
        "{} customers are worth {} by {by}, as of {}; the first {}:\n{}",
        grouped(&all.len().to_string()),
        amount(Some(&total)),
        day(first.as_of.as_ref()),
        all.len().min(limit),
        table(headings, rows),
    )
}

#[cfg(test)]
mod tests {
    use patron_proto::retention::v1::CustomerValue;
    use patron_proto::types::v1::Money;

    use super::{HEADINGS, plain, shown};

    fn value(minor_units: i64) -> CustomerValue {
        CustomerValue {
            customer: "customers/00000000-0000-4000-8000-000000000001".to_owned(),
            value: Some(Money {
                currency_code: "USD".to_owned(),
                minor_units,
            }),
            method: 2,
            state: 1,
            model: "ledgers/USD/models/1".to_owned(),
            p_alive: Some(0.7),
            p_buy_within: Some(0.25),
            expected_purchases: Some(0.4),
            within_days: Some(91),
            ..CustomerValue::default()
        }
    }

    #[test]
    fn people_come_before_money_and_the_total_is_of_all() {
        let text = shown(&[value(12_300), value(700)], 1);
        let said = "2 customers are worth 130.00 USD by ledgers/USD/models/1";
        assert!(text.starts_with(said), "{text}");
        assert!(
            text.contains("25.0 %") && !text.contains("7.00 USD"),
            "{text}"
        );
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
    }

    #[test]
    fn a_figure_that_is_undefined_is_empty_in_a_sheet() {
        let lost = CustomerValue {
            p_alive: None,
            ..value(0)
        };
        let row = plain(&lost);
        assert_eq!(
            (row.len(), row[5].as_str(), row[6].as_str()),
            (HEADINGS.len(), "", "0.25")
        );
    }
}
