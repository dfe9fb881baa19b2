//! How many requests of which method ended how, and how long they took.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Instant;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tonic::Code;
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, Request, Response};
use tower::{Layer, Service};

/// The codes are numbered from 0 to this.
const LAST_CODE: i32 = 16;
/// Upper ends of the classes of durations, in seconds.
const CLASSES: [f64; 13] = [
    0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Name {
    service: String,
    method: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ending {
    service: String,
    method: String,
    code: String,
}

/// The methods of the contract by their paths. What else is asked for is not counted: whoever asks could make
/// up names without end.
#[derive(Debug)]
pub(crate) struct Requests {
    methods: HashMap<String, Arc<Method>>,
    under_way: Gauge,
}

/// One method. Its series begin with its first request.
#[derive(Debug)]
struct Method {
    name: Name,
    ended: Family<Ending, Counter>,
    took: Family<Name, Histogram, fn() -> Histogram>,
    duration: OnceLock<Histogram>,
    endings: [OnceLock<Counter>; LAST_CODE as usize + 1],
}

impl Requests {
    pub(crate) fn registered(registry: &mut Registry) -> Self {
        let ended = Family::default();
        let took = Family::new_with_constructor((|| Histogram::new(CLASSES)) as fn() -> Histogram);
        let under_way = Gauge::default();
        registry.register("requests", "Requests by how they ended", ended.clone());
        registry.register_with_unit(
            "request_duration",
            "How long requests took; those that stream, until they began to",
            Unit::Seconds,
            took.clone(),
        );
        let help = "Requests that have not been answered yet";
        registry.register("requests_under_way", help, under_way.clone());
        let services = patron_proto::descriptor_pool().services();
        let methods = services.flat_map(|service| {
            let of_service = service.methods().map(|method| Name {
                service: service.full_name().to_owned(),
                method: method.name().to_owned(),
            });
            of_service.collect::<Vec<_>>()
        });
        let methods = methods.map(|name| {
            let path = format!("/{}/{}", name.service, name.method);
            let method = Method {
                name,
                ended: ended.clone(),
                took: took.clone(),
                duration: OnceLock::new(),
                endings: Default::default(),
            };
            (path, Arc::new(method))
        });
        Self {
            methods: methods.collect(),
            under_way,
        }
    }
}

impl Method {
    fn ended(&self, code: Code, since: Instant) {
        let duration = self
            .duration
            .get_or_init(|| self.took.get_or_create(&self.name).clone());
        duration.observe(since.elapsed().as_secs_f64());
        let index = usize::try_from(i32::from(code)).unwrap_or_default();
        let Some(ending) = self.endings.get(index) else {
            return;
        };
        let counter = ending.get_or_init(|| {
            let Name { service, method } = self.name.clone();
            let code = format!("{code:?}");
            let ending = Ending {
                service,
                method,
                code,
            };
            self.ended.get_or_create(&ending).clone()
        });
        counter.inc();
    }
}

/// Adds [`Measure`] to a service.
#[derive(Debug, Clone)]
pub(crate) struct MeasureLayer(pub(crate) Arc<Requests>);

/// Counts and times what passes.
#[derive(Debug, Clone)]
pub(crate) struct Measure<S> {
    inner: S,
    requests: Arc<Requests>,
}

impl<S> Layer<S> for MeasureLayer {
    type Service = Measure<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Measure {
            inner,
            requests: Arc::clone(&self.0),
        }
    }
}

impl<S, B> Service<Request<B>> for Measure<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
    S::Future: Unpin,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Measured<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let method = self.requests.methods.get(request.uri().path());
        let under_way = method.map(|method| UnderWay {
            method: Arc::clone(method),
            gauge: self.requests.under_way.clone(),
            since: Instant::now(),
            // Nobody waits for an answer that was never given.
            code: Code::Cancelled,
        });
        if let Some(under_way) = &under_way {
            under_way.gauge.inc();
        }
        Measured {
            inner: self.inner.call(request),
            under_way,
        }
    }
}

/// An answer to come.
#[derive(Debug)]
pub(crate) struct Measured<F> {
    inner: F,
    under_way: Option<UnderWay>,
}

/// Dropped, the request has ended.
#[derive(Debug)]
struct UnderWay {
    method: Arc<Method>,
    gauge: Gauge,
    since: Instant,
    code: Code,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.gauge.dec();
        self.method.ended(self.code, self.since);
    }
}

impl<F, E> Future for Measured<F>
where
    F: Future<Output = Result<Response<Body>, E>> + Unpin,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = std::task::ready!(Pin::new(&mut self.inner).poll(context));
        if let Some(mut under_way) = self.under_way.take() {
            under_way.code = match &answer {
                Ok(response) => code_of(response.headers()),
                Err(_) => Code::Internal,
            };
        }
        Poll::Ready(answer)
    }
}

/// A refusal is in the headers; an answer has its status behind it, and is OK when it begins.
fn code_of(headers: &HeaderMap) -> Code {
    let status = headers.get("grpc-status");
    status.map_or(Code::Ok, |status| Code::from_bytes(status.as_bytes()))
}
