//! Bodies: made by a thread that blocks, sent by one that must not.

use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll};

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::Response;
use hyper::body::{Bytes, Frame, SizeHint};
use hyper::header::{self, HeaderValue};
use narthex_api::{ApiError, ChunkSink, Closed};
use narthex_promql::{Interrupt, StopReason};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::block_in_place;

use crate::connections::Engaged;

/// So many chunks may be ready before the writer waits for the reader.
const CHUNKS_AHEAD: usize = 4;
/// Shorter bodies go as they are: they fit one packet.
const GZIP_FROM_BYTES: usize = 1400;
/// Compressed bytes are sent once there are that many.
const GZIP_CHUNK_BYTES: usize = 32 << 10;

/// How a body is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Encoding {
    /// As it is.
    Identity,
    /// Compressed, where that pays.
    Gzip,
}

/// The beginning of a body: all of it, or a stream.
pub(crate) enum Start {
    /// It fits one chunk.
    Whole(Vec<u8>, Encoding),
    /// More follows.
    Stream(mpsc::Receiver<Bytes>, Encoding),
}

/// The beginning, or why there is none.
pub(crate) type Started = Result<Start, ApiError>;

/// Takes the chunks of a body on the thread that writes them.
pub(crate) struct BodySink {
    start: Option<oneshot::Sender<Started>>,
    /// Once there is more than one chunk.
    chunks: Option<mpsc::Sender<Bytes>>,
    /// The first chunk, kept until it is known whether it is the last.
    first: Option<Vec<u8>>,
    accepted: Encoding,
    encoder: Option<GzEncoder<Vec<u8>>>,
}

/// A way from the writing thread to the connection: where a body goes, and where it begins.
pub(crate) fn channel(accepted: Encoding) -> (BodySink, oneshot::Receiver<Started>) {
    let (start, started) = oneshot::channel();
    let sink = BodySink { start: Some(start), chunks: None, first: None, accepted, encoder: None };
    (sink, started)
}

impl ChunkSink for BodySink {
    fn accept(&mut self, chunk: Vec<u8>) -> Result<(), Closed> {
        let Some(start) = self.start.take() else { return self.send(chunk) };
        let Some(first) = self.first.take() else {
            self.first = Some(chunk);
            self.start = Some(start);
            return Ok(());
        };
        if self.accepted == Encoding::Gzip {
            self.encoder = Some(GzEncoder::new(Vec::new(), Compression::fast()));
        }
        let (chunks, received) = mpsc::channel(CHUNKS_AHEAD);
        self.chunks = Some(chunks);
        start.send(Ok(Start::Stream(received, self.accepted))).map_err(|_| Closed)?;
        self.send(first)?;
        self.send(chunk)
    }
}

impl BodySink {
    fn send(&mut self, chunk: Vec<u8>) -> Result<(), Closed> {
        let Some(encoder) = &mut self.encoder else { return self.pass_on(chunk) };
        encoder.write_all(&chunk).map_err(|_| Closed)?;
        if encoder.get_ref().len() < GZIP_CHUNK_BYTES {
            return Ok(());
        }
        let compressed = std::mem::take(encoder.get_mut());
        self.pass_on(compressed)
    }

    fn pass_on(&self, bytes: Vec<u8>) -> Result<(), Closed> {
        let chunks = self.chunks.as_ref().ok_or(Closed)?;
        match chunks.try_send(bytes.into()) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(_)) => Err(Closed),
            // The reader may be served by this very thread, which leaves that to another one while it waits.
            Err(TrySendError::Full(bytes)) => {
                block_in_place(|| chunks.blocking_send(bytes)).map_err(|_| Closed)
            }
        }
    }

    /// There is no body, for this reason.
    pub(crate) fn fail(mut self, error: ApiError) {
        // Nobody may wait for it any more.
        self.start.take().map(|start| start.send(Err(error)));
    }

    /// Ends the body.
    pub(crate) fn finish(mut self) -> Result<(), Closed> {
        if let Some(start) = self.start.take() {
            let body = self.first.take().unwrap_or_default();
            let (body, encoding) = compressed_if_worth_it(body, self.accepted);
            return start.send(Ok(Start::Whole(body, encoding))).map_err(|_| Closed);
        }
        match self.encoder.take() {
            Some(encoder) => self.pass_on(encoder.finish().map_err(|_| Closed)?),
            None => Ok(()),
        }
    }
}

fn compressed_if_worth_it(body: Vec<u8>, accepted: Encoding) -> (Vec<u8>, Encoding) {
    if accepted == Encoding::Identity || body.len() < GZIP_FROM_BYTES {
        return (body, Encoding::Identity);
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    match encoder.write_all(&body).and_then(|()| encoder.finish()) {
        Ok(compressed) => (compressed, Encoding::Gzip),
        Err(_) => (body, Encoding::Identity),
    }
}

/// Stops what computes a body when nobody waits for it any more. After the end of the body that changes nothing.
pub(crate) struct StopOnDrop(pub(crate) Interrupt);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if !self.0.is_set() {
            self.0.stop(StopReason::Canceled);
        }
    }
}

/// What is sent to a client.
#[derive(Default)]
pub(crate) struct Body {
    content: Content,
    /// Stops what computes the rest.
    _stop: Option<StopOnDrop>,
    /// The connection, which is in use until the end of the body.
    _engaged: Option<Engaged>,
}

enum Content {
    /// All of it, or nothing more.
    Whole(Bytes),
    /// Chunks as they come.
    Stream(mpsc::Receiver<Bytes>),
}

impl Default for Content {
    fn default() -> Content {
        Content::Whole(Bytes::new())
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Body {
        Body { content: Content::Whole(bytes.into()), ..Body::default() }
    }
}

impl Body {
    /// The body with the connection that sends it.
    pub(crate) fn on(self, connection: Engaged) -> Body {
        Body { _engaged: Some(connection), ..self }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut self.content {
            Content::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Content::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Content::Stream(chunks) => {
                chunks.poll_recv(context).map(|chunk| chunk.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.content, Content::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Stream(..) => SizeHint::default(),
        }
    }
}

/// A response whose body has started.
pub(crate) fn response(start: Start, stop: StopOnDrop) -> Response<Body> {
    let (content, encoding) = match start {
        Start::Whole(bytes, encoding) => (Content::Whole(bytes.into()), encoding),
        Start::Stream(chunks, encoding) => (Content::Stream(chunks), encoding),
    };
    let mut response = Response::new(Body { content, _stop: Some(stop), _engaged: None });
    if encoding == Encoding::Gzip {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// What the client takes: gzip where the header names it without a weight of zero.
pub(crate) fn accepted_encoding(header: Option<&HeaderValue>) -> Encoding {
    let text = header.and_then(|value| value.to_str().ok()).unwrap_or("");
    let takes_gzip = text.split(',').any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let is_refused =
            parts.filter_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok()).any(|weight| weight == 0.0);
        is_gzip && !is_refused
    });
    if takes_gzip { Encoding::Gzip } else { Encoding::Identity }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_when_the_client_says_so() {
        let encoding = |text: &'static str| accepted_encoding(Some(&HeaderValue::from_static(text)));
        assert_eq!([encoding("gzip"), encoding("br, GZIP;q=0.5")], [Encoding::Gzip; 2]);
        let without = [encoding(""), encoding("br"), encoding("gzip; q=0"), encoding("gzip;q=0.0")];
        assert_eq!(without, [Encoding::Identity; 4]);
        assert_eq!(accepted_encoding(None), Encoding::Identity);
    }
}
