//! The endpoints by what they need: an engine, matchers, a text, nothing.

pub(crate) mod exemplars;
pub(crate) mod labels;
pub(crate) mod query;
pub(crate) mod selection;
pub(crate) mod series;
pub(crate) mod status;
pub(crate) mod text;

use narthex_promql::{Expr, ParseOptions};

use crate::{ApiError, Parameters};

/// The parameter `query`, read.
fn read_query(parameters: &Parameters, options: &ParseOptions) -> Result<Expr, ApiError> {
    parse_expr(parameters.first("query"), options).map_err(|message| ApiError::parameter("query", message))
}

fn parse_expr(text: &str, options: &ParseOptions) -> Result<Expr, String> {
    narthex_promql::parse(text, options).into_result().map_err(|error| {
        let is_nowhere = text.trim_ascii().is_empty();
        let message = error.to_string();
        // Upstream has no position in a text without a token.
        match message.split_once(": parse error: ") {
            Some((_, rest)) if is_nowhere => format!("unknown position: parse error: {rest}"),
            _ => message,
        }
    })
}
