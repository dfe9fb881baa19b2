//! A toy service with a rule of every kind that the engine has to keep: `tallies/<k>` of its own, and
//! `mirrors/<k>` of what the other service of the pair tells.

use journal::{Event, StreamId};
use patron_proto::journal::v1::{Received, received::Outcome};
use prost::Message as _;
use read_model::{Error, Rows, RowsMut, Table};
use runtime::{ApplyError, Fact, Foreign, Receipt, Request, Service, Stop, Work};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The most that a tally may hold.
pub(crate) const LIMIT: i64 = 12;
/// Each time a tally gets past a multiple of this, it is said in public.
pub(crate) const MILESTONE: i64 = 4;
/// Why an event of the other service is refused.
pub(crate) const SHUT: &str = "SHUT";

const TALLIES: Table<String, Tally> = Table::new("tallies");
const MIRRORS: Table<String, Mirror> = Table::new("mirrors");
/// Fed by all partitions; a decision that looks at it guards nothing.
const GRAND: Table<(), i64> = Table::new("grand");
/// The tallies of each partition, with the last day that they lived through.
pub(crate) const AGES: Table<(u32, String), i64> = Table::new("ages");
pub(crate) const ECHOES_DUE: Table<(String, u64), ()> = Table::new("echoes-due");

/// One of a pair of services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tallies {
    pub(crate) name: &'static str,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) total: i64,
    pub(crate) flagged: bool,
    pub(crate) flags: u64,
    pub(crate) echoes: u64,
    pub(crate) nudges: u64,
    /// How many days it lived through.
    pub(crate) days: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mirror {
    pub(crate) sum: i64,
    pub(crate) refused: i64,
    pub(crate) notes: i64,
    pub(crate) shut: bool,
    pub(crate) nudges: u64,
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happened {
    Added(i64),
    Took(i64),
    Milestone,
    Counted,
    Flagged,
    Cleared,
    Echoed(u64),
    Nudged,
    Mirrored(i64),
    Noted(i64),
    Shut(bool),
    /// A tally lived through this day.
    Aged(i64),
}

/// What can be asked for, of the tally or the mirror of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    /// Refused above the limit; one to three events, two of them public.
    Add(i64),
    /// Rests on the partner's total: both together stay at or above zero.
    Take(i64),
    /// Changes nothing when it is set.
    Flag,
    /// Changes nothing when it is not set.
    Clear,
    /// Rests on this tally, and writes to another stream, chosen by what nobody guards.
    Nudge,
    /// Writes to the mirror that an inbox writes to.
    Note(i64),
    /// From now on the mirror refuses what it is told, or takes it again.
    Shut(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    OverLimit,
    Overdrawn,
}

/// Two tallies of one partition that together must not fall below zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) key: String,
    pub(crate) partner: String,
}

pub(crate) fn tally_stream(key: &str) -> StreamId {
    StreamId::new(format!("tallies/{key}")).unwrap()
}

pub(crate) fn mirror_stream(key: &str) -> StreamId {
    StreamId::new(format!("mirrors/{key}")).unwrap()
}

impl Command {
    pub(crate) fn root(self, pair: &Pair) -> StreamId {
        match self {
            Self::Note(_) | Self::Shut(_) => mirror_stream(&pair.key),
            Self::Add(_) | Self::Take(_) | Self::Flag | Self::Clear | Self::Nudge => {
                tally_stream(&pair.key)
            }
        }
    }

    pub(crate) fn request(self, pair: &Pair, request_id: Uuid) -> Request {
        let named = format!("{self:?} {pair:?}");
        let mut fingerprint = [0; 16];
        fingerprint.copy_from_slice(&blake3::hash(named.as_bytes()).as_bytes()[..16]);
        Request {
            root: self.root(pair),
            request_id,
            fingerprint,
            etag: None,
            validate_only: false,
            actor: "tests".to_owned(),
            trace_context: String::new(),
            deadline: None,
        }
    }

