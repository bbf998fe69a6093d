//! Where the results of rules come from.

use narthex_eval::result::InstantSample;
use narthex_eval::{Engine, QueryValue};
use narthex_model::{Labels, Timestamp};
use narthex_plan::QueryParameters;
use narthex_promql::{Expr, ParseOptions};
use narthex_storage::Queryable;

use crate::definition::RuleDefinition;
use crate::error::RuleError;

/// What templates know of the server they are expanded on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Surroundings {
    /// `.ExternalLabels`
    pub external_labels: Labels,
    /// `.ExternalURL`
    pub external_url: String,
}

/// Answers the queries of one group's rules and their templates. Whoever evaluates many rules at once, or many times at
/// once, implements this and hands out what is there.
pub trait RuleQueries {
    /// What `rule`, number `index` of its group, yields at `at_ms`; a scalar is one sample without labels.
    ///
    /// # Errors
    /// When the query fails, or yields a string or a range vector.
    fn evaluate(
        &self,
        index: usize,
        rule: &RuleDefinition,
        at_ms: Timestamp,
    ) -> Result<Vec<InstantSample>, RuleError>;

    /// What a query written in a template yields.
    ///
    /// # Errors
    /// As [`RuleQueries::evaluate`], and when the text is no query.
    fn query(&self, text: &str, at_ms: Timestamp) -> Result<Vec<InstantSample>, RuleError>;

    /// What templates know.
    fn surroundings(&self) -> &Surroundings;
}

/// Each query by itself, with an engine over a store.
#[derive(Clone)]
pub struct EngineQueries<'a> {
    /// The engine.
    pub engine: Engine,
    /// The store.
    pub storage: &'a dyn Queryable,
    /// How far back instant selectors look, in milliseconds.
    pub lookback_ms: i64,
    /// Step of a subquery that names none, in milliseconds.
    pub subquery_step_ms: i64,
    /// What queries of templates may contain.
    pub parse: ParseOptions,
    /// What templates know.
    pub surroundings: Surroundings,
}

impl<'a> EngineQueries<'a> {
    /// With a lookback of five minutes and a subquery step of one, as a server has unless told otherwise.
    pub fn new(engine: Engine, storage: &'a dyn Queryable, parse: ParseOptions) -> EngineQueries<'a> {
        let (lookback_ms, subquery_step_ms) = (300_000, 60_000);
        EngineQueries {
            engine,
            storage,
            lookback_ms,
            subquery_step_ms,
            parse,
            surroundings: Surroundings::default(),
        }
    }

    /// What an expression yields at an instant; a scalar is one sample without labels.
    ///
    /// # Errors
    /// When the query fails, or yields a string or a range vector.
    pub fn instant(&self, expr: &Expr, at_ms: Timestamp) -> Result<Vec<InstantSample>, RuleError> {
        let parameters = QueryParameters::instant(at_ms, self.lookback_ms, self.subquery_step_ms);
        let value = self.engine.evaluate(self.storage, expr, parameters)?.value;
        match value {
            QueryValue::Vector(samples) => Ok(samples),
            QueryValue::Scalar { at_ms, value } => {
                Ok(vec![InstantSample { labels: Labels::empty(), at_ms, value: value.into() }])
            }
            QueryValue::Text { .. } | QueryValue::Matrix(_) => Err(RuleError::NotAVector),
        }
    }
}

impl RuleQueries for EngineQueries<'_> {
    fn evaluate(
        &self,
        _index: usize,
        rule: &RuleDefinition,
        at_ms: Timestamp,
    ) -> Result<Vec<InstantSample>, RuleError> {
        self.instant(&rule.expr, at_ms)
    }

    fn query(&self, text: &str, at_ms: Timestamp) -> Result<Vec<InstantSample>, RuleError> {
        let expr = narthex_promql::parse(text, &self.parse).into_result().map_err(RuleError::Parse)?;
        self.instant(&expr, at_ms)
    }

    fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }
}
