//! `patron export person` and `patron erase person`: what a person may ask for, on both sides.

use anyhow::bail;
use clap::Subcommand;
use patron_proto::acquisition::v1::{EraseProspectRequest, ExportProspectRequest, ProspectExport};
use patron_proto::retention::v1::{CustomerExport, EraseCustomerRequest, ExportCustomerRequest};
use tonic::{Code, Status};

use crate::confirm::ask;
use crate::connect::{Acquisition, Retention, Services, request_id, said};
use crate::show::{json, last, print};

/// What to export.
#[derive(Debug, Subcommand)]
pub(crate) enum Export {
    /// All that both services know of a person, as JSON.
    Person(Who),
}

/// What to erase.
#[derive(Debug, Subcommand)]
pub(crate) enum Erase {
    /// Forget for ever who a person is, on both sides; what they did stays.
    Person(Forget),
}

/// Which person.
#[derive(Debug, clap::Args)]
pub(crate) struct Who {
    #[command(flatten)]
    services: Services,
    /// The person, by the id of the prospect or the customer: it is the same.
    #[arg(value_name = "ID")]
    id: String,
}

/// Whom to forget.
#[derive(Debug, clap::Args)]
pub(crate) struct Forget {
    #[command(flatten)]
    who: Who,
    /// Do not ask before.
    #[arg(long)]
    yes: bool,
}

const PAGE: i32 = 1_000;

/// Exports.
pub(crate) async fn export(what: Export) -> anyhow::Result<()> {
    let Export::Person(who) = what;
    let mut acquisition = who.services.acquisition().await?;
    let mut retention = who.services.retention().await?;
    let prospect = prospect(&mut acquisition, last(&who.id)).await?;
    let customer = customer(&mut retention, last(&who.id)).await?;
    if prospect.is_none() && customer.is_none() {
        bail!(
            "nobody has the id {}: it is the one of a prospect or a customer",
            last(&who.id)
        );
    }
    let shown = |known: Option<anyhow::Result<String>>| known.unwrap_or(Ok("null".to_owned()));
    let prospect = shown(prospect.map(|known| json(&known)))?;
    let customer = shown(customer.map(|known| json(&known)))?;
    print(format!(
        "{{\"acquisition\": {prospect},\n\"retention\": {customer}}}"
    ));
    Ok(())
}

async fn prospect(
    acquisition: &mut Acquisition,
    id: &str,
) -> anyhow::Result<Option<ProspectExport>> {
    let request = ExportProspectRequest {
        name: format!("prospects/{id}"),
        min_position: String::new(),
    };
    found(acquisition.prospects.export_prospect(request).await)
}

/// With all its purchases, from all pages.
async fn customer(retention: &mut Retention, id: &str) -> anyhow::Result<Option<CustomerExport>> {
    let mut whole: Option<CustomerExport> = None;
    loop {
        let request = ExportCustomerRequest {
            name: format!("customers/{id}"),
            page_size: PAGE,
            page_token: whole
                .as_mut()
                .map(|whole| std::mem::take(&mut whole.next_page_token))
                .unwrap_or_default(),
            min_position: String::new(),
        };
        let page = found(retention.customers.export_customer(request).await)?;
        let Some(page) = page else {
            return Ok(whole);
        };
        match &mut whole {
            Some(whole) => {
                whole.purchases.extend(page.purchases);
                whole.next_page_token = page.next_page_token;
            }
            None => whole = Some(page),
        }
        if whole
            .as_ref()
            .is_some_and(|it| it.next_page_token.is_empty())
        {
            return Ok(whole);
        }
    }
}

/// Erases.
pub(crate) async fn erase(what: Erase) -> anyhow::Result<()> {
    let Erase::Person(Forget { who, yes }) = what;
    let id = last(&who.id);
    if !yes {
        let question =
            format!("This cannot be taken back: nobody will ever know again who {id} is.");
        ask(&question, id)?;
    }
    let mut acquisition = who.services.acquisition().await?;
    let mut retention = who.services.retention().await?;
    let prospect = EraseProspectRequest {
        name: format!("prospects/{id}"),
        request_id: request_id(),
        ..Default::default()
    };
    let prospect = found(acquisition.prospects.erase_prospect(prospect).await)?;
    let customer = EraseCustomerRequest {
        name: format!("customers/{id}"),
        request_id: request_id(),
        ..Default::default()
    };
    let customer = found(retention.customers.erase_customer(customer).await)?;
    if prospect.is_none() && customer.is_none() {
        bail!("nobody has the id {id}: it is the one of a prospect or a customer");
    }
    let sides = [
        (prospect.is_some(), "prospect"),
        (customer.is_some(), "customer"),
    ];
    let sides: Vec<&str> = sides
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, it)| *it)
        .collect();
    print(format!(
        "{id} is erased as {}: the keys of all personal data are destroyed, the numbers stay",
        sides.join(" and ")
    ));
    Ok(())
}

/// What was answered; nothing if there is nobody of that id on that side.
fn found<T>(answer: Result<tonic::Response<T>, Status>) -> anyhow::Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer.into_inner())),
        Err(status) if status.code() == Code::NotFound && server::reason(&status) != "ERASED" => {
            Ok(None)
        }
        Err(status) => Err(said(&status)),
    }
}