    pub(crate) fn decide(self, pair: &Pair, work: &mut Work<'_>) -> Result<(), Stop<Refusal>> {
        let own = tally_stream(&pair.key);
        let tally = tally(work.rows(), &pair.key)?;
        let mirror = mirror(work.rows(), &pair.key)?;
        match self {
            Self::Add(n) if tally.total + n > LIMIT => Err(Stop::Refused(Refusal::OverLimit)),
            Self::Add(n) => {
                work.emit(&own, Happened::Added(n).event())?;
                if (tally.total + n).div_euclid(MILESTONE) > tally.total.div_euclid(MILESTONE) {
                    work.emit(&own, Happened::Milestone.event())?;
                }
                work.emit(&own, Happened::Counted.event())
                    .map_err(Stop::from)
            }
            Self::Take(n) => {
                work.version(&tally_stream(&pair.partner))?;
                let partner = self::tally(work.rows(), &pair.partner)?;
                if tally.total + partner.total < n {
                    return Err(Stop::Refused(Refusal::Overdrawn));
                }
                work.emit(&own, Happened::Took(n).event())
                    .map_err(Stop::from)
            }
            Self::Flag if tally.flagged => Ok(()),
            Self::Flag => work
                .emit(&own, Happened::Flagged.event())
                .map_err(Stop::from),
            Self::Clear if !tally.flagged => Ok(()),
            Self::Clear => work
                .emit(&own, Happened::Cleared.event())
                .map_err(Stop::from),
            Self::Nudge => {
                let to_mirror = GRAND.get(work.rows(), &())?.unwrap_or(0) % 2 == 0;
                let target = if to_mirror {
                    mirror_stream(&pair.key)
                } else {
                    tally_stream(&pair.partner)
                };
                work.emit(&target, Happened::Nudged.event())
                    .map_err(Stop::from)
            }
            Self::Note(n) => work
                .emit(&mirror_stream(&pair.key), Happened::Noted(n).event())
                .map_err(Stop::from),
            Self::Shut(shut) if mirror.shut == shut => Ok(()),
            Self::Shut(shut) => work
                .emit(&mirror_stream(&pair.key), Happened::Shut(shut).event())
                .map_err(Stop::from),
        }
    }
}

impl Happened {
    pub(crate) fn event(self) -> Event {
        let (kind, number) = match self {
            Self::Added(n) => ("Added", n),
            Self::Took(n) => ("Took", n),
            Self::Milestone => ("Milestone", 0),
            Self::Counted => ("Counted", 0),
            Self::Flagged => ("Flagged", 0),
            Self::Cleared => ("Cleared", 0),
            Self::Echoed(flag) => ("Echoed", flag.cast_signed()),
            Self::Nudged => ("Nudged", 0),
            Self::Mirrored(n) => ("Mirrored", n),
            Self::Noted(n) => ("Noted", n),
            Self::Shut(shut) => ("Shut", i64::from(shut)),
            Self::Aged(day) => ("Aged", day),
        };
        Event {
            kind: format!("test.{kind}"),
            schema: 1,
            public: matches!(
                self,
                Self::Added(_) | Self::Took(_) | Self::Milestone | Self::Flagged
            ),
            payload: number.to_be_bytes().to_vec().into(),
        }
    }

    pub(crate) fn read(kind: &str, payload: &[u8]) -> Option<Self> {
        let number = i64::from_be_bytes(payload.try_into().ok()?);
        Some(match kind.strip_prefix("test.")? {
            "Added" => Self::Added(number),
            "Took" => Self::Took(number),
            "Milestone" => Self::Milestone,
            "Counted" => Self::Counted,
            "Flagged" => Self::Flagged,
            "Cleared" => Self::Cleared,
            "Echoed" => Self::Echoed(number.cast_unsigned()),
            "Nudged" => Self::Nudged,
            "Mirrored" => Self::Mirrored(number),
            "Noted" => Self::Noted(number),
            "Shut" => Self::Shut(number != 0),
            "Aged" => Self::Aged(number),
            _ => return None,
        })
    }

    /// What it adds to the mirror of whoever is told.
    pub(crate) fn told(self) -> Option<i64> {
        match self {
            Self::Added(n) => Some(n),
            Self::Took(n) => Some(-n),
            Self::Milestone
            | Self::Counted
            | Self::Flagged
            | Self::Cleared
            | Self::Echoed(_)
            | Self::Nudged
            | Self::Mirrored(_)
            | Self::Noted(_)
            | Self::Shut(_)
            | Self::Aged(_) => None,
        }
    }
}

pub(crate) fn tally(rows: &dyn Rows, key: &str) -> Result<Tally, Error> {
    Ok(TALLIES.get(rows, &key.to_owned())?.unwrap_or_default())
}

pub(crate) fn mirror(rows: &dyn Rows, key: &str) -> Result<Mirror, Error> {
    Ok(MIRRORS.get(rows, &key.to_owned())?.unwrap_or_default())
}

