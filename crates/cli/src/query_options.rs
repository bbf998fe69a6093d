//! Flags that change what a query means, under upstream's names.

use std::convert::Infallible;

use clap::Args;
use narthex_diag::nearest::nearest;
use narthex_eval::Limits;
use narthex_eval::context::EvalOptions;
use narthex_eval::features::{ENGINE_FEATURES, EngineFeature, OTHER_FEATURES};
use narthex_promql::ParseOptions;
use narthex_promql::features::{FEATURES, Feature};

use crate::times::parse_step;

/// A feature that `--enable-feature` takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum QueryFeature {
    /// A switch of the parser.
    Language(Feature),
    /// A switch of the engine.
    Engine(EngineFeature),
    /// One that changes no result.
    Other,
    /// No feature at all: as with a server, worth a warning only.
    Unknown(String),
}

/// Reads one feature name.
fn parse_feature(name: &str) -> QueryFeature {
    if let Some(feature) = Feature::by_name(name) {
        QueryFeature::Language(feature)
    } else if let Some(feature) = EngineFeature::by_name(name) {
        QueryFeature::Engine(feature)
    } else if OTHER_FEATURES.contains(&name) {
        QueryFeature::Other
    } else {
        QueryFeature::Unknown(name.to_owned())
    }
}

/// The known name that was probably meant by one that is not: the nearest one, or one that begins like it.
fn meant(name: &str) -> Option<&'static str> {
    let names = || FEATURES.iter().map(|row| row.1).chain(ENGINE_FEATURES.iter().map(|row| row.1));
    let begins_like = || names().find(|known| !name.is_empty() && known.starts_with(name));
    nearest(name, names()).or_else(begins_like).or_else(|| nearest(name, OTHER_FEATURES))
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
    #[arg(
        long = "enable-feature",
        value_name = "FEATURE",
        value_delimiter = ',',
        value_parser = |name: &str| Ok::<_, Infallible>(parse_feature(name))
    )]
    features: Vec<QueryFeature>,
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
        self.features.iter().fold(EvalOptions::STABLE, |options, feature| match feature {
            QueryFeature::Engine(feature) => options.with(*feature),
            _ => options,
        })
    }

    /// A line for each name that is no feature's.
    pub(crate) fn warnings(&self) -> String {
        let unknown = self.features.iter().filter_map(|feature| match feature {
            QueryFeature::Unknown(name) => Some(name),
            _ => None,
        });
        let advice =
            |name: &str| meant(name).map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
        unknown
            .map(|name| format!("warning: unknown option for --enable-feature: {name:?}{}\n", advice(name)))
            .collect()
    }
}

/// How far selectors look and how often subqueries evaluate, on every command that evaluates.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct DefaultsArgs {
    /// How far back a selector looks for a sample
    #[arg(long = "query.lookback-delta", value_name = "DURATION", value_parser = parse_step, default_value = "5m")]
    pub(crate) lookback_ms: i64,
    /// Step of a subquery that names none
    #[arg(long = "evaluation-interval", value_name = "DURATION", value_parser = parse_step, default_value = "1m")]
    pub(crate) subquery_step_ms: i64,
}

#[cfg(test)]
mod tests {
    use narthex_plan::QueryParameters;

    use super::*;

    #[test]
    fn what_was_meant_is_found_by_nearness_and_by_its_beginning() {
        for (typed, found) in [
            ("promql-delayed-name-removals", Some("promql-delayed-name-removal")),
            ("promql-experimental", Some("promql-experimental-functions")),
            ("native-histogram", Some("native-histograms")),
            ("", None),
            ("nonsense", None),
        ] {
            assert_eq!(meant(typed), found, "{typed}");
        }
    }

    #[test]
    fn defaults_are_those_of_a_server() {
        #[derive(clap::Parser)]
        struct Command {
            #[command(flatten)]
            defaults: DefaultsArgs,
        }
        let Command { defaults } = clap::Parser::parse_from(["command"]);
        assert_eq!(defaults.lookback_ms, QueryParameters::LOOKBACK_MS);
        assert_eq!(defaults.subquery_step_ms, QueryParameters::SUBQUERY_STEP_MS);
    }
}
