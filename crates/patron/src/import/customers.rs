//! `patron import customers`: the customers of another system, with what won them and who looks after them.

use std::path::{Path, PathBuf};

use csv::StringRecord;
use eventsourcing::Time;
use money::Currency;
use patron_proto::retention::v1::{
    AssignOwnerRequest, Customer, CustomerView, GetCustomerRequest, OpenRelationshipRequest,
};
use server::timestamp;
use tonic::Code;
use uuid::Uuid;

use super::REQUESTS;
use super::file::{self, Reader};
use super::heading::Heading;
use super::send::{Answered, Outcome, Pace, Row, patiently, rejected, send_all, stopped, together};
use super::values::{self, field, optional};
use crate::connect::{self, Retention, Services};

/// Which customers.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) services: Services,
    /// A CSV file with the column `customer_id`, the id in the system that the file comes from, and if you have
    /// them `acquired_at` (or `date`), `currency`, `proposition`, `campaign` (proposition/campaign),
    /// `presentation_id`, `owner`, `territory`.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// The currency of customers whose row does not say, such as EUR.
    #[arg(long, value_name = "CODE")]
    pub(super) currency: Option<Currency>,
}

pub(crate) const PACE: Pace = Pace {
    noun: "customers",
    batch: 1,
    at_once: 64,
};

const EXPECTED: &str = "expected customer_id, and optionally acquired_at (or date), currency, \
     proposition, campaign, presentation_id, owner, territory";

/// A customer as the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct CustomerRow {
    line: u64,
    customer_id: String,
    /// The name of the customer.
    name: String,
    acquired_at: Option<Time>,
    currency: Currency,
    proposition: String,
    campaign: String,
    presentation_id: String,
    owner: String,
    territory: String,
}

/// Reads the file and opens the relationships.
pub(crate) async fn import(
    retention: &Retention,
    path: &Path,
    currency: Option<Currency>,
) -> anyhow::Result<Outcome> {
    let heading = |names: &[&str]| RowReader::new(names, currency);
    let (rows, rejects) = file::read(path, heading)?;
    let rows = together(rows, |row| &row.name);
    let send = |batch| send(retention.clone(), batch);
    send_all(&rows, PACE, rejects, send).await
}

/// The resource name of an imported customer by its id elsewhere. A name of ours is taken as it is.
///
/// # Errors
/// If the id cannot be one.
pub(crate) fn name_of(customer_id: &str) -> Result<String, String> {
    if customer_id.starts_with("customers/") {
        return Ok(customer_id.to_owned());
    }
    let id = retention::customer_imported_as(customer_id)
        .map_err(|wrong| format!("customer_id: {wrong}"))?;
    Ok(format!("customers/{id}"))
}

async fn send(mut retention: Retention, batch: &[CustomerRow]) -> anyhow::Result<Vec<Answered>> {
    let mut answers = Vec::with_capacity(batch.len());
    for row in batch {
        answers.push(one(&mut retention, row).await?);
    }
    Ok(answers)
}

async fn one(retention: &mut Retention, row: &CustomerRow) -> anyhow::Result<Answered> {
    let known = get(retention, &row.name).await?;
    let is_new = known.is_none();
    let differing = known
        .as_ref()
        .map_or_else(Vec::new, |known| differing(known, row));
    if !differing.is_empty() {
        let what = differing.join(", ");
        let why =
            format!("the customer is in already, with another {what}, which cannot be changed");
        return Ok(Answered::Rejected(why));
    }
    if is_new {
        let opened = patiently(
            &retention.customers,
            opening(row),
            async |mut client, request| client.open_relationship(request).await,
        )
        .await;
        if let Err(status) = opened {
            return rejected(&status).map(Answered::Rejected);
        }
    }
    let placed = known.as_ref().is_some_and(|known| {
        known.owner == row.owner && (row.territory.is_empty() || known.territory == row.territory)
    });
    if row.owner.is_empty() || placed {
        let done = if is_new {
            Answered::Recorded
        } else {
            Answered::Unchanged
        };
        return Ok(done);
    }
    let request = AssignOwnerRequest {
        name: row.name.clone(),
        owner: row.owner.clone(),
        territory: row.territory.clone(),
        // Not made of the row: an owner may come back, and that is another request.
        request_id: connect::request_id(),
        ..Default::default()
    };
    match patiently(
        &retention.customers,
        request,
        async |mut client, request| client.assign_owner(request).await,
    )
    .await
    {
        Ok(_) => Ok(Answered::Recorded),
        Err(status) => rejected(&status).map(Answered::Rejected),
    }
}

