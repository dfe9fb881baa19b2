//! One row of a prospects file: read, and checked as a whole before anything of it is sent.

use csv::StringRecord;
use eventsourcing::{Clock as _, SystemClock, Time};
use patron_proto::acquisition::v1::{CloseReason, Prospect, ProspectKind};
use patron_proto::types::v1::{Identity, IdentityKind};
use server::timestamp;

use super::{SOURCE, check_id};
use crate::import::file::Reader;
use crate::import::heading::Heading;
use crate::import::send::Row;
use crate::import::values;

const EXPECTED: &str = "expected prospect_id, and optionally kind, source, created_at, name, email, phone, \
     identified_at, proposition, problem, qualified_at, close_reason, competitor, closed_at";
/// How far ahead of ours a clock may be, for the services too.
const AHEAD_SECONDS: i64 = 300;

/// A prospect as the file has it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct ProspectRow {
    pub(super) line: u64,
    pub(super) prospect_id: String,
    pub(super) kind: ProspectKind,
    pub(super) source: String,
    pub(super) created_at: Option<Time>,
    pub(super) name: String,
    pub(super) identities: Vec<Identity>,
    pub(super) identified_at: Option<Time>,
    pub(super) qualified: Option<Qualified>,
    pub(super) closed: Option<Closed>,
}

/// The problem that a prospect has.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Qualified {
    /// The resource name.
    pub(super) proposition: String,
    pub(super) problem_id: String,
    pub(super) at: Option<Time>,
}

/// Why a prospect was closed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Closed {
    pub(super) reason: CloseReason,
    pub(super) competitor: String,
    pub(super) at: Option<Time>,
}

impl ProspectRow {
    /// Somebody of whom only the id is known, and perhaps since when.
    pub(super) fn unknown(prospect_id: &str, created_at: Option<Time>) -> Self {
        Self {
            line: 0,
            prospect_id: prospect_id.to_owned(),
            kind: ProspectKind::Person,
            source: SOURCE.to_owned(),
            created_at,
            name: String::new(),
            identities: Vec::new(),
            identified_at: None,
            qualified: None,
            closed: None,
        }
    }

    /// Whether the row says who it is.
    pub(super) fn is_somebody(&self) -> bool {
        !self.name.is_empty() || !self.identities.is_empty()
    }

    /// Why the prospect that is in under this id is another one, if it is.
    pub(super) fn is_other_than(&self, known: &Prospect) -> Option<String> {
        if known.kind() != self.kind || known.source != self.source {
            return Some(format!(
                "it is in already, with the source {:?} and another kind or source than here",
                known.source
            ));
        }
        let created_at = self.created_at.map(timestamp)?;
        let known = known.create_time?;
        (created_at != known).then(|| {
            let since = server::from_timestamp(&known);
            format!("it is in already, created at {since} and not at the created_at of here")
        })
    }

    /// Whether everything that the row says of the person is known.
    pub(super) fn is_known_by(&self, known: &Prospect) -> bool {
        let mut identities = self.identities.iter();
        (self.name.is_empty() || self.name == known.display_name)
            && identities.all(|identity| known.identities.contains(identity))
    }

    /// Whether the values of a person's fields are such, and the moments fit each other.
    fn check(&self, now: Time) -> Result<(), String> {
        let wrong = |wrong: server::Wrong| wrong.to_string();
        server::identities("identities", &self.identities).map_err(wrong)?;
        server::name("name", &self.name).map_err(wrong)?;
        if self.identified_at.is_some() && !self.is_somebody() {
            return Err("identified_at needs a name, an email or a phone".to_owned());
        }
        let moments = [
            ("created_at", self.created_at),
            ("identified_at", self.identified_at),
            ("qualified_at", self.qualified.as_ref().and_then(|it| it.at)),
            ("closed_at", self.closed.as_ref().and_then(|it| it.at)),
        ];
        for (column, at) in moments {
            let Some(at) = at else { continue };
            if at > now.plus_seconds(AHEAD_SECONDS) {
                return Err(format!("{column} {at} has not come yet"));
            }
            if let Some(created_at) = self.created_at.filter(|created_at| at < *created_at) {
                return Err(format!("{column} {at} is before created_at {created_at}"));
            }
        }
        Ok(())
    }
}

