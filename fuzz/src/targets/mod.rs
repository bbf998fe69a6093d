//! Every target, one per file.

pub mod chunk_decode;
pub mod chunk_roundtrip;
pub mod duration_number;
pub mod eval;
pub mod exposition_openmetrics;
pub mod exposition_text;
pub mod plan;
pub mod prometheus_log;
pub mod promql_format;
pub mod promql_lex;
pub mod promql_parse;
pub mod promql_series;
pub mod promqltest_script;
pub mod regex;
pub mod rulefmt;
pub mod template;
pub mod yaml;

mod exposition;

/// A target and where its seeds are.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: that of its file, of its shim and on command lines.
    pub name: &'static str,
    /// Panics when something that must hold does not.
    pub run: fn(&[u8]),
    /// The folder below `seeds/`; targets that read the same language share one.
    pub seeds: &'static str,
}

/// Every target by name.
pub const TARGETS: &[Target] = &[
    Target { name: "chunk_decode", run: chunk_decode::target, seeds: "chunk" },
    Target { name: "chunk_roundtrip", run: chunk_roundtrip::target, seeds: "samples" },
    Target { name: "duration_number", run: duration_number::target, seeds: "number" },
    Target { name: "eval", run: eval::target, seeds: "promql" },
    Target { name: "exposition_openmetrics", run: exposition_openmetrics::target, seeds: "openmetrics" },
    Target { name: "exposition_text", run: exposition_text::target, seeds: "exposition" },
    Target { name: "plan", run: plan::target, seeds: "promql" },
    Target { name: "prometheus_log", run: prometheus_log::target, seeds: "prometheus" },
    Target { name: "promql_format", run: promql_format::target, seeds: "promql" },
    Target { name: "promql_lex", run: promql_lex::target, seeds: "promql" },
    Target { name: "promql_parse", run: promql_parse::target, seeds: "promql" },
    Target { name: "promql_series", run: promql_series::target, seeds: "series" },
    Target { name: "promqltest_script", run: promqltest_script::target, seeds: "promqltest" },
    Target { name: "regex", run: regex::target, seeds: "regex" },
    Target { name: "rulefmt", run: rulefmt::target, seeds: "rules" },
    Target { name: "template", run: template::target, seeds: "template" },
    Target { name: "yaml", run: yaml::target, seeds: "rules" },
];
