//! `patron customers`: who they are to us, by id; one of them in full.

mod value;

use patron_proto::retention::v1::{
    Customer, CustomerView, GetCustomerRequest, ListCustomersRequest,
};

use crate::connect::{Services, said};
use crate::show::{Paging, amount, day, json, last, more, named, print, spoken, table};

/// Which customers.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    services: Services,
    /// One customer, by id, in full.
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// Only those whom this one looks after.
    #[arg(long, default_value = "", hide_default_value = true)]
    owner: String,
    /// Only those in this territory and below it, such as EMEA or EMEA/ES.
    #[arg(
        long,
        default_value = "",
        value_name = "PATH",
        hide_default_value = true
    )]
    territory: String,
    /// What this customer is worth, with everything that the figure is made of.
    #[arg(long, requires = "id")]
    value: bool,
    /// Of the value, the day at whose beginning it is asked for [default: now].
    #[arg(long, value_name = "DAY", requires = "value")]
    as_of: Option<jiff::civil::Date>,
    #[command(flatten)]
    paging: Paging,
    /// JSON for programs.
    #[arg(long)]
    json: bool,
}

/// Shows customers.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut retention = args.services.retention().await?;
    if let Some(id) = &args.id {
        if args.value {
            return value::run(&mut retention, id, args.as_of, args.json).await;
        }
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
        page_size: args.paging.limit,
        page_token: args.paging.page,
        owner: args.owner,
        territory: args.territory,
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
            customer.display_name.clone(),
            spoken(customer.state().as_str_name(), "CUSTOMER_STATE_"),
            day(customer.acquired_at.as_ref()),
            customer.purchase_count.to_string(),
            amount(customer.revenue.as_ref()),
        ]
    });
    let shown = table(
        &["customer", "name", "state", "since", "purchases", "revenue"],
        lines.collect(),
    );
    print(shown + &more(&page.next_page_token));
    Ok(())
}

fn one(customer: &Customer) -> String {
    let state = spoken(customer.state().as_str_name(), "CUSTOMER_STATE_");
    let line = |what: &str, figure: String| vec![what.to_owned(), figure];
    let mut lines = named(&customer.display_name, &customer.identities);
    lines.extend([
        line("state", state),
        line("since", day(customer.acquired_at.as_ref())),
        line("campaign", customer.campaign.clone()),
        line("purchases", customer.purchase_count.to_string()),
        line("last purchase", day(customer.last_purchase_at.as_ref())),
        line("revenue", amount(customer.revenue.as_ref())),
        line("margin", amount(customer.margin.as_ref())),
        line("value", amount(customer.value.as_ref())),
        line(
            "risk",
            spoken(customer.risk_band().as_str_name(), "RISK_BAND_"),
        ),
    ]);
    if !customer.owner.is_empty() {
        let owner = format!("{} {}", customer.owner, customer.territory);
        lines.push(line("owner", owner.trim_end().to_owned()));
    }
    if let Some(notice) = &customer.notice {
        lines.push(line("leaves on", day(notice.effective_at.as_ref())));
    }
    for monthly in &customer.recurring_lines {
        let what = format!("a month: {}", monthly.line_id);
        lines.push(line(&what, amount(monthly.monthly.as_ref())));
    }
    for consent in &customer.consents {
        let status = spoken(consent.status().as_str_name(), "CONSENT_STATUS_");
        lines.push(line(&format!("consent: {}", consent.purpose), status));
    }
    for promise in &customer.promises {
        let terms = promise.terms.as_ref();
        let expectation = terms
            .map(|terms| terms.expectation.clone())
            .unwrap_or_default();
        let state = spoken(promise.state().as_str_name(), "PROMISE_STATE_");
        let words = [promise.evidence.as_str(), promise.note.as_str()];
        let words = words.into_iter().filter(|words| !words.is_empty());
        let shown: Vec<&str> = std::iter::once(state.as_str()).chain(words).collect();
        lines.push(line(&format!("promise: {expectation}"), shown.join(": ")));
    }
    for action in &customer.open_actions {
        let kind = spoken(action.r#type().as_str_name(), "ACTION_TYPE_");
        lines.push(line(&format!("to do: {kind}"), day(action.due_at.as_ref())));
    }
    table(&[last(&customer.name), ""], lines)
}
