//! Flags that change what a query means, under upstream's names.

use clap::Args;
use narthex_eval::Limits;
use narthex_eval::context::EvalOptions;
use narthex_promql::ParseOptions;
use narthex_promql::features::Feature;

/// A feature that `--enable-feature` takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum QueryFeature {
    /// A switch of the parser.
    Language(Feature),
    /// `promql-delayed-name-removal`
    DelayedNameRemoval,
    /// `use-start-timestamps`
    StartTimestamps,
    /// `type-and-unit-labels`
    TypeAndUnitLabels,
}

/// Features of the engine; those of the language stand in [`narthex_promql::features::FEATURES`].
const ENGINE_FEATURES: [(QueryFeature, &str); 3] = [
    (QueryFeature::DelayedNameRemoval, "promql-delayed-name-removal"),
    (QueryFeature::StartTimestamps, "use-start-timestamps"),
    (QueryFeature::TypeAndUnitLabels, "type-and-unit-labels"),
];

/// Reads one feature name.
pub(crate) fn parse_feature(name: &str) -> Result<QueryFeature, String> {
    let of_engine = ENGINE_FEATURES.iter().find(|row| row.1 == name).map(|row| row.0);
    of_engine.or_else(|| Feature::by_name(name).map(QueryFeature::Language)).ok_or_else(|| {
        let language = narthex_promql::features::FEATURES.iter().map(|row| row.1);
        let known: Vec<&str> = language.chain(ENGINE_FEATURES.iter().map(|row| row.1)).collect();
        format!("no such feature; known are {}", known.join(", "))
    })
}

/// How much a query may use. Names of flags are upstream's where it has them.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct LimitArgs {
    /// Most samples held in memory at once
    #[arg(long = "query.max-samples", value_name = "COUNT", default_value_t = Limits::DEFAULT.samples_max)]
    samples_max: usize,
    /// Most bytes held in memory at once
    #[arg(long = "query.max-bytes", value_name = "BYTES", default_value_t = Limits::DEFAULT.bytes_max)]
    bytes_max: usize,
    /// Most series of one selector
    #[arg(long = "query.max-series", value_name = "COUNT", default_value_t = Limits::DEFAULT.series_max)]
    series_max: usize,
    /// Most steps of a subquery
    #[arg(long = "query.max-steps", value_name = "COUNT", default_value_t = Limits::DEFAULT.steps_max)]
    steps_max: usize,
    /// Most points, series times steps, of all selectors together
    #[arg(long = "query.max-points", value_name = "COUNT", default_value_t = Limits::DEFAULT.points_max)]
    points_max: usize,
}

impl LimitArgs {
    /// The limits of the engine.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            samples_max: self.samples_max,
            series_max: self.series_max,
            steps_max: self.steps_max,
            points_max: self.points_max,
            bytes_max: self.bytes_max,
        }
    }
}

/// `--enable-feature`, on every command that parses.
#[derive(Clone, Debug, Args)]
pub(crate) struct FeatureArgs {
    /// Switch a feature on; several separated by commas, or the flag several times
    #[arg(long = "enable-feature", value_name = "FEATURE", value_delimiter = ',', value_parser = parse_feature)]
    pub(crate) features: Vec<QueryFeature>,
}

impl FeatureArgs {
    /// What the parser accepts.
    pub(crate) fn parse_options(&self) -> ParseOptions {
        self.features.iter().fold(ParseOptions::STABLE, |options, feature| match feature {
            QueryFeature::Language(feature) => options.with(*feature),
            _ => options,
        })
    }

    /// What evaluation does.
    pub(crate) fn eval_options(&self) -> EvalOptions {
        let has = |wanted| self.features.contains(&wanted);
        EvalOptions {
            delayed_name_removal: has(QueryFeature::DelayedNameRemoval),
            start_timestamps: has(QueryFeature::StartTimestamps),
            type_and_unit_labels: has(QueryFeature::TypeAndUnitLabels),
        }
    }
}
