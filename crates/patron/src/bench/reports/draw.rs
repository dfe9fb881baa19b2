//! The business that a seed means: files to import, and who converts.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use eventsourcing::Time;
use serde::Serialize;

use crate::sample::Chance;

/// How much of what.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Sizes {
    pub(super) journeys: u32,
    pub(super) touchpoints: u32,
    pub(super) customers: u32,
    pub(super) purchases: u32,
    pub(super) work: u32,
    pub(super) seed: u64,
}

/// Channels, and campaigns.
pub(super) const CHANNELS: u32 = 20;
/// For how many days prospects are touched, up to yesterday.
const TOUCHED_DAYS: u32 = 60;
/// For how many days customers buy, up to yesterday.
pub(super) const BOUGHT_DAYS: u32 = 400;
const DAY: u32 = 86_400;

/// The id of a prospect in the file.
pub(super) fn prospect_id(number: u32) -> String {
    format!("prospect-{number:07}")
}

/// The id of a customer in the file.
pub(super) fn customer_id(number: u32) -> String {
    format!("customer-{number:07}")
}

/// The id of a campaign, which is of the proposition of the measurements.
pub(super) fn campaign_id(number: u32) -> String {
    format!("campaign-{number:02}")
}

/// Writes the touches in the order of time: each prospect has one, and the others fall on anybody.
pub(super) fn touchpoints(folder: &Path, sizes: &Sizes, now: Time) -> anyhow::Result<PathBuf> {
    let mut chance = Chance::new(sizes.seed);
    let begins = now.day() - i64::from(TOUCHED_DAYS);
    let mut touches: Vec<(u32, u32, u32)> = (0..sizes.touchpoints)
        .map(|number| {
            let who = if number < sizes.journeys {
                number
            } else {
                chance.below(sizes.journeys)
            };
            let second = chance.below(TOUCHED_DAYS * DAY);
            (second, who, chance.below(CHANNELS))
        })
        .collect();
    touches.sort_unstable();
    let mut file = String::from("prospect_id,occurred_at,channel,kind,campaign\n");
    for (second, who, channel) in touches {
        let at = Time::from_days(begins).plus_seconds(second.into());
        let (who, campaign) = (prospect_id(who), campaign_id(channel));
        writeln!(
            file,
            "{who},{at},channel-{channel:02},click,bench/{campaign}"
        )?;
    }
    write(folder, "touchpoints.csv", &file)
}

/// Writes the purchases in the order of time, and says how many there are. Customers buy at rates of their
/// own and leave unnoticed, as models of purchases expect it.
pub(super) fn purchases(folder: &Path, sizes: &Sizes, now: Time) -> anyhow::Result<(PathBuf, u64)> {
    let mut chance = Chance::new(sizes.seed.wrapping_add(1));
    let begins = now.day() - i64::from(BOUGHT_DAYS);
    let last = BOUGHT_DAYS * DAY;
    let repeats = f64::from(sizes.purchases - sizes.customers) / f64::from(sizes.customers);
    let mut bought: Vec<(u32, u32, u32)> = Vec::new();
    for who in 0..sizes.customers {
        let first = chance.below(last);
        let gone = first.saturating_add(chance.days(f64::from(last))).min(last);
        let mean_cents = 1_000 + chance.days(5_000.0);
        let amount = |chance: &mut Chance| mean_cents / 2 + chance.below(mean_cents);
        bought.push((first, who, amount(&mut chance)));
        // Of the time from the first purchase to the end, half is left on average, and half of that is lived.
        let rate = repeats * 3.5 * -libm::log(1.0 - chance.unit()) / f64::from(last);
        if rate <= 0.0 {
            continue;
        }
        let mut at = first;
        loop {
            at = at.saturating_add(1 + chance.days(1.0 / rate));
            if at >= gone {
                break;
            }
            bought.push((at, who, amount(&mut chance)));
        }
    }
    bought.sort_unstable();
    let mut file = String::from("customer_id,occurred_at,amount\n");
    for (second, who, cents) in &bought {
        let at = Time::from_days(begins).plus_seconds((*second).into());
        let who = customer_id(*who);
        writeln!(file, "{who},{at},{}.{:02}", cents / 100, cents % 100)?;
    }
    let count = bought.len() as u64;
    Ok((write(folder, "purchases.csv", &file)?, count))
}

fn write(folder: &Path, name: &str, text: &str) -> anyhow::Result<PathBuf> {
    let path = folder.join(name);
    fs::write(&path, text)?;
    Ok(path)
}
