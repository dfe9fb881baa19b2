//! `patron import spend`: what campaigns cost.

use std::path::{Path, PathBuf};

use csv::StringRecord;
use money::{Currency, Money};
use patron_proto::acquisition::v1::{GetCampaignRequest, RecordSpendRequest, Spend, SpendKind};
use patron_proto::types::v1 as types;
use server::{money_out, timestamp};

use super::file::{self, Reader};
use super::heading::Heading;
use super::send::{Answered, Outcome, Pace, Row, id_of, patiently, rejected, send_all};
use super::values::{self, DerivedIds, field, minor_units, optional};
use crate::connect::{Acquisition, Services};

/// Which spend.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) services: Services,
    /// A CSV file with the columns `campaign` (proposition/campaign), `date` or `incurred_at`, `amount` (or
    /// `amount_eur` and the like), and if you have them `currency`, `kind` (media, content, tools, sales,
    /// other), `spend_id`, `presentation_id`, `reverses`.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// The currency of amounts whose row does not say, such as EUR.
    #[arg(long, value_name = "CODE")]
    pub(super) currency: Option<Currency>,
}

pub(crate) const PACE: Pace = Pace {
    noun: "spends",
    // One after the other: what takes a spend back comes after it.
    batch: 1,
    at_once: 1,
};

const EXPECTED: &str = "expected campaign, date (or incurred_at), amount (or amount_eur and the like), \
     and optionally currency, kind, spend_id, presentation_id, reverses";

/// A spend as the file has it.
#[derive(Debug, Clone, PartialEq)]
struct SpendRow {
    line: u64,
    campaign: String,
    spend: Spend,
}

/// Reads the file and records its spends.
pub(crate) async fn import(
    acquisition: &Acquisition,
    path: &Path,
    currency: Option<Currency>,
) -> anyhow::Result<Outcome> {
    let heading = |names: &[&str]| RowReader::new(names, currency);
    let (rows, rejects) = file::read(path, heading)?;
    let send = |batch| send(acquisition.clone(), batch);
    send_all(&rows, PACE, rejects, send).await
}

/// Records spends one by one. Whether one was in before shows in what its campaign has cost since.
async fn send(mut acquisition: Acquisition, batch: &[SpendRow]) -> anyhow::Result<Vec<Answered>> {
    let mut answers = Vec::with_capacity(batch.len());
    for row in batch {
        let before = spent(&mut acquisition, &row.campaign, String::new()).await?;
        let mut request = RecordSpendRequest {
            parent: row.campaign.clone(),
            spend: Some(row.spend.clone()),
            ..RecordSpendRequest::default()
        };
        request.request_id = id_of(std::slice::from_ref(&request));
        let recorded = patiently(
            &acquisition.campaigns,
            request,
            async |mut client, request| client.record_spend(request).await,
        )
        .await;
        answers.push(match recorded {
            Ok(reply) => {
                let position = reply.metadata().get("patron-position");
                let position = position.and_then(|token| token.to_str().ok());
                let position = position.unwrap_or_default().to_owned();
                if spent(&mut acquisition, &row.campaign, position).await? == before {
                    Answered::Unchanged
                } else {
                    Answered::Recorded
                }
            }
            Err(status) => Answered::Rejected(rejected(&status)?),
        });
    }
    Ok(answers)
}

/// What a campaign has cost; nothing if there is no such campaign.
async fn spent(
    acquisition: &mut Acquisition,
    campaign: &str,
    min_position: String,
) -> anyhow::Result<Option<types::Money>> {
    let request = GetCampaignRequest {
        name: campaign.to_owned(),
        min_position,
    };
    match patiently(
        &acquisition.campaigns,
        request,
        async |mut client, request| client.get_campaign(request).await,
    )
    .await
    {
        Ok(campaign) => Ok(campaign.into_inner().spend),
        Err(status) => rejected(&status).map(|_| None),
    }
}

impl Row for SpendRow {
    fn line(&self) -> u64 {
        self.line
    }
}

