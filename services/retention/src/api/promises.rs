//! `PromiseService`.

use eventsourcing::Sealed;
use patron_proto::retention::v1 as proto;
use patron_proto::retention::v1::promise_service_server::PromiseService;
use read_model::{Error, Rows};
use retention_domain::Command;
use retention_domain::id::PromiseId;
use retention_domain::promise::{AssessPromise, MakePromise};
use runtime::{Work, version};
use server::{Moment, Opener, Page, asked, moment, parse, present, reply_at, timestamp};
use tonic::{Request, Response, Status};
use uuid::Uuid;
use vault::Field;

use super::when;
use crate::desk::Desk;
use crate::read_model::customers;
use crate::read_model::ledger::{self, Line, OfBenefit};
use crate::wire::promise::{Promised, finding, promise_id, promise_out, terms};
use crate::wire::{customer_id, promise_name, proposition_name};

/// `PromiseService`.
#[derive(Debug, Clone)]
pub(crate) struct Promises(pub(crate) Desk);

#[tonic::async_trait]
impl PromiseService for Promises {
    async fn make_promise(
        &self,
        request: Request<proto::MakePromiseRequest>,
    ) -> Result<Response<proto::Promise>, Status> {
        let (call, message) = server::open(request)?;
        let id = customer_id("parent", &message.parent)?;
        let request_id: Uuid = parse("request_id", &message.request_id)?;
        let written = present("promise", message.promise.as_ref())?;
        let promised = present("promise.terms", written.terms.as_ref())?;
        let made = promise_id(promised, request_id, 0)?;
        let terms = terms(&Promised {
            terms: promised,
            proposition: &written.proposition,
            presentation_id: &written.presentation_id,
            made_by: &written.made_by,
        })?;
        let shown = shown(made.clone());
        let at = message.occurred_at;
        let make = move |work: &Work<'_>| {
            Command::MakePromise(Box::new(MakePromise {
                promise_id: made.clone(),
                terms: terms.clone(),
                when: when(work, at.as_ref()),
            }))
        };
        self.0.on_customer(&call, &message, id, make, shown).await
    }

    async fn assess_promise(
        &self,
        request: Request<proto::AssessPromiseRequest>,
    ) -> Result<Response<proto::Promise>, Status> {
        let (call, message) = server::open(request)?;
        let (id, promise_id) = promise_name("name", &message.name)?;
        let request_id: Uuid = parse("request_id", &message.request_id)?;
        let finding = finding(message.verdict, message.perceived_score)?;
        let assessed_at = message.assessed_at;
        let shown = shown(promise_id.clone());
        let texts = words(Field::Evidence, &message.evidence);
        let make = move |work: &Work<'_>, boxes: Vec<Sealed>| {
            Command::AssessPromise(AssessPromise {
                request_id,
                promise_id: promise_id.clone(),
                finding,
                evidence: boxes.into_iter().next(),
                when: when(work, assessed_at.as_ref()),
            })
        };
        self.0
            .on_person(&call, &message, id, texts, make, shown)
            .await
    }

    async fn repair_promise(
        &self,
        request: Request<proto::RepairPromiseRequest>,
    ) -> Result<Response<proto::Promise>, Status> {
        let (call, message) = server::open(request)?;
        let (id, promise_id) = promise_name("name", &message.name)?;
        let shown = shown(promise_id.clone());
        let at = message.occurred_at;
        let make = move |work: &Work<'_>| Command::RepairPromise {
            promise_id: promise_id.clone(),
            when: when(work, at.as_ref()),
        };
        self.0.on_customer(&call, &message, id, make, shown).await
    }

    async fn waive_promise(
        &self,
        request: Request<proto::WaivePromiseRequest>,
    ) -> Result<Response<proto::Promise>, Status> {
        let (call, message) = server::open(request)?;
        let (id, promise_id) = promise_name("name", &message.name)?;
        let shown = shown(promise_id.clone());
        let texts = words(Field::Note, &message.note);
        let at = message.occurred_at;
        let make = move |work: &Work<'_>, boxes: Vec<Sealed>| Command::WaivePromise {
            promise_id: promise_id.clone(),
            note: boxes.into_iter().next(),
            when: when(work, at.as_ref()),
        };
        self.0
            .on_person(&call, &message, id, texts, make, shown)
            .await
    }

    async fn get_promise(
        &self,
        request: Request<proto::GetPromiseRequest>,
    ) -> Result<Response<proto::Promise>, Status> {
        let (call, message) = server::open(request)?;
        let (id, promise_id) = promise_name("name", &message.name)?;
        let shown = shown(promise_id);
        let read = |rows: &dyn Rows, opener: &Opener| shown(rows, id, opener);
        self.0
            .read_person(&call, id, &message.min_position, &message.name, read)
            .await
    }

    async fn list_promises(
        &self,
        request: Request<proto::ListPromisesRequest>,
    ) -> Result<Response<proto::ListPromisesResponse>, Status> {
        let (call, message) = server::open(request)?;
        let id = customer_id("parent", &message.parent)?;
        let asked = ["promises", &message.parent];
        let page = Page::parse(message.page_size, &message.page_token, &asked)?;
        let after = page.after_text()?;
        let read = |rows: &dyn Rows, opener: &Opener| {
            let Some(state) = customers::get(rows, id)? else {
                return Ok(None);
            };
            let version = version(rows, &message.parent)?;
            let behind = |id: &PromiseId| {
                after
                    .as_ref()
                    .is_none_or(|after| id.as_str() > after.as_str())
            };
            let found = state.promises.iter().filter(|(promise, _)| behind(promise));
            let found = found.take(page.wanted()).collect();
            let paged = page.cut(found, |(promise, _)| promise.as_str().as_bytes().to_vec());
            let rows = paged.rows.into_iter();
            Ok(Some(proto::ListPromisesResponse {
                promises: rows
                    .map(|(name, it)| promise_out(id, name, it, version, opener))
                    .collect(),
                next_page_token: paged.next_page_token,
            }))
        };
        self.0
            .read_person(&call, id, &message.min_position, &message.parent, read)
            .await
    }

    async fn get_promise_ledger(
        &self,
        request: Request<proto::GetPromiseLedgerRequest>,
    ) -> Result<Response<proto::PromiseLedger>, Status> {
        let (call, message) = server::open(request)?;
        let only = Some(message.proposition.as_str()).filter(|name| !name.is_empty());
        let only = only
            .map(|name| proposition_name("proposition", name))
            .transpose()?;
        let moment = moment(&self.0.engine, &call, asked!(message)).await?;
        let seen = |_: &dyn Rows| Ok(Some(()));
        self.0
            .read(&call, &message.min_position, "promise ledger", seen)
            .await?;
        let ledger = server::aside(&self.0.engine, move |rows| {
            let lines = ledger::lines(rows, only.as_ref(), &moment)?;
            Ok(ledger_out(&lines, &moment))
        });
        Ok(reply_at(ledger.await?, &self.0.engine.position()))
    }
}

