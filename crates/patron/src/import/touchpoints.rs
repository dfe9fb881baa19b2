//! `patron import touchpoints`: how prospects were reached. Those that do not exist yet are created.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use eventsourcing::Time;
use patron_proto::acquisition::v1::{
    BatchRecordTouchpointsRequest, Touchpoint, TouchpointItem, TouchpointKind, Utm,
};
use server::{from_timestamp, timestamp};
use tonic::Status;

use super::file::{self, Reader};
use super::heading::Heading;
use super::prospects;
use super::send::{Answered, Outcome, Pace, Row, answered, send_all, send_batch, together};
use super::values::{self, DerivedIds, field, optional};
use crate::connect::{Acquisition, Services};

/// Which touchpoints.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) services: Services,
    /// A CSV file with the columns `prospect_id`, `date` or `occurred_at`, `channel`, and if you have them
    /// `kind` (click, visit, call ...), `campaign` (proposition/campaign), `presentation_id`,
    /// `touchpoint_id`, and `utm_source` with its kin.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
}

pub(crate) const PACE: Pace = Pace {
    noun: "touchpoints",
    batch: 1_000,
    at_once: 4,
};

const EXPECTED: &str = "expected prospect_id, date (or occurred_at), channel, and optionally kind, \
     campaign, presentation_id, touchpoint_id, utm_source, utm_medium, utm_campaign, utm_term, utm_content";

/// A touchpoint as the file has it.
#[derive(Debug, Clone, PartialEq)]
struct TouchRow {
    line: u64,
    prospect_id: String,
    touchpoint: Touchpoint,
}

/// Reads the file and records its touchpoints.
pub(crate) async fn import(acquisition: &Acquisition, path: &Path) -> anyhow::Result<Outcome> {
    let (mut rows, mut rejects) = file::read(path, RowReader::new)?;
    let now = from_timestamp(&crate::show::now());
    // A touch that has not come yet makes no prospect.
    rows.retain(|row| {
        let has_come = row.at() <= Some(now);
        if !has_come {
            rejects.add(
                row.line,
                "the touch lies in the future (FUTURE_TIME)".to_owned(),
            );
        }
        has_come
    });
    let rows = together(rows, |row| &row.prospect_id);
    prospects::create_missing(acquisition, first_heard_of(&rows)).await?;
    let send = |batch| send(acquisition, batch);
    send_all(&rows, PACE, rejects, send).await
}

/// The ids of another system and when each was first heard of: at its first touch.
fn first_heard_of(rows: &[TouchRow]) -> BTreeMap<&str, Option<Time>> {
    let mut first = BTreeMap::new();
    for row in rows {
        if !row.prospect_id.starts_with("prospects/") {
            let before = first.entry(row.prospect_id.as_str()).or_insert(row.at());
            *before = (*before).min(row.at());
        }
    }
    first
}

async fn send(acquisition: &Acquisition, batch: &[TouchRow]) -> anyhow::Result<Vec<Answered>> {
    let items = batch.iter().map(TouchRow::item).collect();
    send_batch(items, |items, request_id| {
        ask(acquisition, items, request_id)
    })
    .await
}

async fn ask(
    acquisition: &Acquisition,
    items: Vec<TouchpointItem>,
    request_id: String,
) -> Result<Vec<Answered>, Status> {
    let request = BatchRecordTouchpointsRequest { items, request_id };
    let mut prospects = acquisition.prospects.clone();
    let answer = prospects.batch_record_touchpoints(request).await;
    let results = answer?.into_inner();
    let results = results.results.into_iter();
    let answers = results.map(|it| answered(it.code, it.unchanged, &it.reason, &it.message));
    Ok(answers.collect())
}

impl TouchRow {
    /// Every row has a time.
    fn at(&self) -> Option<Time> {
        self.touchpoint.occurred_at.as_ref().map(from_timestamp)
    }

    fn item(&self) -> TouchpointItem {
        TouchpointItem {
            parent: prospects::name_of(&self.prospect_id),
            touchpoint: Some(self.touchpoint.clone()),
        }
    }
}

impl Row for TouchRow {
    fn line(&self) -> u64 {
        self.line
    }
}

#[derive(Debug)]
struct RowReader {
    prospect_id: usize,
    occurred_at: usize,
    channel: usize,
    kind: Option<usize>,
    campaign: Option<usize>,
    presentation_id: Option<usize>,
    touchpoint_id: Option<usize>,
    /// Source, medium, campaign, term, content.
    utm: [Option<usize>; 5],
    ignored: Vec<String>,
    ids: DerivedIds,
}