#[derive(Debug)]
struct RowReader {
    campaign: usize,
    incurred_at: usize,
    amount: usize,
    currency: Option<usize>,
    currency_in_heading: Option<String>,
    kind: Option<usize>,
    spend_id: Option<usize>,
    presentation_id: Option<usize>,
    reverses: Option<usize>,
    ignored: Vec<String>,
    /// For files that do not say.
    default_currency: Option<Currency>,
    ids: DerivedIds,
}

impl RowReader {
    fn new(names: &[&str], default_currency: Option<Currency>) -> Result<Self, String> {
        let mut heading = Heading::new(names, EXPECTED);
        let (amount, currency_in_heading) = heading.amount()?;
        values::check_heading(currency_in_heading.as_deref(), default_currency)?;
        Ok(Self {
            campaign: heading.need(&["campaign"])?,
            incurred_at: heading.need(&["date", "incurred_at"])?,
            amount,
            currency: heading.find(&["currency", "currency_code"])?,
            currency_in_heading,
            kind: heading.find(&["kind"])?,
            spend_id: heading.find(&["spend_id"])?,
            presentation_id: heading.find(&["presentation_id"])?,
            reverses: heading.find(&["reverses"])?,
            ignored: heading.ignored(),
            default_currency,
            ids: DerivedIds::default(),
        })
    }
}

impl Reader for RowReader {
    type Row = SpendRow;

    fn read(&mut self, line: u64, record: &StringRecord) -> Result<SpendRow, String> {
        let campaign = values::campaign(field(record, self.campaign))?;
        let incurred_at = values::moment(field(record, self.incurred_at))?;
        let said = optional(record, self.currency);
        let in_heading = self.currency_in_heading.as_deref();
        let currency = values::currency(said, in_heading, self.default_currency)?;
        let amount = minor_units("amount", field(record, self.amount), currency)?;
        let kind = optional(record, self.kind).map_or(Ok(SpendKind::Other), |text| {
            values::word("kind", text, "SPEND_KIND", SpendKind::from_str_name)
        })?;
        let texts: Vec<&str> = record.iter().map(str::trim).collect();
        let spend_id = match optional(record, self.spend_id) {
            Some(id) => id.to_owned(),
            None => self.ids.of(&texts),
        };
        let text = |place| optional(record, place).unwrap_or_default().to_owned();
        Ok(SpendRow {
            line,
            campaign,
            spend: Spend {
                spend_id,
                kind: kind as i32,
                amount: Some(money_out(Money::new(currency, amount))),
                incurred_at: Some(timestamp(incurred_at)),
                presentation_id: text(self.presentation_id),
                reverses: text(self.reverses),
            },
        })
    }

    fn ignored(&self) -> &[String] {
        &self.ignored
    }
}

#[cfg(test)]
mod tests {
    use super::{Reader as _, RowReader, SpendRow};

    fn read(heading: &str, row: &str) -> Result<SpendRow, String> {
        let names: Vec<&str> = heading.split(',').collect();
        let record = csv::StringRecord::from(row.split(',').collect::<Vec<_>>());
        RowReader::new(&names, None).unwrap().read(2, &record)
    }

    #[test]
    fn a_row_is_read_to_the_cent() {
        let row = read(
            "campaign,date,amount_eur,kind",
            "van-repair/fast,2026-01-02,12.34,media",
        );
        let spend = row.unwrap().spend;
        assert_eq!(spend.amount.as_ref().unwrap().minor_units, 1_234);
        assert_eq!(spend.kind().as_str_name(), "SPEND_KIND_MEDIA");
        assert!(spend.spend_id.starts_with("row-"));
    }

    #[test]
    fn every_bad_row_says_why() {
        for (row, why) in [
            ("fast,2026-01-02,1,EUR", "proposition/campaign"),
            ("a/b,yesterday,1,EUR", "neither a date"),
            ("a/b,2026-01-02,1.001,EUR", "at most 2 decimals"),
            ("a/b,2026-01-02,1,", "--currency"),
        ] {
            let said = read("campaign,date,amount,currency", row).unwrap_err();
            assert!(said.contains(why), "{row}: {said}");
        }
    }
}