impl Row for ProspectRow {
    fn line(&self) -> u64 {
        self.line
    }

    fn follows(&self, before: &Self) -> bool {
        self.prospect_id == before.prospect_id
    }
}

/// Turns records into rows.
#[derive(Debug)]
pub(super) struct RowReader {
    prospect_id: usize,
    kind: Option<usize>,
    source: Option<usize>,
    created_at: Option<usize>,
    name: Option<usize>,
    email: Option<usize>,
    phone: Option<usize>,
    identified_at: Option<usize>,
    proposition: Option<usize>,
    problem: Option<usize>,
    qualified_at: Option<usize>,
    close_reason: Option<usize>,
    competitor: Option<usize>,
    closed_at: Option<usize>,
    ignored: Vec<String>,
}

impl RowReader {
    pub(super) fn new(names: &[&str]) -> Result<Self, String> {
        let mut heading = Heading::new(names, EXPECTED);
        Ok(Self {
            prospect_id: heading.need(&["prospect_id"])?,
            kind: heading.find(&["kind"])?,
            source: heading.find(&["source"])?,
            created_at: heading.find(&["created_at"])?,
            name: heading.find(&["name", "display_name"])?,
            email: heading.find(&["email", "e-mail"])?,
            phone: heading.find(&["phone"])?,
            identified_at: heading.find(&["identified_at"])?,
            proposition: heading.find(&["proposition"])?,
            problem: heading.find(&["problem", "problem_id"])?,
            qualified_at: heading.find(&["qualified_at"])?,
            close_reason: heading.find(&["close_reason"])?,
            competitor: heading.find(&["competitor"])?,
            closed_at: heading.find(&["closed_at"])?,
            ignored: heading.ignored(),
        })
    }

    fn qualified(&self, record: &StringRecord) -> Result<Option<Qualified>, String> {
        let proposition = values::optional(record, self.proposition);
        let problem = values::optional(record, self.problem);
        let at = moment(record, self.qualified_at)?;
        match (proposition, problem) {
            (Some(proposition), Some(problem)) => Ok(Some(Qualified {
                proposition: values::proposition(proposition),
                problem_id: problem.to_owned(),
                at,
            })),
            (None, None) if at.is_none() => Ok(None),
            _ => Err(
                "proposition, problem: give both of them, or neither and no qualified_at"
                    .to_owned(),
            ),
        }
    }

    fn closed(&self, record: &StringRecord) -> Result<Option<Closed>, String> {
        let competitor = values::optional(record, self.competitor).unwrap_or_default();
        let at = moment(record, self.closed_at)?;
        let Some(reason) = values::optional(record, self.close_reason) else {
            return if at.is_none() && competitor.is_empty() {
                Ok(None)
            } else {
                Err("closed_at and competitor need a close_reason".to_owned())
            };
        };
        let read = CloseReason::from_str_name;
        let reason = values::word("close_reason", reason, "CLOSE_REASON", read)?;
        match reason {
            CloseReason::LostToCompetitor if competitor.is_empty() => {
                Err("close_reason lost_to_competitor needs a competitor".to_owned())
            }
            CloseReason::Other => Err(
                "close_reason other needs a note, which a file cannot bring: give another reason"
                    .to_owned(),
            ),
            CloseReason::Unspecified
            | CloseReason::NoNeed
            | CloseReason::NoBudget
            | CloseReason::NoDecision
            | CloseReason::LostToCompetitor
            | CloseReason::Unreachable
            | CloseReason::Duplicate => Ok(Some(Closed {
                reason,
                competitor: competitor.to_owned(),
                at,
            })),
        }
    }
}

fn moment(record: &StringRecord, place: Option<usize>) -> Result<Option<Time>, String> {
    let text = values::optional(record, place);
    text.map(values::moment).transpose()
}

impl Reader for RowReader {
    type Row = ProspectRow;

