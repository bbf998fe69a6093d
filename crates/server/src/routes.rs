//! Which path is answered by what.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use narthex_api::api::{ENDPOINTS, Posting};
use narthex_api::{Endpoint, Format, Parameters};

use crate::body::{Body, accepted_encoding};
use crate::guard::{add_cors_headers, allowed_origin, is_cross_site, is_known_host};
use crate::plain::{method_not_allowed, not_found, text};
use crate::run::{self, Call, Retry, error_response};
use crate::server::{Server, Services};
use crate::{upload, write};

const API: &str = "/api/v1/";
const WRITE: &str = "/api/v1/write";
const METRICS: &str = "/metrics";
const HEALTHY: &str = "/-/healthy";
const READY: &str = "/-/ready";
/// What requests for the values of a label are counted under, and what surrounds the name in their paths.
const LABEL_VALUES: &str = "/api/v1/label/{name}/values";
const AROUND_LABEL: (&str, &str) = ("/api/v1/label/", "/values");
/// What requests for anything else are counted under.
const OTHER: &str = "other";

/// What every request passes: names the server answers to, preflights, what pages elsewhere may read.
pub(crate) async fn answer(server: &Arc<Server>, request: Request<Incoming>) -> Response<Body> {
    let headers = request.headers();
    if !is_known_host(headers, &server.options) {
        let what = "this server does not go by that name (--web.allowed-host)";
        return counted(server, OTHER, text(StatusCode::MISDIRECTED_REQUEST, what));
    }
    let is_api = request.uri().path().starts_with(API);
    let reader = if is_api { allowed_origin(headers, &server.options).cloned() } else { None };
    let mut response =
        if request.method() == Method::OPTIONS { preflight(is_api) } else { routed(server, request).await };
    if is_api {
        add_cors_headers(response.headers_mut(), reader);
    }
    response
}

fn preflight(is_api: bool) -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = if is_api { StatusCode::NO_CONTENT } else { StatusCode::OK };
    response
}

/// By its path.
async fn routed(server: &Arc<Server>, request: Request<Incoming>) -> Response<Body> {
    let path = request.uri().path();
    if let Some((path, endpoint, posting)) = ENDPOINTS.iter().find(|(known, ..)| *known == path) {
        let methods: &[Method] = match posting {
            Posting::Accepted => &[Method::GET, Method::POST],
            Posting::Refused => &[Method::GET],
        };
        return counted(server, path, api(server, request, endpoint, methods).await);
    }
    if let Some(name) = label_of(path) {
        let response = match Endpoint::label_values(name) {
            Ok(endpoint) => api(server, request, &endpoint, &[Method::GET]).await,
            Err(error) => error_response(&error, Retry::AsYouLike),
        };
        return counted(server, LABEL_VALUES, response);
    }
    match path {
        WRITE => counted(server, WRITE, remote_write(server, request).await),
        METRICS => counted(server, METRICS, metrics(server, request.method())),
        HEALTHY => counted(server, HEALTHY, healthy(request.method())),
        READY => counted(server, READY, ready(server, request.method())),
        _ => counted(server, OTHER, not_found()),
    }
}

/// The name of the label, percent-encoded, in the path of its values.
fn label_of(path: &str) -> Option<&str> {
    let name = path.strip_prefix(AROUND_LABEL.0)?.strip_suffix(AROUND_LABEL.1)?;
    (!name.contains('/')).then_some(name)
}

fn counted(server: &Server, handler: &'static str, response: Response<Body>) -> Response<Body> {
    server.metrics.count_request(handler, response.status().as_u16());
    response
}

/// The services are not there yet.
fn not_ready() -> Response<Body> {
    text(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
}

/// A request of the API: its parameters read, then computed.
async fn api(
    server: &Arc<Server>,
    request: Request<Incoming>,
    endpoint: &Endpoint,
    methods: &[Method],
) -> Response<Body> {
    if !methods.contains(request.method()) {
        return method_not_allowed(methods);
    }
    let Some(services) = server.services.get() else { return not_ready() };
    let encoding = accepted_encoding(request.headers().get(ACCEPT_ENCODING));
    let format = accepted_format(endpoint, request.headers());
    match parameters(server, request).await {
        Ok(parameters) => {
            let call = Call { endpoint: endpoint.clone(), parameters, encoding, format };
            run::answer(server, &services.api, call).await
        }
        Err(response) => response,
    }
}

/// The format of the answer, where there is more than one.
fn accepted_format(endpoint: &Endpoint, headers: &HeaderMap) -> Option<&'static Format> {
    if !matches!(endpoint, Endpoint::Query | Endpoint::QueryRange) {
        return None;
    }
    // Several fields are one list (RFC 9110, section 5.3).
    let fields: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|field| field.to_str().ok()).collect();
    Some(Format::accepted(&fields.join(",")))
}

/// The parameters of the URL and of a form in the body.
async fn parameters(server: &Server, request: Request<Incoming>) -> Result<Parameters, Response<Body>> {
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

async fn remote_write(server: &Arc<Server>, request: Request<Incoming>) -> Response<Body> {
    match server.services.get() {
        _ if request.method() != Method::POST => method_not_allowed(&[Method::POST]),
        _ if is_cross_site(request.headers(), &server.options) => {
            text(StatusCode::FORBIDDEN, "pages of other sites may not write")
        }
        None => not_ready(),
        Some(Services { ingest: Some(ingest), .. }) => write::handle(server, ingest, request).await,
        Some(_) => text(
            StatusCode::NOT_FOUND,
            "remote write receiver needs to be enabled with --web.enable-remote-write-receiver",
        ),
    }
}

/// Pages that take no parameters.
const PAGE: [Method; 2] = [Method::GET, Method::HEAD];

fn healthy(method: &Method) -> Response<Body> {
    if PAGE.contains(method) {
        text(StatusCode::OK, "Narthex is healthy.")
    } else {
        method_not_allowed(&PAGE)
    }
}

fn ready(server: &Server, method: &Method) -> Response<Body> {
    match server.services.get() {
        _ if !PAGE.contains(method) => method_not_allowed(&PAGE),
        Some(_) => text(StatusCode::OK, "Narthex is ready."),
        None => not_ready(),
    }
}

fn metrics(server: &Server, method: &Method) -> Response<Body> {
    if !PAGE.contains(method) {
        return method_not_allowed(&PAGE);
    }
    let mut page = String::new();
    server.metrics.write(&mut page, &server.gate);
    if let Some(store) = server.services.get().and_then(|services| services.metrics.as_ref()) {
        store(&mut page);
    }
    let mut response = Response::new(Body::from(page.into_bytes()));
    let media_type = HeaderValue::from_static("text/plain; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_one_part_of_a_path() {
        let rows = [
            ("/api/v1/label/job/values", Some("job")),
            ("/api/v1/label/a%2Fb/values", Some("a%2Fb")),
            ("/api/v1/label//values", Some("")),
            ("/api/v1/label/a/b/values", None),
            ("/api/v1/label/values", None),
            ("/api/v1/label/job/values/", None),
        ];
        for (path, name) in rows {
            assert_eq!(label_of(path), name, "{path}");
        }
    }
}
