//! Flags that change what a query means, under upstream's names.

use clap::Args;
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
