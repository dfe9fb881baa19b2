//! Propositions with their presentations and campaigns: the state that decisions are taken on, and the
//! spend beside it.

use acquisition_domain::campaign::{self, BookedSpend, SpendKey};
use acquisition_domain::id::{CampaignName, PropositionId};
use acquisition_domain::proposition::{Event, Proposition};
use eventsourcing::Aggregate as _;
use read_model::{Error, Rows, RowsMut, Table};

const STATES: Table<String, Proposition> = Table::new("proposition");
const SPENDS: Table<(String, String, String), BookedSpend> = Table::new("spend");
const SPENT: Table<(String, String), i128> = Table::new("campaign");

/// The state of a proposition, with the spends that are named.
pub(crate) fn load(
    rows: &dyn Rows,
    id: &PropositionId,
    spends: &[SpendKey],
) -> Result<Proposition, Error> {
    let mut state = STATES.get(rows, &id.to_string())?.unwrap_or_default();
    for key in spends {
        if let Some(spend) = SPENDS.get(rows, &spend_row(id, key))? {
            state.spends.load(key.clone(), spend);
        }
    }
    Ok(state)
}

/// A proposition, if it exists.
pub(crate) fn get(rows: &dyn Rows, id: &PropositionId) -> Result<Option<Proposition>, Error> {
    STATES.get(rows, &id.to_string())
}

/// Propositions by id, after the one given.
pub(crate) fn list(
    rows: &dyn Rows,
    after: Option<&String>,
    limit: usize,
) -> Result<Vec<(String, Proposition)>, Error> {
    STATES.scan(rows, &(), after, limit)
}

/// What a campaign has cost, in minor units of its currency; nothing if that is beyond 64 bits.
pub(crate) fn spent(rows: &dyn Rows, name: &CampaignName) -> Result<Option<i64>, Error> {
    let key = (
        name.proposition_id.to_string(),
        name.campaign_id.to_string(),
    );
    let spent = SPENT.get(rows, &key)?.unwrap_or(0);
    Ok(i64::try_from(spent).ok())
}

/// Campaigns by name, of one proposition or of all, after the one given.
pub(crate) fn campaigns(
    rows: &dyn Rows,
    only: Option<&PropositionId>,
    after: Option<&CampaignName>,
    limit: usize,
) -> Result<Vec<CampaignName>, Error> {
    let after = after.map(|name| {
        (
            name.proposition_id.to_string(),
            name.campaign_id.to_string(),
        )
    });
    let found = match only {
        Some(id) => SPENT.scan(rows, &(id.to_string(),), after.as_ref(), limit)?,
        None => SPENT.scan(rows, &(), after.as_ref(), limit)?,
    };
    let names = found
        .into_iter()
        .filter_map(|((proposition, campaign), _)| {
            Some(CampaignName {
                proposition_id: proposition.parse().ok()?,
                campaign_id: campaign.parse().ok()?,
            })
        });
    Ok(names.collect())
}

/// Lets an event happen; the state after it.
pub(crate) fn apply(
    rows: &mut dyn RowsMut,
    id: &PropositionId,
    event: &Event,
) -> Result<Proposition, Error> {
    let mut state = load(rows, id, &event.parts())?;
    state.evolve(event);
    for (key, spend) in state.spends.take_changes() {
        SPENDS.put(rows, &spend_row(id, &key), spend)?;
    }
    match event {
        // Every campaign has a row, so that the rows list the campaigns.
        Event::Campaign(campaign::Event::Planned { campaign_id, .. }) => {
            SPENT.put(rows, &(id.to_string(), campaign_id.to_string()), &0)?;
        }
        Event::Campaign(campaign::Event::SpendRecorded {
            campaign_id, spend, ..
        }) => {
            let key = (id.to_string(), campaign_id.to_string());
            let sign = if spend.reverses.is_some() { -1 } else { 1 };
            let spent = SPENT.get(rows, &key)?.unwrap_or(0);
            let amount = i128::from(spend.amount.minor_units);
            SPENT.put(rows, &key, &spent.saturating_add(sign * amount))?;
        }
        Event::Drafted { .. }
        | Event::Revised { .. }
        | Event::Published { .. }
        | Event::Retired { .. }
        | Event::Presentation(_)
        | Event::Campaign(_) => {}
    }
    STATES.put(rows, &id.to_string(), &state)?;
    Ok(state)
}

fn spend_row(id: &PropositionId, key: &SpendKey) -> (String, String, String) {
    (
        id.to_string(),
        key.campaign_id.to_string(),
        key.spend_id.to_string(),
    )
}
