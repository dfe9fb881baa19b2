//! `patron export person` and `patron erase person`: what a person may ask for, on both sides.

use anyhow::bail;
use clap::Subcommand;
use patron_proto::acquisition::v1::{
    EraseProspectRequest, ExportProspectRequest, GetProspectRequest, ProspectExport,
};
use patron_proto::retention::v1::{
    CustomerExport, EraseCustomerRequest, ExportCustomerRequest, GetCustomerRequest,
};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::confirm::ask;
use crate::connect::{Acquisition, Retention, Services, request_id, said};
use crate::import::{customers, prospects};
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
    /// The person, by the id of the prospect or the customer, which is the same, or by the id with which it was
    /// imported.
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
    let id = whose(&acquisition, &retention, &who.id).await?;
    let prospect = prospect(&mut acquisition, &id).await?;
    let customer = customer(&mut retention, &id).await?;
    let shown = |known: Option<anyhow::Result<String>>| known.unwrap_or(Ok("null".to_owned()));
    let prospect = shown(prospect.map(|known| json(&known)))?;
    let customer = shown(customer.map(|known| json(&known)))?;
    print(format!(
        "{{\"acquisition\": {prospect},\n\"retention\": {customer}}}"
    ));
    Ok(())
}

/// The id of the one person who has this id, ours or that of an import. What cannot be taken back is not
/// done to somebody who only may be meant.
async fn whose(
    acquisition: &Acquisition,
    retention: &Retention,
    said: &str,
) -> anyhow::Result<String> {
    let own = last(said).parse::<Uuid>().ok();
    if let Some(own) = own.map(|own| own.to_string())
        && is_somebody(acquisition, retention, &own).await?
    {
        return Ok(own);
    }
    let mut found = Vec::new();
    for id in imported_as(said) {
        if is_somebody(acquisition, retention, &id).await? {
            found.push(id);
        }
    }
    match found.as_slice() {
        [] => bail!(
            "nobody has the id {said:?}: it is the one of a prospect or a customer, here or in the system that \
             they were imported from"
        ),
        [id] => Ok(id.clone()),
        several => bail!(
            "{said:?} is the id of a prospect and of a customer who were imported apart: say which one is meant, {}",
            several.join(" or ")
        ),
    }
}

/// The ids of a prospect and of a customer who were imported with this one.
fn imported_as(said: &str) -> Vec<String> {
    if said.starts_with("prospects/") || said.starts_with("customers/") {
        return Vec::new();
    }
    let prospect = prospects::name_of(said);
    let customer = customers::name_of(said).ok();
    let names = std::iter::once(prospect).chain(customer);
    names.map(|name| last(&name).to_owned()).collect()
}

async fn is_somebody(
    acquisition: &Acquisition,
    retention: &Retention,
    id: &str,
) -> anyhow::Result<bool> {
    let request = GetProspectRequest {
        name: format!("prospects/{id}"),
        ..Default::default()
    };
    if found(acquisition.prospects.clone().get_prospect(request).await)?.is_some() {
        return Ok(true);
    }
    let request = GetCustomerRequest {
        name: format!("customers/{id}"),
        ..Default::default()
    };
    Ok(found(retention.customers.clone().get_customer(request).await)?.is_some())
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
    let mut acquisition = who.services.acquisition().await?;
    let mut retention = who.services.retention().await?;
    let id = whose(&acquisition, &retention, &who.id).await?;
    if !yes {
        let question =
            format!("This cannot be taken back: nobody will ever know again who {id} is.");
        ask(&question, &id)?;
    }
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