impl Service for Tallies {
    fn name(&self) -> &'static str {
        self.name
    }

    fn schema(&self) -> u32 {
        1
    }

    fn apply(&self, rows: &mut dyn RowsMut, fact: &Fact<'_>) -> Result<(), ApplyError> {
        if fact.event.kind == "patron.journal.v1.Received" {
            return Ok(apply_received(rows, fact)?);
        }
        let happened = Happened::read(&fact.event.kind, &fact.event.payload)
            .ok_or_else(|| ApplyError::Unreadable(fact.event.kind.clone()))?;
        let key = fact.stream.id().to_owned();
        if fact.stream.collection() == "mirrors" {
            let mut row = mirror(rows, &key)?;
            row.apply(happened);
            return Ok(MIRRORS.put(rows, &key, &row)?);
        }
        let mut row = tally(rows, &key)?;
        row.apply(happened);
        if happened == Happened::Flagged {
            ECHOES_DUE.put(rows, &(key.clone(), row.flags), &())?;
        }
        if let Happened::Echoed(flag) = happened {
            ECHOES_DUE.delete(rows, &(key.clone(), flag));
        }
        let age = (fact.partition, key.clone());
        if let Happened::Aged(day) = happened {
            AGES.put(rows, &age, &day)?;
        } else if !AGES.contains(rows, &age)? {
            AGES.put(rows, &age, &i64::MIN)?;
        }
        if let Some(change) = happened.told() {
            let grand = GRAND.get(rows, &())?.unwrap_or(0);
            GRAND.put(rows, &(), &(grand + change))?;
        }
        Ok(TALLIES.put(rows, &key, &row)?)
    }

    fn concerns(&self, event: &Foreign) -> bool {
        Happened::read(&event.kind, &event.payload).is_none_or(|happened| happened.told().is_some())
    }

    fn receive(&self, work: &mut Work<'_>, event: &Foreign) -> Result<Receipt, ApplyError> {
        let Some(happened) = Happened::read(&event.kind, &event.payload) else {
            return Ok(Receipt::Parked(event.kind.clone()));
        };
        let Some(change) = happened.told() else {
            return Ok(Receipt::Skipped);
        };
        let key = event.subject.split_once('/').map_or("", |(_, key)| key);
        let stream = mirror_stream(key);
        work.version(&stream)?;
        if mirror(work.rows(), key)?.shut {
            return Ok(Receipt::Refused(SHUT.to_owned()));
        }
        work.emit(&stream, Happened::Mirrored(change).event())?;
        Ok(Receipt::Applied)
    }
}

impl Tally {
    pub(crate) fn apply(&mut self, happened: Happened) {
        match happened {
            Happened::Added(n) => self.total += n,
            Happened::Took(n) => self.total -= n,
            Happened::Flagged => {
                self.flagged = true;
                self.flags += 1;
            }
            Happened::Cleared => self.flagged = false,
            Happened::Echoed(_) => self.echoes += 1,
            Happened::Nudged => self.nudges += 1,
            Happened::Aged(_) => self.days += 1,
            Happened::Milestone
            | Happened::Counted
            | Happened::Mirrored(_)
            | Happened::Noted(_)
            | Happened::Shut(_) => {}
        }
    }
}

impl Mirror {
    pub(crate) fn apply(&mut self, happened: Happened) {
        match happened {
            Happened::Mirrored(n) => self.sum += n,
            Happened::Noted(n) => self.notes += n,
            Happened::Shut(shut) => self.shut = shut,
            Happened::Nudged => self.nudges += 1,
            Happened::Added(_)
            | Happened::Took(_)
            | Happened::Milestone
            | Happened::Counted
            | Happened::Flagged
            | Happened::Cleared
            | Happened::Echoed(_)
            | Happened::Aged(_) => {}
        }
    }
}

fn apply_received(rows: &mut dyn RowsMut, fact: &Fact<'_>) -> Result<(), Error> {
    let Ok(received) = Received::decode(fact.event.payload.clone()) else {
        return Ok(());
    };
    let told = Happened::read(&received.r#type, &received.payload).and_then(Happened::told);
    if let (Some(change), Some(Outcome::Refused(_))) = (told, received.outcome) {
        let key = received.subject.trim_start_matches("tallies/").to_owned();
        let mut row = mirror(rows, &key)?;
        row.refused += change;
        MIRRORS.put(rows, &key, &row)?;
    }
    Ok(())
}