    fn read(&mut self, line: u64, record: &StringRecord) -> Result<ProspectRow, String> {
        let prospect_id = values::field(record, self.prospect_id);
        check_id(prospect_id)?;
        let kind = values::optional(record, self.kind)
            .map_or(Ok(ProspectKind::Person), |text| {
                values::word("kind", text, "PROSPECT_KIND", ProspectKind::from_str_name)
            })?;
        let identities = [
            (IdentityKind::Email, self.email),
            (IdentityKind::Phone, self.phone),
        ];
        let identities = identities.into_iter().filter_map(|(kind, place)| {
            let value = values::optional(record, place)?.to_owned();
            let kind = kind as i32;
            Some(Identity { kind, value })
        });
        let name = values::optional(record, self.name).unwrap_or_default();
        let source = values::optional(record, self.source).unwrap_or(SOURCE);
        let row = ProspectRow {
            line,
            kind,
            source: source.to_owned(),
            name: name.to_owned(),
            identities: identities.collect(),
            identified_at: moment(record, self.identified_at)?,
            qualified: self.qualified(record)?,
            closed: self.closed(record)?,
            ..ProspectRow::unknown(prospect_id, moment(record, self.created_at)?)
        };
        row.check(SystemClock.now())?;
        Ok(row)
    }

    fn ignored(&self) -> &[String] {
        &self.ignored
    }
}

#[cfg(test)]
mod tests {
    use csv::StringRecord;

    use super::{ProspectRow, Reader as _, RowReader};

    const HEADING: [&str; 11] = [
        "prospect_id",
        "created_at",
        "email",
        "identified_at",
        "proposition",
        "problem",
        "qualified_at",
        "close_reason",
        "competitor",
        "closed_at",
        "kind",
    ];

    fn read(row: &str) -> Result<ProspectRow, String> {
        let record = StringRecord::from(row.split(',').collect::<Vec<_>>());
        RowReader::new(&HEADING).unwrap().read(2, &record)
    }

    #[test]
    fn a_row_may_tell_a_whole_history() {
        let row = read(
            "1,2024-01-01,a@b.c,2024-01-05,van-repair,van-off-road,2024-01-09,\
             lost-to-competitor,Acme,2024-02-01,organisation",
        );
        let row = row.ok().unwrap();
        let (qualified, closed) = (row.qualified.unwrap(), row.closed.unwrap());
        let told = [row.created_at, row.identified_at, qualified.at, closed.at];
        let told = told.map(|at| at.unwrap().to_string());
        assert_eq!(
            told.map(|at| at[..10].to_owned()),
            ["2024-01-01", "2024-01-05", "2024-01-09", "2024-02-01"]
        );
        assert_eq!(qualified.proposition, "propositions/van-repair");
        assert_eq!(closed.competitor, "Acme");
        let row = read("1,,,,,,,,,,").ok().unwrap();
        assert!(row.qualified.is_none() && row.closed.is_none() && row.created_at.is_none());
    }

    #[test]
    fn a_row_is_whole_or_rejected() {
        for (row, why) in [
            ("1,2024-13-01,,,,,,,,,", "neither a date"),
            (
                "1,2999-01-01,,,,,,,,,",
                "created_at 2999-01-01T00:00:00Z has not come",
            ),
            ("1,,not an address,,,,,,,,", "no e-mail address"),
            ("1,,,2024-01-01,,,,,,,", "identified_at needs"),
            (
                "1,2024-01-02,a@b.c,2024-01-01,,,,,,,",
                "identified_at 2024-01-01T00:00:00Z is before",
            ),
            ("1,,,,van-repair,,,,,,", "give both"),
            ("1,,,,,,2024-01-01,,,,", "give both"),
            (
                "1,2024-01-02,,,p,q,2024-01-01,,,,",
                "qualified_at 2024-01-01T00:00:00Z is before",
            ),
            ("1,,,,,,,,,2024-01-01,", "need a close_reason"),
            ("1,,,,,,,,Acme,,", "need a close_reason"),
            ("1,,,,,,,lost_to_competitor,,,", "needs a competitor"),
            ("1,,,,,,,other,,,", "needs a note"),
            ("1,,,,,,,bored,,,", "is not known"),
            (
                "1,2024-01-02,,,,,,no_need,,2024-01-01,",
                "closed_at 2024-01-01T00:00:00Z is before",
            ),
        ] {
            let said = read(row).err().unwrap();
            assert!(said.contains(why), "{row}: {said}");
        }
    }
}
