//! One request of the API: admitted, computed on a thread that may block, stopped when its time is up or nobody waits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Response, StatusCode};
use narthex_api::{Api, ApiError, Endpoint, ErrorKind, Parameters, Request};
use narthex_promql::{Interrupt, StopReason};
use tokio::task::spawn_blocking;
use tokio::time::{timeout, timeout_at};

use crate::body::{self, BodySink, Encoding, Start, StopOnDrop};
use crate::server::{Server, now_ms};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// A query that was told to stop has that long to say so; then it is answered for.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// What is asked for, and how the answer may be written.
pub(crate) struct Call {
    pub(crate) endpoint: Endpoint,
    pub(crate) parameters: Parameters,
    pub(crate) encoding: Encoding,
}

/// Computes an answer.
pub(crate) async fn answer(server: &Arc<Server>, api: &Api, call: Call) -> Response<Body> {
    let begun = Instant::now();
    let interrupt = Interrupt::new();
    // Dropped with this future when the client leaves.
    let stop = StopOnDrop(interrupt.clone());
    let encoding = call.encoding;
    let job = Job { api: api.clone(), call, interrupt: interrupt.clone(), begun };
    let limit =
        job.timeout().map_or(server.options.query_timeout, |own| own.min(server.options.query_timeout));
    let permit = match server.gate.enter(limit).await {
        Ok(permit) => permit,
        Err(refused) => return error_response(&refused, Retry::Soon),
    };
    let (sink, mut source) = body::channel(encoding);
    spawn_blocking(move || {
        job.run(sink);
        drop(permit);
    });
    let deadline = tokio::time::Instant::from_std(begun) + limit;
    let started = match timeout_at(deadline, &mut source.start).await {
        Ok(started) => started,
        Err(_) => {
            interrupt.stop(StopReason::Expired);
            timeout(STOP_GRACE, &mut source.start).await.unwrap_or_else(|_| Ok(Err(timed_out())))
        }
    };
    match started {
        Ok(Ok(start)) => success(start, source, stop),
        Ok(Err(error)) => error_response(&error, Retry::AsYouLike),
        Err(_) => {
            let error = ApiError::new(ErrorKind::Internal, "the computation of the answer broke off");
            error_response(&error, Retry::AsYouLike)
        }
    }
}

fn timed_out() -> ApiError {
    ApiError::new(ErrorKind::Timeout, "query timed out in expression evaluation")
}

fn success(start: Start, source: body::BodySource, stop: StopOnDrop) -> Response<Body> {
    let mut response = body::response(start, source, stop);
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// Whether to say when to come back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Retry {
    /// The server is busy now.
    Soon,
    /// Another attempt would end the same way.
    AsYouLike,
}

/// An error as JSON.
pub(crate) fn error_response(error: &ApiError, retry: Retry) -> Response<Body> {
    let mut response = Response::new(Body::from(error.body()));
    let status = StatusCode::from_u16(error.kind.status());
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    if retry == Retry::Soon {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

/// A request on its way to a thread.
struct Job {
    api: Api,
    call: Call,
    interrupt: Interrupt,
    begun: Instant,
}

impl Job {
    fn timeout(&self) -> Option<Duration> {
        narthex_api::api::timeout_of(&self.call.parameters)
    }

    fn run(self, mut sink: BodySink) {
        let begun = self.begun;
        let request = Request {
            endpoint: self.call.endpoint,
            parameters: self.call.parameters,
            now_ms: now_ms(),
            interrupt: self.interrupt,
            elapsed: &|| begun.elapsed(),
        };
        match self.api.answer(&request) {
            Err(error) => sink.fail(error),
            Ok(answer) => {
                // An error means that the client has left.
                let _ = answer.write(&mut sink).and_then(|()| sink.finish());
            }
        }
    }
}
