//! `StreamCustomerValues`: all customers of a ledger at one moment, page by page, as fast as they are taken.

use std::ops::ControlFlow;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use money::Currency;
use patron_proto::retention::v1 as proto;
use patron_proto::retention::v1::value_service_server::ValueService;
use read_model::{Error, Rows};
use retention_domain::ledger::Refusal;
use server::{Call, Moment, refusal, unavailable};
use tonic::{Response, Status};
use uuid::Uuid;

use super::{Asked, Basis, Values, within};
use crate::desk::Desk;
use crate::read_model::equity::facts;
use crate::wire::ledger::{ledger_name, optional_method};

/// How many customers are valued on one look at the rows.
const PAGE: usize = 4_096;

impl Values {
    pub(super) async fn stream(
        &self,
        call: &Call,
        message: &proto::StreamCustomerValuesRequest,
    ) -> Result<Response<<Self as ValueService>::StreamCustomerValuesStream>, Status> {
        let currency = ledger_name("parent", &message.parent)?;
        let asked = Asked {
            method: optional_method("method", message.method)?,
            within: within(message.within_days)?,
        };
        let engine = &self.0.engine;
        let moment = server::moment(engine, call, server::asked!(message)).await?;
        let scoring = Scoring {
            desk: self.0.clone(),
            currency,
            moment,
            asked,
        };
        // A refusal is the answer, and not the first item.
        let first = scoring.clone().page(None).await?;
        let pages = stream::try_unfold(first.last, move |after| {
            let scoring = scoring.clone();
            async move {
                if after.is_none() {
                    return Ok(None);
                }
                let page = scoring.page(after).await?;
                let last = page.last;
                Ok::<_, Status>(Some((page.values, last)))
            }
        });
        let pages = stream::once(async { Ok(first.values) }).chain(pages);
        let values = pages.map_ok(|values| stream::iter(values.into_iter().map(Ok)));
        let values = values.try_flatten().enumerate();
        let items = values.map(|(n, value)| value.map(|value| item(value, n == 0)));
        Ok(Response::new(Box::pin(items)))
    }
}

/// What is the same for all is said once.
fn item(value: proto::CustomerValue, is_first: bool) -> proto::StreamCustomerValuesResponse {
    let mut value = proto::CustomerValue {
        meaning: String::new(),
        ..value
    };
    if !is_first {
        value.assumptions = None;
        value.purchases = None;
        value.spend = None;
    }
    proto::StreamCustomerValuesResponse { value: Some(value) }
}

/// What is sent.
#[derive(Clone)]
struct Scoring {
    desk: Desk,
    currency: Currency,
    moment: Moment,
    asked: Asked,
}

/// Some customers, and the last one if there may be more.
#[derive(Debug, Default)]
struct Page {
    last: Option<Uuid>,
    values: Vec<proto::CustomerValue>,
}

impl Scoring {
    /// The customers behind `after`, valued beside the threads that serve. Facts are only ever added, so the
    /// pages are of one moment whatever happens between them.
    async fn page(self, after: Option<Uuid>) -> Result<Page, Status> {
        let valuing = tokio::task::spawn_blocking(move || {
            let store = self.desk.engine.store();
            store.read(|rows| self.valued(rows, after))
        });
        let page = valuing
            .await
            .map_err(|error| unavailable(&error.to_string()))?;
        page.map_err(|error| unavailable(&error.to_string()))?
            .map_err(|refused| refusal(&refused))
    }

    fn valued(&self, rows: &dyn Rows, after: Option<Uuid>) -> Result<Result<Page, Refusal>, Error> {
        let basis = match Basis::of(rows, self.currency, &self.moment, self.asked.method)? {
            Ok(basis) => basis,
            Err(refused) => return Ok(Err(refused)),
        };
        let mut page = Page::default();
        let mut seen = 0;
        facts::visit(rows, self.currency, after, |id, facts| {
            seen += 1;
            let value = basis.value(id, facts, &self.moment, self.asked.within);
            page.values.extend(value);
            if seen < PAGE {
                return ControlFlow::Continue(());
            }
            page.last = Some(id);
            ControlFlow::Break(())
        })?;
        Ok(Ok(page))
    }
}
