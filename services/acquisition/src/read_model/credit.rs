//! Which campaign a customer is credited to: the one of the last touch before the conversion.
//!
//! A touch may be recorded after the conversion that it led to, so credit can move. It is a function of the
//! touches and the moment of conversion, whatever order they were recorded in.

use acquisition_domain::id::{CampaignName, TouchpointId};
use acquisition_domain::prospect::{Conversion, Event, Prospect};
use eventsourcing::Days;
use read_model::{Error, Rows, RowsMut, Table};
use uuid::Uuid;

use super::prospects::{self, Passed};

/// How long before the conversion a touch still earns credit.
const WINDOW: Days = Days(90);

const CREDITED: Table<(String, String, Uuid), ()> = Table::new("credit");
const NAMED: Table<(String, String, Uuid), ()> = Table::new("named");

/// The customers credited to a campaign.
pub(crate) fn credited(rows: &dyn Rows, campaign: &CampaignName) -> Result<Vec<Uuid>, Error> {
    customers(&CREDITED, rows, campaign)
}

/// The customers whose conversion names a campaign.
pub(crate) fn named(rows: &dyn Rows, campaign: &CampaignName) -> Result<Vec<Uuid>, Error> {
    customers(&NAMED, rows, campaign)
}

fn customers(
    table: &Table<(String, String, Uuid), ()>,
    rows: &dyn Rows,
    campaign: &CampaignName,
) -> Result<Vec<Uuid>, Error> {
    let prefix = (
        campaign.proposition_id.to_string(),
        campaign.campaign_id.to_string(),
    );
    let found = table.scan(rows, &prefix, None, usize::MAX)?;
    Ok(found
        .into_iter()
        .map(|((_, _, customer), ())| customer)
        .collect())
}

/// Keeps the credit right after an event of a prospect, whose state is the one after it.
pub(crate) fn apply(
    rows: &mut dyn RowsMut,
    id: Uuid,
    prospect: &Prospect,
    event: &Event,
) -> Result<(), Error> {
    let Some(conversion) = &prospect.conversion else {
        return Ok(());
    };
    match event {
        Event::Converted { .. } => {
            if let Some(campaign_id) = &conversion.campaign_id {
                let proposition = conversion.proposition_id.to_string();
                NAMED.put(rows, &(proposition, campaign_id.to_string(), id), &())?;
            }
            let touched = last_touch(rows, id, conversion, None)?;
            credit(rows, id, touched)
        }
        Event::TouchpointRecorded { touchpoint_id, .. } => {
            // Recorded late: take the credit away from where it went without this touch.
            let before = last_touch(rows, id, conversion, Some(touchpoint_id))?;
            let now = last_touch(rows, id, conversion, None)?;
            if let Some(campaign) = before.filter(|before| Some(before) != now.as_ref()) {
                CREDITED.delete(rows, &key(&campaign, id));
            }
            credit(rows, id, now)
        }
        Event::Created { .. }
        | Event::Qualified { .. }
        | Event::Closed { .. }
        | Event::Identified { .. }
        | Event::Reopened { .. }
        | Event::Merged { .. }
        | Event::ConsentChanged { .. }
        // What is absorbed after the conversion never earns credit; what was before, the conversion sees.
        | Event::Absorbed { .. } => Ok(()),
    }
}

fn credit(
    rows: &mut dyn RowsMut,
    customer: Uuid,
    campaign: Option<CampaignName>,
) -> Result<(), Error> {
    campaign.map_or(Ok(()), |campaign| {
        CREDITED.put(rows, &key(&campaign, customer), &())
    })
}

fn key(campaign: &CampaignName, customer: Uuid) -> (String, String, Uuid) {
    (
        campaign.proposition_id.to_string(),
        campaign.campaign_id.to_string(),
        customer,
    )
}

/// The campaign of the last touch in the window that has one; of two at the same moment, the later in the
/// journey. `without` is one of the prospect's own touches.
fn last_touch(
    rows: &dyn Rows,
    id: Uuid,
    conversion: &Conversion,
    without: Option<&TouchpointId>,
) -> Result<Option<CampaignName>, Error> {
    let opens = conversion.converted_at.minus_days(WINDOW);
    let window = opens..=conversion.converted_at;
    let is_left_out = |passed: &Passed| {
        let own = passed.from.is_none().then_some(&*passed.touchpoint_id);
        own.is_some() && own == without.map(TouchpointId::as_str)
    };
    let journey = prospects::journey(rows, id)?.into_iter();
    Ok(journey
        .filter(|passed| !passed.after_conversion && !is_left_out(passed))
        .filter(|passed| window.contains(&passed.touchpoint.occurred_at))
        .filter_map(|passed| passed.touchpoint.touch.campaign)
        .next_back())
}
