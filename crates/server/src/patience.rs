//! A stream that gives up on a peer that is too slow.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

use crate::connections::Connection;

/// A connection that fails once nothing could be written for some time, or once the head of a request takes too long.
pub(crate) struct Patient {
    stream: TcpStream,
    connection: Arc<Connection>,
    limits: Patience,
    /// Runs while a write waits.
    write: Clock,
    /// Runs while the head of a request is incomplete and more of it is waited for.
    head: Clock,
    /// How many requests were before the one whose head has begun.
    begun: Option<u64>,
}

/// How long a peer may take.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// From the first byte of the head of a request to its last.
    pub(crate) head: Duration,
    /// To take another byte.
    pub(crate) write: Duration,
}

/// A time limit that is set and lifted often.
struct Clock {
    sleep: Pin<Box<Sleep>>,
    runs: bool,
}

impl Clock {
    fn new() -> Clock {
        Clock { sleep: Box::pin(sleep(Duration::ZERO)), runs: false }
    }

    fn start(&mut self, limit: Duration) {
        if !self.runs {
            self.runs = true;
            self.sleep.as_mut().reset(Instant::now() + limit);
        }
    }

    /// An error once the time is up.
    fn poll<T>(&mut self, context: &mut Context<'_>, what: &'static str) -> Poll<io::Result<T>> {
        if self.runs {
            ready!(self.sleep.as_mut().poll(context));
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, what)));
        }
        Poll::Pending
    }
}

impl Patient {
    pub(crate) fn new(stream: TcpStream, connection: Arc<Connection>, limits: Patience) -> Patient {
        Patient { stream, connection, limits, write: Clock::new(), head: Clock::new(), begun: None }
    }

    /// The outcome of a write; of one that waits, an error if it has waited too long.
    fn judge<T>(&mut self, context: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.write.runs = false;
            return outcome;
        }
        self.write.start(self.limits.write);
        self.write.poll(context, "the peer takes no bytes")
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut this.stream).poll_read(context, buffer);
        if !this.connection.is_idle() {
            this.head.runs = false;
        } else if buffer.filled().len() > before {
            this.begun = Some(this.connection.requests());
        } else if outcome.is_pending() {
            // Heads mostly come whole: no clock is set for those.
            if this.begun == Some(this.connection.requests()) {
                this.head.start(this.limits.head);
            }
            return this.head.poll(context, "the head of a request takes too long");
        }
        outcome
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.judge(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
