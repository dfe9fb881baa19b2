//! `ListEquityMovements`: the customers behind a line, measured again at the recorded cut.
//!
//! Before the first page of a statement is shown by this instance, the whole statement is measured again and
//! compared with what was closed, digest and all. After that a page costs a page.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::{MutexGuard, PoisonError};

use journal::Position;
use money::{Currency, Money};
use patron_proto::retention::v1 as proto;
use read_model::{Error, Rows};
use retention_domain::ledger::statement::{Line, Movement};
use retention_domain::ledger::{Closed, StatementId};
use server::{Call, Page, min_position, money_out, not_found, reply_at, unavailable};
use tonic::{Response, Status};
use uuid::Uuid;

use super::{Ledgers, StatementKey, fault};
use crate::read_model::equity::books;
use crate::read_model::equity::measure::{Measurement, Scope, Unmeasured, measure, movements};
use crate::wire::ledger::{line, statement_name};

impl Ledgers {
    pub(super) async fn movements(
        &self,
        call: &Call,
        message: &proto::ListEquityMovementsRequest,
    ) -> Result<Response<proto::ListEquityMovementsResponse>, Status> {
        let (currency, id) = statement_name("parent", &message.parent)?;
        let line = line("line", message.line)?;
        let asked = ["movements", &message.parent, &message.line.to_string()];
        let page = Page::parse(message.page_size, &message.page_token, &asked)?;
        let (after, wanted) = (page.after_uuid()?, page.wanted());
        let closed = self.closed(call, message, currency, &id).await?;
        self.verify(currency, closed.clone()).await?;
        let figures = Movement {
            lines: closed.figures.lines,
            ..Movement::default()
        };
        let (_, total) = figures.of(line);
        let engine = &self.desk.engine;
        let (store, journal) = (engine.store().clone(), engine.journal_id());
        let listing = tokio::task::spawn_blocking(move || {
            store.read(|rows| {
                let scope = Scope::of(rows, currency, &closed, journal)?;
                listed(rows, &scope, line, after, wanted)
            })
        });
        let found = listing.await.map_err(|error| fault(&error))?;
        let found = found.map_err(|error: Error| unavailable(&error.to_string()))?;
        let paged = page.cut(found, |(customer, _, _)| customer.as_bytes().to_vec());
        let money = |minor_units| Some(money_out(Money::new(currency, minor_units)));
        let shown = |(customer, count, amount): (Uuid, i64, i64)| proto::EquityMovement {
            customer: format!("customers/{customer}"),
            count,
            amount: money(amount),
        };
        let response = proto::ListEquityMovementsResponse {
            movements: paged.rows.into_iter().map(shown).collect(),
            total: money(total),
            next_page_token: paged.next_page_token,
        };
        Ok(reply_at(response, &engine.position()))
    }

    /// The statement, once the facts that it rests on are here, of all partitions.
    async fn closed(
        &self,
        call: &Call,
        message: &proto::ListEquityMovementsRequest,
        currency: Currency,
        id: &StatementId,
    ) -> Result<Closed, Status> {
        let engine = &self.desk.engine;
        let position = min_position(&message.min_position)?;
        let read = |rows: &dyn Rows| books::statement(rows, currency, id);
        let read = engine.read(position.as_ref(), call.deadline, read).await;
        let (closed, _) = read.map_err(|why| server::unread(&why))?;
        let closed = closed
            .map_err(|error| unavailable(&error.to_string()))?
            .ok_or_else(|| not_found(&message.parent))?;
        let mut rests_on = Position::start(engine.journal_id(), 0);
        for (partition, next) in &closed.cut {
            rests_on.advance(*partition, *next);
        }
        let waited = engine.read(Some(&rests_on), call.deadline, |_| ()).await;
        waited.map_err(|why| server::unread(&why))?;
        Ok(closed)
    }

    /// Measures a closed statement again, once since the start, and refuses to explain one that differs.
    async fn verify(&self, currency: Currency, closed: Closed) -> Result<(), Status> {
        let key = (currency, closed.statement_id.clone());
        if self.lock().contains(&key) {
            return Ok(());
        }
        let engine = &self.desk.engine;
        let (store, journal) = (engine.store().clone(), engine.journal_id());
        let (figures, movements_digest) = (closed.figures, closed.movements_digest);
        let measuring = tokio::task::spawn_blocking(move || {
            store.read(|rows| -> Result<Measurement, Unmeasured> {
                measure(rows, &Scope::of(rows, currency, &closed, journal)?)
            })
        });
        let again = measuring.await.map_err(|error| fault(&error))?;
        let again = again.map_err(|why| fault(&why))?;
        let closed = Measurement {
            figures,
            movements_digest,
        };
        if again != closed {
            return Err(fault(
                &"this statement, measured again, is not the one that was closed; the rows of this instance cannot be right: rebuild them",
            ));
        }
        self.lock().insert(key);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<StatementKey>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Customers listed under a line, with count and amount.
fn listed(
    rows: &dyn Rows,
    scope: &Scope,
    line: Line,
    after: Option<Uuid>,
    wanted: usize,
) -> Result<Vec<(Uuid, i64, i64)>, Error> {
    let mut found = Vec::new();
    movements(rows, scope, after, |customer, movement| {
        let (count, amount) = movement.of(line);
        if count != 0 || amount != 0 {
            found.push((customer, count, amount));
        }
        if found.len() < wanted {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    Ok(found)
}
