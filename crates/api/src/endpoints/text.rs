//! `/format_query` and `/parse_query`: what needs no data.

use narthex_promql::ast::{WIDTH, pretty};

use super::read_query;
use crate::tree::{Spans, tree};
use crate::{Answer, ApiError, ApiOptions, Data, Parameters};

/// A query over several lines.
pub(crate) fn format_query(options: &ApiOptions, parameters: &Parameters) -> Result<Answer, ApiError> {
    let expr = read_query(parameters, &options.parse)?;
    Ok(Answer::new(Data::Text(pretty(&expr, WIDTH))))
}

/// The tree of a query.
pub(crate) fn parse_query(options: &ApiOptions, parameters: &Parameters) -> Result<Answer, ApiError> {
    let expr = read_query(parameters, &options.parse)?;
    Ok(Answer::new(Data::Json(tree(&expr, Spans::LeftOut))))
}
