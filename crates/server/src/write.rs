//! `/api/v1/write`: the receiver of remote write 1.0 and 2.0.

use std::sync::Arc;

use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Request, Response, StatusCode};
use narthex_remote::{DecodeError, Ingest, ReceiveError, Received, Version, decompress, receive};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use crate::body::Body;
use crate::plain::text;
use crate::server::{Server, now_ms};
use crate::upload;

/// Bytes that one permit stands for.
const PERMIT_BYTES: usize = 1024;
const SAMPLES_WRITTEN: HeaderName = HeaderName::from_static("x-prometheus-remote-write-samples-written");
const HISTOGRAMS_WRITTEN: HeaderName =
    HeaderName::from_static("x-prometheus-remote-write-histograms-written");
const EXEMPLARS_WRITTEN: HeaderName = HeaderName::from_static("x-prometheus-remote-write-exemplars-written");

/// Memory for bodies: those that come in wait until there is some.
pub(crate) struct WriteBudget {
    /// For bodies as they come.
    compressed: Arc<Semaphore>,
    /// For decompressed ones.
    decompressed: Arc<Semaphore>,
}

impl WriteBudget {
    /// As much as one body of the greatest length needs.
    pub(crate) fn new(bytes_max: usize) -> WriteBudget {
        let budget = || Arc::new(Semaphore::new(permits(bytes_max) as usize));
        WriteBudget { compressed: budget(), decompressed: budget() }
    }
}

fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX).max(1)
}

async fn reserve(budget: &Arc<Semaphore>, bytes: usize) -> Option<OwnedSemaphorePermit> {
    Arc::clone(budget).acquire_many_owned(permits(bytes)).await.ok()
}

/// Receives a request.
pub(crate) async fn handle(
    server: &Arc<Server>,
    ingest: &Arc<dyn Ingest>,
    request: Request<Incoming>,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let version = match version_of(&head.headers) {
        Ok(version) => version,
        Err(what) => return text(StatusCode::UNSUPPORTED_MEDIA_TYPE, what),
    };
    let bytes_max = server.options.write_bytes_max;
    let announced = body.size_hint().exact().map_or(bytes_max, |bytes| bytes.min(bytes_max as u64) as usize);
    let _held = reserve(&server.write_budget.compressed, announced).await;
    let body = match upload::read(body, bytes_max, server.options.body_timeout).await {
        Ok(body) => body,
        Err(error) => {
            let (status, what) = error.answer();
            return text(status, what);
        }
    };
    let (ingest, budget) = (Arc::clone(ingest), Arc::clone(&server.write_budget.decompressed));
    // What a block says of its length is at most so much; more is refused before it is unpacked.
    let unpacked = reserve(&budget, unpacked_bytes(&body).min(bytes_max)).await;
    let received = spawn_blocking(move || {
        let received = store(version, &body, bytes_max, &*ingest);
        drop(unpacked);
        received
    });
    let outcome = received.await;
    server.metrics.count_written(outcome.as_ref().ok().and_then(|outcome| outcome.as_ref().ok()));
    match outcome {
        Ok(outcome) => response(outcome),
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "the request broke off"),
    }
}

/// Values of `proto` in the content type.
const VERSIONS: [(&str, Version); 2] =
    [("prometheus.WriteRequest", Version::V1), ("io.prometheus.write.v2.Request", Version::V2)];

/// Which protocol the headers speak of, 1.0 unless they say; or what is wrong with them.
fn version_of(headers: &HeaderMap) -> Result<Version, &'static str> {
    let value = |name| headers.get(name).map_or("", |value: &HeaderValue| value.to_str().unwrap_or("?"));
    if !matches!(value(&CONTENT_ENCODING), "" | "snappy") {
        return Err("expected the content encoding snappy");
    }
    let mut parts = value(&CONTENT_TYPE).split(';').map(str::trim);
    let is_protobuf = matches!(parts.next(), None | Some("" | "application/x-protobuf"));
    let version = match parts.find_map(|part| part.strip_prefix("proto=")) {
        None => Some(Version::V1),
        Some(name) => VERSIONS.iter().find(|known| known.0 == name).map(|known| known.1),
    };
    version.filter(|_| is_protobuf).ok_or(
        "expected the content type application/x-protobuf, with proto=prometheus.WriteRequest or \
         proto=io.prometheus.write.v2.Request",
    )
}

