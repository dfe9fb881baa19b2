//! An expired deadline says so.
//!
//! tonic drops a handler whose `grpc-timeout` has passed and answers CANCELLED. The contract says
//! DEADLINE_EXCEEDED, so this layer watches the same clock and answers a little earlier, while there is
//! still time for the answer to arrive. The command itself goes on: no handler owns its append.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tonic::Code;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tower::{Layer, Service};

use crate::call::parse_timeout;
use crate::status::status;

/// Adds [`Deadline`] to a service.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct DeadlineLayer;

/// Answers DEADLINE_EXCEEDED when the caller's time is over.
#[derive(Debug, Clone)]
pub(crate) struct Deadline<S>(S);

impl<S> Layer<S> for DeadlineLayer {
    type Service = Deadline<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Deadline(inner)
    }
}

impl<S, B> Service<Request<B>> for Deadline<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let header = request.headers().get("grpc-timeout");
        let timeout = header
            .and_then(|value| value.to_str().ok())
            .and_then(parse_timeout);
        // The name that handlers read stays; tonic's own timer must not fire before this one.
        if let Some(value) = request.headers_mut().remove("grpc-timeout") {
            request.headers_mut().insert(KEPT, value);
        }
        let answer = self.0.call(request);
        let Some(timeout) = timeout else {
            return Box::pin(answer);
        };
        Box::pin(async move {
            tokio::time::timeout(early(timeout), answer).await.unwrap_or_else(|_| {
                let message = "the deadline passed; a command may still take effect: retry with the same \
                               request_id";
                Ok(status(Code::DeadlineExceeded, "DEADLINE", message, []).into_http())
            })
        })
    }
}

/// A tenth of the time, and at most 100 ms, is left for the answer.
fn early(timeout: Duration) -> Duration {
    timeout.saturating_sub((timeout / 10).min(Duration::from_millis(100)))
}

/// Where the caller's timeout is kept for handlers.
pub(crate) const KEPT: &str = "patron-timeout";
