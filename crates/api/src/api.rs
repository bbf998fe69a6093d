//! From a request to its answer.

use std::sync::Arc;
use std::time::Duration;

use narthex_eval::EngineOptions;
use narthex_model::{Text, Timestamp};
use narthex_promql::{Interrupt, ParseOptions};
use narthex_storage::Queryable;

use crate::endpoints::{exemplars, labels, query, series, status, text};
use crate::parameters::{Plus, decode};
use crate::times::parse_duration_ns;
use crate::{Answer, ApiError, Parameters};

/// What can be asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Endpoint {
    /// A query at one instant.
    Query,
    /// A query at regular distances.
    QueryRange,
    /// Exemplars of the series that a query selects.
    QueryExemplars,
    /// A query, formatted.
    FormatQuery,
    /// The tree of a query.
    ParseQuery,
    /// Series by selectors.
    Series,
    /// Names of labels.
    Labels,
    /// Values of the label of this name, as it stands in the path.
    LabelValues(String),
    /// What the server was built from.
    BuildInfo,
    /// Types and help texts of metrics.
    Metadata,
    /// Groups of rules.
    Rules,
    /// Alerts that fire.
    Alerts,
}

/// Endpoints by their paths, and whether they may be posted to. The values of a label are not among
/// them, for their path has a part that varies.
pub const ENDPOINTS: [(&str, Endpoint, Posting); 11] = [
    ("/api/v1/query", Endpoint::Query, Posting::Accepted),
    ("/api/v1/query_range", Endpoint::QueryRange, Posting::Accepted),
    ("/api/v1/query_exemplars", Endpoint::QueryExemplars, Posting::Accepted),
    ("/api/v1/format_query", Endpoint::FormatQuery, Posting::Accepted),
    ("/api/v1/parse_query", Endpoint::ParseQuery, Posting::Accepted),
    ("/api/v1/series", Endpoint::Series, Posting::Accepted),
    ("/api/v1/labels", Endpoint::Labels, Posting::Accepted),
    ("/api/v1/status/buildinfo", Endpoint::BuildInfo, Posting::Refused),
    ("/api/v1/metadata", Endpoint::Metadata, Posting::Refused),
    ("/api/v1/rules", Endpoint::Rules, Posting::Refused),
    ("/api/v1/alerts", Endpoint::Alerts, Posting::Refused),
];

/// Whether parameters may stand in a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Posting {
    /// By GET and POST.
    Accepted,
    /// By GET only.
    Refused,
}

impl Endpoint {
    /// The values of a label whose name stands percent-encoded in a path; `U__` begins an escaped name.
    ///
    /// # Errors
    /// `bad_data` when it is no name.
    pub fn label_values(encoded: &str) -> Result<Endpoint, ApiError> {
        let bytes = decode(encoded.as_bytes(), Plus::Itself)?;
        match String::from_utf8(bytes) {
            Ok(name) if !name.is_empty() => Ok(Endpoint::LabelValues(labels::unescaped(&name))),
            Ok(_) => Err(ApiError::bad_data("invalid label name: \"\"")),
            Err(error) => {
                let shown = Text::from(error.into_bytes());
                let shown: String = shown.as_bytes().escape_ascii().to_string();
                Err(ApiError::bad_data(format!("invalid label name: \"{shown}\"")))
            }
        }
    }
}

/// One request.
pub struct Request<'a> {
    /// What is asked for.
    pub endpoint: Endpoint,
    /// How.
    pub parameters: Parameters,
    /// The time, where the parameters name none.
    pub now_ms: Timestamp,
    /// What stops it.
    pub interrupt: Interrupt,
    /// Time since the request came, for statistics; zero when nobody measures it.
    pub elapsed: &'a dyn Fn() -> Duration,
}

impl Request<'_> {
    /// A request that nothing stops and nobody measures.
    pub fn new(endpoint: Endpoint, parameters: Parameters, now_ms: Timestamp) -> Request<'static> {
        Request { endpoint, parameters, now_ms, interrupt: Interrupt::new(), elapsed: &|| Duration::ZERO }
    }
}

/// How long a request with these parameters may take, if they say so and can be read.
pub fn timeout_of(parameters: &Parameters) -> Option<Duration> {
    let text = Some(parameters.first("timeout")).filter(|text| !text.is_empty())?;
    let nanoseconds = parse_duration_ns(text).ok()?;
    Some(Duration::from_nanos(nanoseconds.max(0).unsigned_abs()))
}

/// What the server was built from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BuildInfo {
    /// Its version. Clients take it for one of Prometheus and ask for no more than that one has.
    pub version: String,
    /// The commit.
    pub revision: String,
}

/// How an API answers.
#[derive(Clone)]
pub struct ApiOptions {
    /// How queries are evaluated.
    pub engine: EngineOptions,
    /// Which queries are accepted.
    pub parse: ParseOptions,
    /// How far back a selector looks, in milliseconds.
    pub lookback_ms: i64,
    /// Step of a subquery that names none, in milliseconds.
    pub subquery_step_ms: i64,
    /// What is said of the server.
    pub build: BuildInfo,
}

impl Default for ApiOptions {
    fn default() -> ApiOptions {
        ApiOptions {
            engine: EngineOptions::STABLE,
            parse: ParseOptions::STABLE,
            lookback_ms: 300_000,
            subquery_step_ms: 60_000,
            build: BuildInfo { version: "3.5.0".to_owned(), revision: String::new() },
        }
    }
}

/// A store behind the API.
#[derive(Clone)]
pub struct Api {
    storage: Arc<dyn Queryable>,
    options: Arc<ApiOptions>,
}

impl Api {
    /// The API over a store.
    pub fn new(storage: Arc<dyn Queryable>, options: ApiOptions) -> Api {
        Api { storage, options: Arc::new(options) }
    }

    /// Computes the answer of a request, which may take long; another thread may stop it.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub fn answer(&self, request: &Request<'_>) -> Result<Answer, ApiError> {
        let (storage, options, parameters) = (&*self.storage, &*self.options, &request.parameters);
        match &request.endpoint {
            Endpoint::Query => query::instant(storage, options, request),
            Endpoint::QueryRange => query::range(storage, options, request),
            Endpoint::QueryExemplars => exemplars::exemplars(storage, options, parameters),
            Endpoint::FormatQuery => text::format_query(options, parameters),
            Endpoint::ParseQuery => text::parse_query(options, parameters),
            Endpoint::Series => series::series(storage, request),
            Endpoint::Labels => labels::names(storage, request),
            Endpoint::LabelValues(name) => labels::values(storage, request, name),
            Endpoint::BuildInfo => Ok(status::build_info(&options.build)),
            Endpoint::Metadata => Ok(status::metadata()),
            Endpoint::Rules => Ok(status::rules()),
            Endpoint::Alerts => Ok(status::alerts()),
        }
    }
}