/// Words to be sealed, if there are any.
fn words(field: Field, text: &str) -> Vec<(Field, String)> {
    let text = Some(text.trim()).filter(|text| !text.is_empty());
    text.map(|text| (field, text.to_owned()))
        .into_iter()
        .collect()
}

/// Reads the promise that a command was about.
fn shown(
    promise_id: PromiseId,
) -> impl Fn(&dyn Rows, Uuid, &Opener) -> Result<Option<proto::Promise>, Error> {
    move |rows, id, opener| {
        let Some(state) = customers::get(rows, id)? else {
            return Ok(None);
        };
        let version = version(rows, &format!("customers/{id}"))?;
        let promise = state.promises.get(&promise_id);
        Ok(promise.map(|promise| promise_out(id, &promise_id, promise, version, opener)))
    }
}

fn ledger_out(lines: &[OfBenefit], moment: &Moment) -> proto::PromiseLedger {
    let total = lines
        .iter()
        .fold(Line::default(), |total, of| total.plus(of.line));
    proto::PromiseLedger {
        lines: lines
            .iter()
            .map(|of| line_out(&of.proposition, &of.benefit_id, of.line))
            .collect(),
        total: Some(line_out("", "", total)),
        as_of: Some(timestamp(moment.as_of)),
        known_at_position: moment.known.token(),
    }
}

fn line_out(proposition: &str, benefit_id: &str, line: Line) -> proto::PromiseLedgerLine {
    let interval = line.interval();
    proto::PromiseLedgerLine {
        proposition: proposition.to_owned(),
        benefit_id: benefit_id.to_owned(),
        made: line.made,
        kept: line.kept,
        broken: line.broken(),
        repaired: line.repaired,
        waived: line.waived,
        open: line.open,
        kept_rate: line.kept_rate(),
        kept_rate_lower: interval.map(|interval| interval.low),
        kept_rate_upper: interval.map(|interval| interval.high),
        mean_gap: line.mean_gap(),
        overdue: line.overdue,
        repaired_rate: line.repaired_rate(),
    }
}
