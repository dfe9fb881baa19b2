//! `/livez`, `/readyz` and `/metrics`, for whoever does not speak gRPC.
//!
//! They stand before everything else: gRPC-Web takes plain HTTP/1 requests for broken ones.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::Either;
use tonic::body::Body;
use tonic::codegen::http::header::{CONTENT_TYPE, HeaderValue};
use tonic::codegen::http::{Request, Response, StatusCode};
use tower::{Layer, Service};

use crate::Readiness;
use crate::metrics::{self, Metrics};

/// Adds [`Probes`] to a service.
#[derive(Clone)]
pub(crate) struct ProbesLayer {
    pub(crate) readiness: Readiness,
    pub(crate) metrics: Arc<Metrics>,
}

/// Answers the probes, and hands on everything else.
#[derive(Clone)]
pub(crate) struct Probes<S> {
    inner: S,
    asked: ProbesLayer,
}

impl<S> Layer<S> for ProbesLayer {
    type Service = Probes<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Probes {
            inner,
            asked: self.clone(),
        }
    }
}

impl<S, B> Service<Request<B>> for Probes<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<Ready<Result<Self::Response, Self::Error>>, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let answer = match request.uri().path() {
            "/livez" => plain(StatusCode::OK, "alive".to_owned()),
            "/readyz" => match (self.asked.readiness)() {
                Ok(()) => plain(StatusCode::OK, "ready".to_owned()),
                Err(why) => plain(StatusCode::SERVICE_UNAVAILABLE, why),
            },
            "/metrics" => told(&self.asked.metrics),
            _ => return Either::Right(self.inner.call(request)),
        };
        Either::Left(ready(Ok(answer)))
    }
}

fn told(metrics: &Metrics) -> Response<Body> {
    let Ok(text) = metrics.text() else {
        let why = "the read model could not be read".to_owned();
        return plain(StatusCode::INTERNAL_SERVER_ERROR, why);
    };
    let mut response = Response::new(Body::new(text));
    let kind = HeaderValue::from_static(metrics::CONTENT_TYPE);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn plain(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(Body::new(text + "\n"));
    *response.status_mut() = status;
    response
}
