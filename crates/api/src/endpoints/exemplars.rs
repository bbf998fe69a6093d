//! `/query_exemplars`.

use narthex_model::number::format_sample;
use narthex_model::{Labels, Matcher, TimeRange, Timestamp};
use narthex_promql::Expr;
use narthex_promql::ast::visit::walk;
use narthex_storage::{Exemplar, Queryable, SeriesExemplars};
use serde_json::{Map, Value, json};

use super::parse_expr;
use super::selection::time_or;
use crate::{Answer, ApiError, ApiOptions, Data, Parameters};

/// The exemplars of every series that a selector of the query selects.
pub(crate) fn exemplars(
    storage: &dyn Queryable,
    options: &ApiOptions,
    parameters: &Parameters,
) -> Result<Answer, ApiError> {
    let start_ms = time_or(parameters, "start", Timestamp::MIN)?;
    let end_ms = time_or(parameters, "end", Timestamp::MAX)?;
    if end_ms < start_ms {
        return Err(ApiError::bad_data("end timestamp must not be before start timestamp"));
    }
    let expr = parse_expr(parameters.first("query"), &options.parse).map_err(ApiError::bad_data)?;
    let found = storage.exemplars(&selectors_of(&expr), TimeRange::new(start_ms, end_ms))?;
    Ok(Answer::new(Data::Json(found.into_iter().map(series).collect())))
}

fn selectors_of(expr: &Expr) -> Vec<Vec<Matcher>> {
    let mut selectors = Vec::new();
    walk(expr, &mut |node| match node {
        Expr::Selector(node) => selectors.push(node.all_matchers().collect()),
        Expr::Matrix(node) => selectors.push(node.selector.all_matchers().collect()),
        _ => {}
    });
    selectors
}

fn series((labels, exemplars): SeriesExemplars) -> Value {
    json!({
        "seriesLabels": object(&labels),
        "exemplars": exemplars.iter().map(exemplar).collect::<Value>(),
    })
}

fn exemplar(exemplar: &Exemplar) -> Value {
    json!({
        "labels": object(&exemplar.labels),
        "value": format_sample(exemplar.value),
        "timestamp": seconds(exemplar.at_ms),
    })
}

fn object(labels: &Labels) -> Value {
    let members = labels.iter().map(|(name, value)| (name.to_owned(), Value::from(value)));
    Value::Object(members.collect::<Map<_, _>>())
}

/// Whole seconds without a fraction, others with up to three digits of it.
fn seconds(at_ms: Timestamp) -> Value {
    if at_ms % 1000 == 0 { Value::from(at_ms / 1000) } else { Value::from(at_ms as f64 / 1000.0) }
}
