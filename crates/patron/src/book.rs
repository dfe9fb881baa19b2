//! `patron book`: the customers of an owner or a territory and what they are worth, as of any day.

use patron_proto::retention::v1::{BookOfBusiness, GetBookOfBusinessRequest};

use crate::connect::Services;
use crate::moment::{AS_OF, AsOf, as_of};
use crate::pages::Paging;
use crate::show::{amount, grouped, json, last, more, print, spoken, table};

/// Whose book.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("whose").required(true).multiple(true))]
pub(crate) struct Args {
    #[command(flatten)]
    services: Services,
    /// Whose customers.
    #[arg(long, group = "whose")]
    owner: Option<String>,
    /// The customers of this territory and those below it, such as EMEA or EMEA/ES.
    #[arg(long, group = "whose", value_name = "PATH")]
    territory: Option<String>,
    #[arg(long, value_name = "DAY", value_parser = as_of, help = AS_OF)]
    as_of: Option<AsOf>,
    #[command(flatten)]
    paging: Paging,
    /// JSON for programs.
    #[arg(long)]
    json: bool,
}

/// Shows a book.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let retention = args.services.retention().await?;
    let as_of = AsOf::of(args.as_of);
    let ask = |page_size, page_token| {
        let request = GetBookOfBusinessRequest {
            owner: args.owner.clone().unwrap_or_default(),
            territory: args.territory.clone().unwrap_or_default(),
            as_of,
            page_size,
            page_token,
            ..Default::default()
        };
        let mut work = retention.work.clone();
        async move { work.get_book_of_business(request).await }
    };
    let book = args.paging.ask(args.json, ask).await?;
    print(if args.json {
        json(&book)?
    } else {
        shown(&book)
    });
    Ok(())
}

/// A book as a person reads it: totals first.
fn shown(book: &BookOfBusiness) -> String {
    if book.customer_count == 0 {
        return "no customers".to_owned();
    }
    let totals = book.totals.iter().map(|total| {
        let equity = total.equity.as_ref();
        vec![
            equity
                .map_or("", |equity| equity.currency_code.as_str())
                .to_owned(),
            grouped(&total.customer_count.to_string()),
            amount(equity),
            grouped(&total.leaving_count.to_string()),
            amount(total.under_notice.as_ref()),
        ]
    });
    let totals = table(
        &["", "customers", "worth", "leaving", "under notice"],
        totals.collect(),
    );
    let lines = book.customers.iter().map(|customer| {
        vec![
            last(&customer.customer).to_owned(),
            customer.owner.clone(),
            customer.territory.clone(),
            spoken(customer.state().as_str_name(), "CUSTOMER_STATE_"),
            amount(customer.value.as_ref()),
        ]
    });
    let lines = table(
        &["customer", "owner", "territory", "state", "worth"],
        lines.collect(),
    );
    let more = more(&book.next_page_token);
    format!("{totals}\n\n{lines}{more}")
}

#[cfg(test)]
mod tests {
    use patron_proto::retention::v1::{BookCustomer, BookOfBusiness, BookTotal, CustomerState};
    use patron_proto::types::v1::Money;

    use super::shown;

    #[test]
    fn a_book_opens_with_its_totals_within_100_columns() {
        let eur = |minor_units| {
            Some(Money {
                currency_code: "EUR".to_owned(),
                minor_units,
            })
        };
        let book = BookOfBusiness {
            customer_count: 1,
            totals: vec![BookTotal {
                customer_count: 1,
                leaving_count: 1,
                equity: eur(30_000),
                under_notice: eur(30_000),
            }],
            customers: vec![BookCustomer {
                customer: "customers/0b0e6f5e-7c55-4d0c-9f50-3f3ad5b3a2c1".to_owned(),
                state: CustomerState::Leaving as i32,
                value: eur(30_000),
                owner: "rosa".to_owned(),
                territory: "EMEA/".repeat(20) + "ES",
            }],
            ..BookOfBusiness::default()
        };
        let shown = shown(&book);
        let total = shown.find("under notice").unwrap();
        assert!(total < shown.find("0b0e6f5e").unwrap(), "{shown}");
        assert!(
            shown.contains("leaving") && shown.contains("300.00 EUR"),
            "{shown}"
        );
        let fits = |line: &str| line.chars().count() <= 100;
        assert!(shown.lines().all(fits), "{shown}");
    }
}
