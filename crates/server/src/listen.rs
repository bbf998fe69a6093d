//! Connections: taken up, served, told to end.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::body::Held;
use crate::connections::{Connection, Connections};
use crate::patience::{Patience, Patient};
use crate::server::Server;

/// What to do when no connection can be accepted, as when there are too many open files: try again soon.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Accepts connections until `stop` is done; then waits for running requests as long as the options allow.
pub(crate) async fn serve(
    server: &Arc<Server>,
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()>,
) {
    let connections = Arc::new(Connections::default());
    let (stopping, stopped) = watch::channel(());
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let Ok((stream, _)) = accepted else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Too many, all of them in use: the client sees its connection closed.
        let Some(connection) = connections.open(server.options.connections_max) else { continue };
        let (server, router, stopped) = (Arc::clone(server), router.clone(), stopped.clone());
        tokio::spawn(async move { serve_connection(&server, stream, router, connection, stopped).await });
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
    server: &Server,
    stream: TcpStream,
    router: Router,
    connection: Arc<Connection>,
    mut stopped: watch::Receiver<()>,
) {
    // Answers are written whole; waiting for more to send only delays their last packet.
    let _ = stream.set_nodelay(true);
    let patience = Patience { head: server.options.header_timeout, write: server.options.write_timeout };
    let io = TokioIo::new(Patient::new(stream, Arc::clone(&connection), patience));
    let router = TowerToHyperService::new(router);
    let used = Arc::clone(&connection);
    // In use from the head of a request to the last byte of its answer.
    let service = service_fn(move |request: Request<Incoming>| {
        let engaged = used.engage();
        let answer = router.call(request);
        async move { answer.await.map(|response| response.map(|body| Body::new(Held::new(body, engaged)))) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(server.options.idle_timeout)
        .max_buf_size(server.options.head_bytes_max)
        .serve_connection(io, service);
    let mut serving = pin!(serving);
    tokio::select! {
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
