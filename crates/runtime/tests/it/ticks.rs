//! Judges the daily ticks of a run, and shows how they go on after a pause.

use std::collections::BTreeMap;

use eventsourcing::Time;
use journal::Commit;
use patron_proto::journal::v1::TickDone;
use prost::Message as _;

use crate::history::Check;
use crate::journals::Judged;
use crate::tally::Happened;
use crate::world::World;

/// What a partition's journal says of its ticks.
#[derive(Debug, Default)]
struct Ticks {
    /// The offsets of `TickDone`, by day.
    done: BTreeMap<i64, Vec<usize>>,
    /// The offsets at which a tally lived through a day.
    aged: BTreeMap<(i64, String), Vec<usize>>,
}

impl Ticks {
    fn read(judged: &Judged) -> Self {
        let mut ticks = Self::default();
        for (offset, commit) in &judged.accepted {
            ticks.note(*offset, commit);
        }
        ticks
    }

    fn note(&mut self, offset: usize, commit: &Commit) {
        for append in &commit.appends {
            for event in &append.events {
                if event.kind == "patron.journal.v1.TickDone" {
                    let day = TickDone::decode(event.payload.clone()).unwrap().day;
                    self.done.entry(day).or_default().push(offset);
                } else if let Some(Happened::Aged(day)) =
                    Happened::read(&event.kind, &event.payload)
                {
                    let key = (day, append.stream.id().to_owned());
                    self.aged.entry(key).or_default().push(offset);
                }
            }
        }
    }
}

/// Every tally that was there when a day came lived through it: once, not before the log's time had
/// reached the day, behind the tick of the day before, and before the tick was done.
pub(crate) fn judge(world: &World, judged: &Judged, service: usize, partition: u32) {
    let ticks = Ticks::read(judged);
    let recorded = recorded(world, service, partition);
    for ((day, key), offsets) in &ticks.aged {
        if offsets.len() > 1 {
            let what = format!("{key} lived through day {day} at {offsets:?}");
            world.violated(Check::TickActsOnce, what);
        }
        if recorded[offsets[0]] < Time::from_days(*day) {
            let what = format!("{key} lived through day {day} at {}", recorded[offsets[0]]);
            world.violated(Check::TickIsInTime, what);
        }
        let before = ticks.done.get(&(day - 1)).map(|done| done[0]);
        let after = ticks.done.get(day).map(|done| done[0]);
        let in_turn = before.is_none_or(|before| before < offsets[0])
            && after.is_none_or(|after| offsets[0] < after);
        if !in_turn {
            let what = format!("{key} lived through day {day} at {offsets:?}: {ticks:?}");
            world.violated(Check::TickActsOnce, what);
        }
    }
    let days: Vec<i64> = ticks.done.keys().copied().collect();
    let dense = days.windows(2).all(|two| two[0] + 1 == two[1]);
    if !dense || ticks.done.values().any(|offsets| offsets.len() > 1) {
        world.violated(Check::TickActsOnce, format!("{:?}", ticks.done));
    }
    for day in days {
        let midnight = Time::from_days(day);
        let came = recorded.partition_point(|at| *at < midnight);
        let tallies = judged.states[came].tallies.keys();
        for key in tallies.filter(|key| !ticks.aged.contains_key(&(day, (*key).clone()))) {
            let what = format!("{key} never lived through day {day}");
            world.violated(Check::TickActsOnce, what);
        }
    }
}

/// Recorded time at each offset.
fn recorded(world: &World, service: usize, partition: u32) -> Vec<Time> {
    let mut latest = Time::from_micros(i64::MIN);
    let records = world.log.records(&World::journal(service), partition);
    let times = records.iter().map(|stored| {
        latest = latest.max(stored.time);
        latest
    });
    times.collect()
}
