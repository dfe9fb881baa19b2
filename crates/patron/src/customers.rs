//! `patron customers`: who they are to us, by id; one of them in full.

mod value;

use anyhow::{anyhow, bail};
use patron_proto::retention::v1::{
    Customer, CustomerView, GetCustomerRequest, ListCustomersRequest,
};
use tonic::{Code, Response, Status};
use uuid::Uuid;

use crate::connect::{Services, said};
use crate::import::customers::name_of;
use crate::moment::day as day_of;
use crate::pages::Paging;
use crate::show::{amount, day, json, last, more, named, print, spoken, table};

/// Which customers.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    services: Services,
    /// One customer in full, by id or by the id with which it was imported.
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
    #[arg(long, value_name = "DAY", value_parser = day_of, requires = "value")]
    as_of: Option<jiff::civil::Date>,
    #[command(flatten)]
    paging: Paging,
    /// JSON for programs.
    #[arg(long)]
    json: bool,
}

/// Shows customers.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let retention = args.services.retention().await?;
    if let Some(id) = &args.id {
        if args.value {
            return value::run(&retention, id, args.as_of, args.json).await;
        }
        let customer = known(id, |name| {
            let request = GetCustomerRequest {
                name,
                view: CustomerView::Full as i32,
                min_position: String::new(),
            };
            let mut customers = retention.customers.clone();
            async move { customers.get_customer(request).await }
        });
        let customer = customer.await?;
        print(if args.json {
            json(&customer)?
        } else {
            one(&customer)
        });
        return Ok(());
    }
    let ask = |page_size, page_token| {
        let request = ListCustomersRequest {
            view: CustomerView::Basic as i32,
            page_size,
            page_token,
            owner: args.owner.clone(),
            territory: args.territory.clone(),
            ..Default::default()
        };
        let mut customers = retention.customers.clone();
        async move { customers.list_customers(request).await }
    };
    let page = args.paging.ask(args.json, ask).await?;
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

/// The names that an id may stand for: our own, and that of a customer who was imported with it.
fn names_of(id: &str) -> anyhow::Result<Vec<String>> {
    let own = id.strip_prefix("customers/").unwrap_or(id);
    let own = own.parse::<Uuid>().ok();
    let own = own.map(|own| format!("customers/{own}"));
    let imported = name_of(id).map_err(|wrong| anyhow!(wrong))?;
    Ok(own.into_iter().chain([imported]).collect())
}

/// What is answered of the first of the names that is one.
async fn known<T, F>(id: &str, mut ask: impl FnMut(String) -> F) -> anyhow::Result<T>
where
    F: Future<Output = Result<Response<T>, Status>>,
{
    for name in names_of(id)? {
        match ask(name).await {
            Ok(found) => return Ok(found.into_inner()),
            // Of somebody who was erased it is said that it was.
            Err(status)
                if status.code() == Code::NotFound && server::reason(&status) != "ERASED" => {}
            Err(status) => return Err(said(&status)),
        }
    }
    bail!(
        "no customer has the id {id:?}, neither here nor in the system that it came from (NOT_FOUND)"
    )
}

fn one(customer: &Customer) -> String {
    let state = spoken(customer.state().as_str_name(), "CUSTOMER_STATE_");
    let line = |what: &str, figure: String| vec![what.to_owned(), figure];
    let mut lines = named(&customer.display_name, &customer.identities);
    if !customer.external_id.is_empty() {
        lines.push(line("id elsewhere", customer.external_id.clone()));
    }
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

#[cfg(test)]
mod tests {
    use super::names_of;

    #[test]
    fn an_id_is_ours_or_one_of_the_system_that_the_customer_came_from() {
        let id = "0b0e6f5e-7c55-4d0c-9f50-3f3ad5b3a2c1";
        let own = format!("customers/{id}");
        let of = |id: &str| names_of(id).unwrap();
        assert_eq!(of(&own)[0], own);
        let both = of(id);
        assert_eq!(both[0], own);
        let imported = |id| format!("customers/{}", retention::customer_imported_as(id).unwrap());
        assert_eq!(
            both[1],
            imported(id),
            "another system may have such ids, too"
        );
        assert_eq!(of("b10"), [imported("b10")]);
        assert_eq!(of("shop/b10"), [imported("shop/b10")]);
        assert!(names_of("").is_err());
    }
}
