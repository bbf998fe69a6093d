//! Connections: taken up, served, told to end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::connections::{Connection, Connections};
use crate::patience::{Patience, Patient};
use crate::routes;
use crate::server::Server;

/// What to do when no connection can be accepted, as when there are too many open files: try again soon.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Accepts connections until `stop` is done; then waits for running requests as long as the options allow.
pub(crate) async fn serve(server: &Arc<Server>, listener: TcpListener, stop: impl Future<Output = ()>) {
    let connections = Arc::new(Connections::default());
    let (stopping, stopped) = watch::channel(());
    let mut stop = pin!(stop);
    loop {
        let due = connections.close_idle(Instant::now(), server.options.idle_timeout);
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
            () = sleep_until(due) => continue,
        };
        let Ok((stream, _)) = accepted else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Too many, all of them in use: the client sees its connection closed.
        let Some(connection) = connections.open(server.options.connections_max) else { continue };
        tokio::spawn(serve_connection(Arc::clone(server), stream, connection, stopped.clone()));
    }
    drop((listener, stopping));
    let drained = async {
        while connections.count() > 0 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    // Whatever still runs then is dropped with the runtime, which cancels it.
    let _ = timeout(server.options.stop_timeout, drained).await;
}

async fn serve_connection(
    server: Arc<Server>,
    stream: TcpStream,
    connection: Arc<Connection>,
    mut stopped: watch::Receiver<()>,
) {
    // Answers are written whole; waiting for more to send only delays their last packet.
    let _ = stream.set_nodelay(true);
    let patience = Patience { head: server.options.header_timeout, write: server.options.write_timeout };
    let io = TokioIo::new(Patient::new(stream, Arc::clone(&connection), patience));
    let (head_bytes_max, used) = (server.options.head_bytes_max, Arc::clone(&connection));
    // In use from the head of a request to the last byte of its answer.
    let service = service_fn(move |request: Request<Incoming>| {
        let (engaged, server) = (used.engage(), Arc::clone(&server));
        async move {
            let response = routes::answer(&server, request).await;
            Ok::<_, Infallible>(response.map(|body| body.on(engaged)))
        }
    });
    // Heads are timed by the stream, idle connections by who accepts them: without a timer for each request.
    let serving = http1::Builder::new()
        .header_read_timeout(None)
        .max_buf_size(head_bytes_max)
        .serve_connection(io, service);
    let mut serving = pin!(serving);
    tokio::select! {
        biased;
        // A client that misbehaves or leaves is no news.
        _ = serving.as_mut() => return,
        () = connection.close.notified() => return,
        Err(_) = stopped.changed() => {}
    }
    serving.as_mut().graceful_shutdown();
    let _ = serving.await;
}

/// Done when the process is asked to end: by SIGTERM, or by SIGINT (Ctrl-C).
///
/// # Errors
/// When signals cannot be received.
#[cfg(unix)]
pub async fn terminated() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Done when the process is asked to end by Ctrl-C.
///
/// # Errors
/// When signals cannot be received.
#[cfg(not(unix))]
pub async fn terminated() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
