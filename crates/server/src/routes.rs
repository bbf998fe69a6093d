//! Which path is answered by what.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, Response, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::routing::any;
use narthex_api::api::{ENDPOINTS, Posting};
use narthex_api::{Endpoint, Parameters};

use crate::body::accepted_encoding;
use crate::guard::{cors_headers, is_cross_site, is_known_host};
use crate::plain::{method_not_allowed, not_found, text};
use crate::run::{self, Call, Retry, error_response};
use crate::server::{Server, Services};
use crate::{upload, write};

const API: &str = "/api/v1/";
const WRITE: &str = "/api/v1/write";
const METRICS: &str = "/metrics";
const HEALTHY: &str = "/-/healthy";
const READY: &str = "/-/ready";
/// As a route, which is also what requests for it are counted under, and what surrounds the name.
const LABEL_VALUES: &str = "/api/v1/label/{name}/values";
const AROUND_LABEL: (&str, &str) = ("/api/v1/label/", "/values");

type Shared = State<Arc<Server>>;

/// Everything the server answers.
pub(crate) fn router(server: &Arc<Server>) -> Router {
    let mut router = Router::new();
    for (path, endpoint, posting) in ENDPOINTS {
        let methods: &[Method] = match posting {
            Posting::Accepted => &[Method::GET, Method::POST],
            Posting::Refused => &[Method::GET],
        };
        let handler = move |State(server): Shared, request: Request| async move {
            counted(&server, path, api(&server, request, &endpoint, methods).await)
        };
        router = router.route(path, any(handler));
    }
    router
        .route(LABEL_VALUES, any(label_values))
        .route(WRITE, any(remote_write))
        .route(METRICS, any(metrics))
        .route(HEALTHY, any(healthy))
        .route(READY, any(ready))
        .fallback(nowhere)
        .layer(from_fn_with_state(Arc::clone(server), guarded))
        .with_state(Arc::clone(server))
}

/// What every request passes: names the server answers to, preflights, what pages elsewhere may read.
async fn guarded(State(server): Shared, request: Request, next: Next) -> Response<Body> {
    let headers = request.headers();
    if !is_known_host(headers, &server.options) {
        let what = "this server does not go by that name (--web.allowed-host)";
        return counted(&server, "other", text(StatusCode::MISDIRECTED_REQUEST, what));
    }
    let is_api = request.uri().path().starts_with(API);
    let cors = if is_api { cors_headers(headers, &server.options) } else { Vec::new() };
    let mut response =
        if request.method() == Method::OPTIONS { preflight(is_api) } else { next.run(request).await };
    response.headers_mut().extend(cors);
    response
}

fn preflight(is_api: bool) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = if is_api { StatusCode::NO_CONTENT } else { StatusCode::OK };
    response
}

fn counted(server: &Server, handler: &'static str, response: Response<Body>) -> Response<Body> {
    server.metrics.count_request(handler, response.status().as_u16());
    response
}

async fn nowhere(State(server): Shared) -> Response<Body> {
    counted(&server, "other", not_found())
}

/// The services are not there yet.
fn not_ready() -> Response<Body> {
    text(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
}

/// A request of the API: its parameters read, then computed.
async fn api(
    server: &Arc<Server>,
    request: Request,
    endpoint: &Endpoint,
    methods: &[Method],
) -> Response<Body> {
    if !methods.contains(request.method()) {
        return method_not_allowed(methods);
    }
    let Some(services) = server.services.get() else { return not_ready() };
    let encoding = accepted_encoding(request.headers().get(ACCEPT_ENCODING));
    match parameters(server, request).await {
        Ok(parameters) => {
            let call = Call { endpoint: endpoint.clone(), parameters, encoding };
            run::answer(server, &services.api, call).await
        }
        Err(response) => response,
    }
}

/// The parameters of the URL and of a form in the body.
async fn parameters(server: &Server, request: Request) -> Result<Parameters, Response<Body>> {
    let (head, body) = request.into_parts();
    let is_form = head.method == Method::POST && head.headers.get(CONTENT_TYPE).is_some_and(is_form);
    let form = if is_form {
        let read = upload::read(body, server.options.form_bytes_max, server.options.body_timeout).await;
        read.map_err(|error| {
            let (status, what) = error.answer();
            text(status, what)
        })?
    } else {
        Vec::new()
    };
    let query = head.uri.query().unwrap_or("").as_bytes();
    Parameters::parse(query, &form).map_err(|error| error_response(&error, Retry::AsYouLike))
}

fn is_form(content_type: &HeaderValue) -> bool {
    let media_type = content_type.as_bytes().split(|&byte| byte == b';').next().unwrap_or(b"");
    media_type.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

async fn label_values(State(server): Shared, request: Request) -> Response<Body> {
    let path = request.uri().path();
    let name = path.strip_prefix(AROUND_LABEL.0).and_then(|rest| rest.strip_suffix(AROUND_LABEL.1));
    let response = match Endpoint::label_values(name.unwrap_or("")) {
        Ok(endpoint) => api(&server, request, &endpoint, &[Method::GET]).await,
        Err(error) => error_response(&error, Retry::AsYouLike),
    };
    counted(&server, LABEL_VALUES, response)
}

async fn remote_write(State(server): Shared, request: Request) -> Response<Body> {
    let response = match server.services.get() {
        _ if request.method() != Method::POST => method_not_allowed(&[Method::POST]),
        _ if is_cross_site(request.headers(), &server.options) => {
            text(StatusCode::FORBIDDEN, "pages of other sites may not write")
        }
        None => not_ready(),
        Some(Services { ingest: Some(ingest), .. }) => write::handle(&server, ingest, request).await,
        Some(_) => text(
            StatusCode::NOT_FOUND,
            "remote write receiver needs to be enabled with --web.enable-remote-write-receiver",
        ),
    };
    counted(&server, WRITE, response)
}

/// Pages that take no parameters.
const PAGE: [Method; 2] = [Method::GET, Method::HEAD];

async fn healthy(State(server): Shared, request: Request) -> Response<Body> {
    let is_page = PAGE.contains(request.method());
    let response =
        if is_page { text(StatusCode::OK, "Narthex is healthy.") } else { method_not_allowed(&PAGE) };
    counted(&server, HEALTHY, response)
}

async fn ready(State(server): Shared, request: Request) -> Response<Body> {
    let response = match server.services.get() {
        _ if !PAGE.contains(request.method()) => method_not_allowed(&PAGE),
        Some(_) => text(StatusCode::OK, "Narthex is ready."),
        None => not_ready(),
    };
    counted(&server, READY, response)
}

async fn metrics(State(server): Shared, request: Request) -> Response<Body> {
    if !PAGE.contains(request.method()) {
        return counted(&server, METRICS, method_not_allowed(&PAGE));
    }
    let mut page = String::new();
    server.metrics.write(&mut page, &server.gate);
    if let Some(store) = server.services.get().and_then(|services| services.metrics.as_ref()) {
        store(&mut page);
    }
    let mut response = Response::new(Body::from(page));
    let media_type = HeaderValue::from_static("text/plain; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    counted(&server, METRICS, response)
}