/// The length that a block begins with, as far as it can be read.
fn unpacked_bytes(body: &[u8]) -> usize {
    let digits = body.iter().take(5).enumerate();
    let mut bytes = 0;
    for (at, byte) in digits {
        bytes |= usize::from(byte & 0x7f) << (7 * at);
        if *byte < 0x80 {
            break;
        }
    }
    bytes
}

fn store(
    version: Version,
    body: &[u8],
    bytes_max: usize,
    ingest: &dyn Ingest,
) -> Result<Received, ReceiveError> {
    let message = decompress(body, bytes_max).map_err(ReceiveError::Malformed)?;
    receive(version, &message, now_ms(), ingest)
}

/// A success only where everything is stored.
fn response(outcome: Result<Received, ReceiveError>) -> Response<Body> {
    let received = match outcome {
        Ok(received) => received,
        Err(ReceiveError::Malformed(error)) => {
            let is_too_long = matches!(error, DecodeError::TooLong { .. });
            let status = if is_too_long { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST };
            return text(status, &error.to_string());
        }
        Err(error) => return busy(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    };
    let mut response = if received.refused == 0 {
        let mut response = Response::new(Body::default());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    } else if received.limit_reached {
        busy(StatusCode::TOO_MANY_REQUESTS, &refusal(&received))
    } else {
        text(StatusCode::BAD_REQUEST, &refusal(&received))
    };
    let written = [
        (SAMPLES_WRITTEN, received.samples),
        (HISTOGRAMS_WRITTEN, received.histograms),
        (EXEMPLARS_WRITTEN, received.exemplars),
    ];
    response.headers_mut().extend(written.map(|(name, count)| (name, HeaderValue::from(count))));
    response
}

fn busy(status: StatusCode, what: &str) -> Response<Body> {
    let mut response = text(status, what);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

fn refusal(received: &Received) -> String {
    let stored = received.samples + received.histograms + received.exemplars;
    let refused = received.refused;
    let mut lines = vec![format!("{refused} refused, {stored} stored")];
    lines.extend(received.reasons.iter().cloned());
    let more = refused.saturating_sub(received.reasons.len());
    if more > 0 && received.reasons.len() > 1 {
        lines.push("…".to_owned());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_are_understood() {
        let version = |pairs: &[(&'static str, &'static str)]| {
            let pairs = pairs
                .iter()
                .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            version_of(&pairs.collect()).ok()
        };
        assert_eq!(version(&[]), Some(Version::V1));
        let plain = [("content-type", "application/x-protobuf"), ("content-encoding", "snappy")];
        assert_eq!(version(&plain), Some(Version::V1));
        let of = |content_type| version(&[("content-type", content_type)]);
        assert_eq!(of("application/x-protobuf;proto=prometheus.WriteRequest"), Some(Version::V1));
        assert_eq!(of("application/x-protobuf;proto=io.prometheus.write.v2.Request"), Some(Version::V2));
        assert_eq!([of("application/json"), of("application/x-protobuf;proto=x")], [None, None]);
        assert_eq!(version(&[("content-encoding", "gzip")]), None);
    }

    #[test]
    fn a_success_means_that_everything_is_stored() {
        let status = |received| response(Ok(received)).status().as_u16();
        assert_eq!(status(Received { samples: 3, ..Received::default() }), 204);
        assert_eq!(status(Received { samples: 3, refused: 1, ..Received::default() }), 400);
        assert_eq!(status(Received { refused: 1, limit_reached: true, ..Received::default() }), 429);
        let partial = response(Ok(Received { samples: 3, refused: 1, ..Received::default() }));
        assert_eq!(partial.headers()[SAMPLES_WRITTEN], "3");
    }
}
