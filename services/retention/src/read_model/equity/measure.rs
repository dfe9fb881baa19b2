//! A statement, measured from the facts of all customers: in one pass, one customer in memory at a time.

use std::ops::ControlFlow;

use eventsourcing::Time;
use journal::Position;
use money::Currency;
use read_model::{Error, Rows};
use retention_domain::ledger::statement::{Account, Line, Movement, Period};
use retention_domain::ledger::{Closed, Cut, Figures, Memo, Valuation};
use runtime::Recorded;
use server::Known;
use uuid::Uuid;

use super::{books, facts, spend};

/// What is measured: a period, between two states of knowledge.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) currency: Currency,
    pub(crate) period: Period,
    /// What was known when the statement before was measured; the first one is its own past.
    then: Known,
    now: Known,
    /// What the statement before says of its end, which is where this one begins.
    begins_with: Option<(i64, i64)>,
}

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measurement {
    pub(crate) figures: Figures,
    pub(crate) movements_digest: [u8; 32],
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unmeasured {
    /// The rows could not be read.
    #[error(transparent)]
    Rows(#[from] Error),
    /// Figures of this size have no place in a statement.
    #[error("the equity of this ledger is beyond 64 bits")]
    TooLarge,
    /// The identity of the statement does not hold: a fault, and nothing to be published.
    #[error("the lines of this statement do not add up")]
    DoesNotAddUp,
    /// The opening is not the last closing: a fault, and nothing to be published.
    #[error("this statement does not begin where the one before ended")]
    DoesNotFollow,
}

impl Scope {
    /// From the end of the statement `before` (or `start`, before the first) to `end`, with what is known now.
    pub(crate) fn following(
        rows: &dyn Rows,
        currency: Currency,
        before: Option<&Closed>,
        (start, end): (Time, Time),
        now: Known,
    ) -> Result<Self, Error> {
        let after = books::valuation_known(rows, currency, &now)?;
        Self::between(rows, currency, before, (start, end), (now, after))
    }

    /// The same as when the period was closed.
    pub(crate) fn of(
        rows: &dyn Rows,
        currency: Currency,
        closed: &Closed,
        journal: Uuid,
    ) -> Result<Self, Error> {
        let before = books::ending_at(rows, currency, closed.start)?;
        let span = (closed.start, closed.end);
        let now = known(journal, &closed.cut);
        let after = books::valuation_of(rows, currency, closed)?;
        Self::between(rows, currency, before.as_ref(), span, (now, after))
    }

    fn between(
        rows: &dyn Rows,
        currency: Currency,
        before: Option<&Closed>,
        (start, end): (Time, Time),
        (now, after): (Known, Valuation),
    ) -> Result<Self, Error> {
        let journal = match &now {
            Known::Before(position) => position.journal,
            Known::At(_) => Uuid::nil(),
        };
        let then = before.map_or_else(|| now.clone(), |closed| known(journal, &closed.cut));
        let period = Period {
            start,
            end,
            before: match before {
                Some(closed) => books::valuation_of(rows, currency, closed)?,
                None => after.clone(),
            },
            after,
        };
        let ended_with = |closed: &Closed| {
            let figures = &closed.figures;
            (figures.counts.closing, figures.lines.closing)
        };
        Ok(Self {
            currency,
            period,
            then,
            now,
            begins_with: before.map(ended_with),
        })
    }

    /// Whether a fact is known, and whether it had been before: what was known once is known for ever.
    fn knows(&self, recorded: &Recorded) -> (bool, bool) {
        let then = self.then.includes(recorded);
        (then || self.now.includes(recorded), then)
    }
}

/// How far the journal was taken into account, as knowledge.
fn known(journal: Uuid, cut: &Cut) -> Known {
    let mut position = Position::start(journal, 0);
    for (partition, next) in cut {
        position.advance(*partition, *next);
    }
    Known::Before(position)
}

/// How far knowledge reaches in each partition; nothing if it is said by time.
pub(crate) fn cut(known: &Known) -> Cut {
    match known {
        Known::At(_) => Cut::new(),
        Known::Before(position) => (0..).zip(position.offsets.iter().copied()).collect(),
    }
}

/// Measures the statement.
pub(crate) fn measure(rows: &dyn Rows, scope: &Scope) -> Result<Measurement, Unmeasured> {
    let mut sum = Some(Movement::default());
    let mut digest = blake3::Hasher::new();
    movements(rows, scope, None, |customer, movement| {
        for (line, count, amount) in movement.entries() {
            digest.update(&entry(customer, line, count, amount));
        }
        sum = sum.and_then(|sum| sum.plus(movement));
        match sum {
            Some(_) => ControlFlow::Continue(()),
            None => ControlFlow::Break(()),
        }
    })?;
    let sum = sum.ok_or(Unmeasured::TooLarge)?;
    if !(sum.lines.add_up() && sum.counts.add_up()) {
        return Err(Unmeasured::DoesNotAddUp);
    }
    let begins_with = (sum.counts.opening, sum.lines.opening);
    if scope
        .begins_with
        .is_some_and(|before| before != begins_with)
    {
        return Err(Unmeasured::DoesNotFollow);
    }
    Ok(Measurement {
        figures: Figures {
            counts: sum.counts,
            lines: sum.lines,
            memo: Memo {
                acquisition_spend: spent(rows, scope)?,
                realised_margin: sum.realised_margin,
                under_notice: sum.under_notice,
            },
        },
        movements_digest: *digest.finalize().as_bytes(),
    })
}

/// Shows what each customer contributes, by id, from the first one behind `after`, until `each` breaks.
pub(crate) fn movements(
    rows: &dyn Rows,
    scope: &Scope,
    after: Option<Uuid>,
    mut each: impl FnMut(Uuid, &Movement) -> ControlFlow<()>,
) -> Result<(), Error> {
    facts::visit(rows, scope.currency, after, |customer, facts| {
        let mut account = Account::new(&scope.period);
        for kept in facts {
            let (now, then) = scope.knows(&kept.recorded);
            if now {
                account.take(&kept.fact, then);
            }
        }
        each(customer, &account.movement())
    })
}

/// What was spent to win customers, among the facts that are new in this period.
fn spent(rows: &dyn Rows, scope: &Scope) -> Result<i64, Unmeasured> {
    let Period { start, end, .. } = scope.period;
    let all = spend::all(rows, scope.currency)?;
    let news = all.iter().filter(|spent| {
        let (now, then) = scope.knows(&spent.recorded);
        now && spent.incurred_at < end && !(then && spent.incurred_at < start)
    });
    // In 128 bits, in which it fits whatever comes first: a reversal may take back what is too much.
    let sum: i128 = news.map(|spent| i128::from(spent.minor_units)).sum();
    i64::try_from(sum).map_err(|_| Unmeasured::TooLarge)
}

/// What a customer contributes to a line, as the digest of a statement sees it; its contract is in
/// `ledger_events.proto`.
fn entry(customer: Uuid, line: Line, count: i64, amount: i64) -> [u8; 40] {
    let mut entry = [0; 40];
    let parts = customer.as_bytes().iter().copied();
    let numbers = [
        i64::from(crate::wire::ledger::line_out(line)),
        count,
        amount,
    ];
    let parts = parts.chain(numbers.into_iter().flat_map(i64::to_be_bytes));
    for (place, byte) in entry.iter_mut().zip(parts) {
        *place = byte;
    }
    entry
}