/// What is known otherwise of a customer than the row says.
fn differing(known: &Customer, row: &CustomerRow) -> Vec<&'static str> {
    let acquired_at = row.acquired_at.map(timestamp);
    let differs = [
        ("currency", known.currency_code != row.currency.to_string()),
        ("proposition", known.proposition != row.proposition),
        ("campaign", known.campaign != row.campaign),
        (
            "presentation_id",
            known.presentation_id != row.presentation_id,
        ),
        (
            "acquired_at",
            acquired_at.is_some() && known.acquired_at != acquired_at,
        ),
    ];
    let differs = differs.into_iter().filter(|(_, differs)| *differs);
    differs.map(|(name, _)| name).collect()
}

async fn get(retention: &mut Retention, name: &str) -> anyhow::Result<Option<Customer>> {
    let request = GetCustomerRequest {
        name: name.to_owned(),
        view: CustomerView::Basic as i32,
        ..Default::default()
    };
    match patiently(
        &retention.customers,
        request,
        async |mut client, request| client.get_customer(request).await,
    )
    .await
    {
        Ok(known) => Ok(Some(known.into_inner())),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(stopped(&status)),
    }
}

fn opening(row: &CustomerRow) -> OpenRelationshipRequest {
    let currency_code = row.currency.to_string();
    let acquired_at = row.acquired_at.map(|at| at.to_string()).unwrap_or_default();
    let said = [
        "customer",
        &row.customer_id,
        &currency_code,
        &acquired_at,
        &row.proposition,
        &row.campaign,
        &row.presentation_id,
    ];
    OpenRelationshipRequest {
        external_id: row.customer_id.clone(),
        acquired_at: row.acquired_at.map(timestamp),
        request_id: request_id(&said),
        currency_code,
        proposition: row.proposition.clone(),
        campaign: row.campaign.clone(),
        presentation_id: row.presentation_id.clone(),
        ..Default::default()
    }
}

/// The same row is always the same request.
pub(super) fn request_id(said: &[&str]) -> String {
    Uuid::new_v5(&REQUESTS, said.join("\n").as_bytes()).to_string()
}

impl Row for CustomerRow {
    fn line(&self) -> u64 {
        self.line
    }

    fn follows(&self, before: &Self) -> bool {
        self.name == before.name
    }
}

#[derive(Debug)]
struct RowReader {
    customer_id: usize,
    acquired_at: Option<usize>,
    currency: Option<usize>,
    proposition: Option<usize>,
    campaign: Option<usize>,
    presentation_id: Option<usize>,
    owner: Option<usize>,
    territory: Option<usize>,
    ignored: Vec<String>,
    /// For files that do not say.
    default_currency: Option<Currency>,
}

impl RowReader {
    fn new(names: &[&str], default_currency: Option<Currency>) -> Result<Self, String> {
        let mut heading = Heading::new(names, EXPECTED);
        Ok(Self {
            customer_id: heading.need(&["customer_id"])?,
            acquired_at: heading.find(&["acquired_at", "date"])?,
            currency: heading.find(&["currency", "currency_code"])?,
            proposition: heading.find(&["proposition"])?,
            campaign: heading.find(&["campaign"])?,
            presentation_id: heading.find(&["presentation_id"])?,
            owner: heading.find(&["owner"])?,
            territory: heading.find(&["territory"])?,
            ignored: heading.ignored(),
            default_currency,
        })
    }
}

impl Reader for RowReader {
    type Row = CustomerRow;

    fn read(&mut self, line: u64, record: &StringRecord) -> Result<CustomerRow, String> {
        let customer_id = field(record, self.customer_id);
        let name = name_of(customer_id)?;
        let text = |place| optional(record, place).unwrap_or_default().to_owned();
        let acquired_at = optional(record, self.acquired_at).map(values::moment);
        let campaign = optional(record, self.campaign).map(values::campaign);
        let proposition = optional(record, self.proposition).map(values::proposition);
        let row = CustomerRow {
            line,
            customer_id: customer_id.to_owned(),
            name,
            acquired_at: acquired_at.transpose()?,
            currency: values::currency(
                optional(record, self.currency),
                None,
                self.default_currency,
            )?,
            proposition: proposition.unwrap_or_default(),
            campaign: campaign.transpose()?.unwrap_or_default(),
            presentation_id: text(self.presentation_id),
            owner: text(self.owner),
            territory: text(self.territory),
        };
        if row.owner.is_empty() && !row.territory.is_empty() {
            return Err("territory needs an owner".to_owned());
        }
        if !row.owner.is_empty() {
            retention::check_assignment(&row.owner, &row.territory)?;
        }
        Ok(row)
    }

    fn ignored(&self) -> &[String] {
        &self.ignored
    }
}
