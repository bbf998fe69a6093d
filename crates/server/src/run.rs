//! One request of the API: admitted, computed on a thread that may block, stopped when its time is up or nobody waits.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, VARY};
use hyper::{Response, StatusCode};
use narthex_api::{Api, ApiError, Endpoint, ErrorKind, Format, Parameters, Request};
use narthex_promql::{Interrupt, StopReason};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::oneshot::Receiver;
use tokio::sync::oneshot::error::RecvError;
use tokio::task::spawn_blocking;
use tokio::time::{timeout, timeout_at};

use crate::body::{self, Body, BodySink, Encoding, Start, Started, StopOnDrop};
use crate::seats::Seat;
use crate::server::{Server, now_ms};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// A query that was told to stop has that long to say so; then it is answered for.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// What is asked for, and how the answer may be written.
pub(crate) struct Call {
    pub(crate) endpoint: Endpoint,
    pub(crate) parameters: Parameters,
    pub(crate) encoding: Encoding,
    /// Of the formats of answers, where there are several to choose from.
    pub(crate) format: Option<&'static Format>,
}

/// Computes an answer.
pub(crate) async fn answer(server: &Arc<Server>, api: &Api, call: Call) -> Response<Body> {
    let begun = Instant::now();
    let interrupt = Interrupt::new();
    // Dropped with this future when the client leaves.
    let stop = StopOnDrop(interrupt.clone());
    let (encoding, format) = (call.encoding, call.format);
    let job = Job { api: api.clone(), call, interrupt: interrupt.clone(), begun };
    let limit =
        job.timeout().map_or(server.options.query_timeout, |own| own.min(server.options.query_timeout));
    let permit = match server.gate.enter(limit).await {
        Ok(permit) => permit,
        Err(refused) => return error_response(&refused, Retry::Soon),
    };
    let (sink, mut start) = body::channel(encoding);
    let begun_at_once = begin(server, job, sink, permit, &mut start).await;
    let deadline = tokio::time::Instant::from_std(begun) + limit;
    let started = match begun_at_once {
        Some(started) => started,
        None => match timeout_at(deadline, &mut start).await {
            Ok(started) => started,
            Err(_) => {
                interrupt.stop(StopReason::Expired);
                timeout(STOP_GRACE, &mut start).await.unwrap_or_else(|_| Ok(Err(timed_out())))
            }
        },
    };
    match started {
        Ok(Ok(start)) => success(start, stop, format),
        Ok(Err(error)) => error_response(&error, Retry::AsYouLike),
        Err(_) => {
            let error = ApiError::new(ErrorKind::Internal, "the computation of the answer broke off");
            error_response(&error, Retry::AsYouLike)
        }
    }
}

/// Has the job done: by this thread, if there is a seat, otherwise by one of its own. The outcome, if it comes before
/// the watchman: most requests end without anybody having to set an alarm.
async fn begin(
    server: &Server,
    job: Job,
    sink: BodySink,
    permit: OwnedSemaphorePermit,
    start: &mut Receiver<Started>,
) -> Option<Result<Started, RecvError>> {
    let Some(seat) = Seat::take(&server.seats).await else {
        spawn_blocking(move || {
            job.run(sink);
            drop(permit);
        });
        return None;
    };
    // This thread turns to it as soon as this task waits.
    tokio::spawn(async move {
        job.run(sink);
        drop((permit, seat));
    });
    let mut has_waited = false;
    poll_fn(|context| match Pin::new(&mut *start).poll(context) {
        Poll::Ready(started) => Poll::Ready(Some(started)),
        Poll::Pending if has_waited => Poll::Ready(None),
        Poll::Pending => {
            has_waited = true;
            Poll::Pending
        }
    })
    .await
}

fn timed_out() -> ApiError {
    ApiError::new(ErrorKind::Timeout, "query timed out in expression evaluation")
}

fn success(start: Start, stop: StopOnDrop, format: Option<&'static Format>) -> Response<Body> {
    let mut response = body::response(start, stop);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, format.map_or(JSON, |format| HeaderValue::from_static(format.media_type)));
    if format.is_some() {
        headers.append(VARY, HeaderValue::from_static("Accept"));
    }
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
                let written = match self.call.format {
                    Some(format) => answer.write_as(format, &mut sink),
                    None => answer.write(&mut sink),
                };
                // An error means that the client has left.
                let _ = written.and_then(|()| sink.finish());
            }
        }
    }
}