impl RowReader {
    fn new(names: &[&str]) -> Result<Self, String> {
        let mut heading = Heading::new(names, EXPECTED);
        Ok(Self {
            prospect_id: heading.need(&["prospect_id"])?,
            occurred_at: heading.need(&["date", "occurred_at"])?,
            channel: heading.need(&["channel"])?,
            kind: heading.find(&["kind"])?,
            campaign: heading.find(&["campaign"])?,
            presentation_id: heading.find(&["presentation_id"])?,
            touchpoint_id: heading.find(&["touchpoint_id"])?,
            utm: [
                heading.find(&["utm_source"])?,
                heading.find(&["utm_medium"])?,
                heading.find(&["utm_campaign"])?,
                heading.find(&["utm_term"])?,
                heading.find(&["utm_content"])?,
            ],
            ignored: heading.ignored(),
            ids: DerivedIds::default(),
        })
    }

    fn utm(&self, record: &StringRecord) -> Option<Utm> {
        let [source, medium, campaign, term, content] = self
            .utm
            .map(|place| optional(record, place).unwrap_or_default().to_owned());
        let utm = Utm {
            source,
            medium,
            campaign,
            term,
            content,
        };
        (utm != Utm::default()).then_some(utm)
    }
}

impl Reader for RowReader {
    type Row = TouchRow;

    fn read(&mut self, line: u64, record: &StringRecord) -> Result<TouchRow, String> {
        let prospect_id = field(record, self.prospect_id);
        prospects::check_id(prospect_id)?;
        let occurred_at = values::moment(field(record, self.occurred_at))?;
        let channel = field(record, self.channel);
        if channel.is_empty() {
            return Err("channel is empty".to_owned());
        }
        let kind = optional(record, self.kind).map_or(Ok(TouchpointKind::Other), |text| {
            let read = TouchpointKind::from_str_name;
            values::word("kind", text, "TOUCHPOINT_KIND", read)
        })?;
        let campaign = optional(record, self.campaign).map(values::campaign);
        let texts: Vec<&str> = record.iter().map(str::trim).collect();
        let touchpoint_id = match optional(record, self.touchpoint_id) {
            Some(id) => id.to_owned(),
            None => self.ids.of(&texts),
        };
        let presentation_id = optional(record, self.presentation_id).unwrap_or_default();
        Ok(TouchRow {
            line,
            prospect_id: prospect_id.to_owned(),
            touchpoint: Touchpoint {
                touchpoint_id,
                campaign: campaign.transpose()?.unwrap_or_default(),
                presentation_id: presentation_id.to_owned(),
                channel: channel.to_owned(),
                kind: kind as i32,
                occurred_at: Some(timestamp(occurred_at)),
                utm: self.utm(record),
            },
        })
    }

    fn ignored(&self) -> &[String] {
        &self.ignored
    }
}

#[cfg(test)]
mod tests {
    use super::{Reader as _, RowReader, TouchRow};

    fn read(heading: &str, row: &str) -> Result<TouchRow, String> {
        let names: Vec<&str> = heading.split(',').collect();
        let record = csv::StringRecord::from(row.split(',').collect::<Vec<_>>());
        RowReader::new(&names).unwrap().read(2, &record)
    }

    #[test]
    fn a_row_is_read_with_campaign_kind_and_marks() {
        let heading = "prospect_id,date,channel,kind,campaign,utm_source";
        let row = read(heading, "a7,2026-01-02,search,click,van-repair/fast,engine").unwrap();
        let touch = row.touchpoint;
        assert_eq!(touch.campaign, "propositions/van-repair/campaigns/fast");
        assert_eq!(touch.kind().as_str_name(), "TOUCHPOINT_KIND_CLICK");
        assert_eq!(touch.utm.unwrap().source, "engine");
        assert!(touch.touchpoint_id.starts_with("row-"));
    }

    #[test]
    fn every_bad_row_says_why() {
        let heading = "prospect_id,date,channel,kind,campaign";
        for (row, why) in [
            (",2026-01-02,search,click,", "prospect_id"),
            ("a,02.01.2026,search,click,", "neither a date"),
            ("a,2026-01-02,,click,", "channel is empty"),
            ("a,2026-01-02,search,tap,", "kind \"tap\""),
            ("a,2026-01-02,search,click,fast", "proposition/campaign"),
        ] {
            let said = read(heading, row).unwrap_err();
            assert!(said.contains(why), "{row}: {said}");
        }
    }
}
