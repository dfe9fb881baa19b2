//! `patron customers`: who they are to us, by id; one of them in full.

use patron_proto::retention::v1::{
    Customer, CustomerView, GetCustomerRequest, ListCustomersRequest,
};

use crate::connect::{Services, said};
use crate::show::{amount, day, json, last, print, table};

/// Which customers.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    services: Services,
    /// One customer, by id, in full.
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// How many to show.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i32).range(1..=1000))]
    limit: i32,
    /// Go on from here.
    #[arg(long, default_value = "", value_name = "TOKEN")]
    page: String,
    /// JSON for programs.
    #[arg(long)]
    json: bool,
}

/// Shows customers.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut retention = args.services.retention().await?;
    if let Some(id) = &args.id {
        let name = format!("customers/{}", last(id));
        let request = GetCustomerRequest {
            name,
            view: CustomerView::Full as i32,
            min_position: String::new(),
        };
        let customer = retention.customers.get_customer(request).await;
        let customer = customer.map_err(|status| said(&status))?.into_inner();
        print(if args.json {
            json(&customer)?
        } else {
            one(&customer)
        });
        return Ok(());
    }
    let request = ListCustomersRequest {
        view: CustomerView::Basic as i32,
        page_size: args.limit,
        page_token: args.page,
        ..Default::default()
    };
    let page = retention.customers.list_customers(request).await;
    let page = page.map_err(|status| said(&status))?.into_inner();
    if args.json {
        print(json(&page)?);
        return Ok(());
    }
    let lines = page.customers.iter().map(|customer| {
        vec![
            last(&customer.name).to_owned(),
            customer
                .state()
                .as_str_name()
                .trim_start_matches("CUSTOMER_STATE_")
                .to_lowercase(),
            day(customer.acquired_at.as_ref()),
            customer.purchase_count.to_string(),
            amount(customer.revenue.as_ref()),
        ]
    });
    print(table(
        &["customer", "state", "since", "purchases", "revenue"],
        lines.collect(),
    ));
    if !page.next_page_token.is_empty() {
        print(format!("more with --page {}", page.next_page_token));
    }
    Ok(())
}

fn one(customer: &Customer) -> String {
    let state = customer
        .state()
        .as_str_name()
        .trim_start_matches("CUSTOMER_STATE_")
        .to_lowercase();
    let line = |what: &str, figure: String| vec![what.to_owned(), figure];
    let mut lines = vec![
        line("state", state),
        line("since", day(customer.acquired_at.as_ref())),
        line("campaign", customer.campaign.clone()),
        line("purchases", customer.purchase_count.to_string()),
        line("last purchase", day(customer.last_purchase_at.as_ref())),
        line("revenue", amount(customer.revenue.as_ref())),
        line("margin", amount(customer.margin.as_ref())),
        line("value", amount(customer.value.as_ref())),
    ];
    for promise in &customer.promises {
        let terms = promise.terms.as_ref();
        let expectation = terms
            .map(|terms| terms.expectation.clone())
            .unwrap_or_default();
        let state = promise
            .state()
            .as_str_name()
            .trim_start_matches("PROMISE_STATE_")
            .to_lowercase();
        lines.push(line(&format!("promise: {expectation}"), state));
    }
    for action in &customer.open_actions {
        let kind = action
            .r#type()
            .as_str_name()
            .trim_start_matches("ACTION_TYPE_")
            .to_lowercase();
        lines.push(line(&format!("to do: {kind}"), day(action.due_at.as_ref())));
    }
    table(&[last(&customer.name), ""], lines)
}
