//! `narthex explain --analyze`: evaluates an expression and shows what each of its operators took.

use std::fmt::Write;
use std::time::{Duration, Instant};

use narthex_eval::{
    Engine, EngineOptions, EvalError, Figures, OperatorProfile, Profile, QueryContext, QueryValue,
};
use narthex_plan::QueryParameters;
use serde_json::{Value, json};

use crate::args::{AnalysisFormat, ExplainArgs};
use crate::commands::ReadQuery;
use crate::commands::data::{Data, evaluate_within};
use crate::exit::{Ended, Outcome};
use crate::screen::Screen;

/// What an evaluation took.
struct Analysis {
    operators: Vec<OperatorProfile>,
    steps: usize,
    series: usize,
    planned: Duration,
    evaluated: Duration,
    samples_peak: usize,
    bytes_peak: usize,
}

/// Runs the command.
pub(super) fn run(args: &ExplainArgs, query: &ReadQuery, screen: &Screen) -> Ended {
    let Some(data) = Data::open(&args.data, screen)? else { return Ok(Outcome::Findings) };
    let parameters = args.range.parameters(data.at_ms(&args.data), args.defaults)?;
    match analyze(args, query, parameters, &data) {
        Ok(analysis) => {
            screen.print(&match args.output {
                AnalysisFormat::Text => text(&analysis),
                AnalysisFormat::Json => json(&analysis).to_string() + "\n",
            })?;
            Ok(Outcome::Clean)
        }
        Err(error) => {
            screen.complain(&[error.to_diagnostic().in_source(query.source)], &query.sources);
            Ok(Outcome::Findings)
        }
    }
}

fn analyze(
    args: &ExplainArgs,
    query: &ReadQuery,
    parameters: QueryParameters,
    data: &Data,
) -> Result<Analysis, EvalError> {
    let start = Instant::now();
    let (eval, limits) = (args.features.eval_options(), args.data.limits.limits());
    let engine = Engine::new(EngineOptions { eval, limits, ..EngineOptions::STABLE });
    let prepared = engine.prepare(&query.expr, parameters)?;
    let planned = start.elapsed();
    let profile = Profile::new(Box::new(move || start.elapsed()));
    let context: QueryContext = prepared.context().profiled(&profile);
    let result = evaluate_within(&prepared, &context, data, args.data.timeout_ms)?;
    let evaluated = start.elapsed() - planned;
    let series = match &result.value {
        QueryValue::Scalar { .. } | QueryValue::Text { .. } => 1,
        QueryValue::Vector(samples) => samples.len(),
        QueryValue::Matrix(series) => series.len(),
    };
    Ok(Analysis {
        operators: profile.operators(),
        steps: parameters.grid.len,
        series,
        planned,
        evaluated,
        samples_peak: context.samples_peak(),
        bytes_peak: context.bytes_peak(),
    })
}

/// A column of figures: what stands above it, and the figure of an operator, if that has one.
type Column = (&'static str, fn(&Figures) -> Option<String>);

/// Columns that are always shown.
const COLUMNS: &[Column] = &[
    ("total ms", |figures| Some(milliseconds(figures.total))),
    ("own ms", |figures| Some(milliseconds(figures.own))),
    ("read ms", |figures| (!figures.read.is_zero()).then(|| milliseconds(figures.read))),
    ("peak KiB", |figures| figures.bytes_peak.map(kib)),
    ("series", |figures| Some(figures.series.to_string())),
    ("batches", |figures| Some(figures.batches.to_string())),
    ("steps", |figures| Some(figures.steps.to_string())),
    ("samples", |figures| Some(figures.samples.to_string())),
    ("decoded", |figures| count(figures.reads.samples_decoded)),
];

/// Columns of what some stores know, shown when one of them says something.
const STORE_COLUMNS: &[Column] = &[
    ("skipped", |figures| count(figures.reads.samples_skipped)),
    ("chunks", |figures| count(figures.reads.chunks_decoded)),
    ("skipped chunks", |figures| count(figures.reads.chunks_skipped)),
    ("read KiB", |figures| count(figures.reads.bytes_read).map(|_| kib(figures.reads.bytes_read as usize))),
    ("cache hits", |figures| count(figures.reads.cache_hits)),
];

/// A count that is worth showing.
fn count(number: u64) -> Option<String> {
    (number > 0).then(|| number.to_string())
}

fn milliseconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64() * 1e3)
}

/// Whole ones, rounded up.
fn kib(bytes: usize) -> String {
    bytes.div_ceil(1024).to_string()
}

fn text(analysis: &Analysis) -> String {
    let figures = || analysis.operators.iter().filter_map(|one| one.figures.as_ref());
    let says_something = |column: &&Column| figures().any(|figures| column.1(figures).is_some());
    let columns: Vec<&Column> = COLUMNS.iter().chain(STORE_COLUMNS.iter().filter(says_something)).collect();
    let mut out = String::new();
    let cells: Vec<Vec<String>> = columns.iter().map(|column| cells(column, &analysis.operators)).collect();
    for row in 0..=analysis.operators.len() {
        for column in &cells {
            let width = column.iter().map(String::len).max().unwrap_or(0);
            push(&mut out, format_args!("{:>width$}  ", column[row]));
        }
        match row.checked_sub(1).map(|at| &analysis.operators[at]) {
            None => out.push_str("operator\n"),
            Some(one) => push(&mut out, format_args!("{}{}\n", "  ".repeat(one.depth), one.line)),
        }
    }
    let (planned, evaluated) = (milliseconds(analysis.planned), milliseconds(analysis.evaluated));
    push(&mut out, format_args!("\nsteps: {}, series in the result: {}\n", analysis.steps, analysis.series));
    push(
        &mut out,
        format_args!("planned in {planned} ms, evaluated in {evaluated} ms by the clock on the wall\n"),
    );
    let (samples, bytes) = (analysis.samples_peak, kib(analysis.bytes_peak));
    push(&mut out, format_args!("held at most {samples} samples and {bytes} KiB at once\n"));
    out
}

/// The head of a column and what stands below it for each operator.
fn cells((head, cell): &Column, operators: &[OperatorProfile]) -> Vec<String> {
    let cell = |one: &OperatorProfile| one.figures.as_ref().and_then(cell).unwrap_or_default();
    std::iter::once((*head).to_owned()).chain(operators.iter().map(cell)).collect()
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    let written = out.write_fmt(text);
    debug_assert!(written.is_ok(), "writing to a string cannot fail");
}

/// Times in seconds, by the clock on the wall.
fn json(analysis: &Analysis) -> Value {
    json!({
        "steps": analysis.steps,
        "series": analysis.series,
        "planSeconds": analysis.planned.as_secs_f64(),
        "evaluationSeconds": analysis.evaluated.as_secs_f64(),
        "peakSamples": analysis.samples_peak,
        "peakBytes": analysis.bytes_peak,
        "operators": analysis.operators.iter().map(operator_json).collect::<Vec<_>>(),
    })
}

/// Operators are a list, each before its inputs: a tree by their depths, of any depth.
fn operator_json(one: &OperatorProfile) -> Value {
    let mut value = json!({ "depth": one.depth, "operator": one.line });
    if let (Some(members), Some(figures)) = (value.as_object_mut(), &one.figures) {
        let reads = figures.reads;
        let measured = [
            ("totalSeconds", json!(figures.total.as_secs_f64())),
            ("ownSeconds", json!(figures.own.as_secs_f64())),
            ("readSeconds", json!(figures.read.as_secs_f64())),
            ("peakBytes", json!(figures.bytes_peak)),
            ("series", json!(figures.series)),
            ("batches", json!(figures.batches)),
            ("steps", json!(figures.steps)),
            ("samples", json!(figures.samples)),
            ("samplesDecoded", json!(reads.samples_decoded)),
            ("samplesSkipped", json!(reads.samples_skipped)),
            ("chunksDecoded", json!(reads.chunks_decoded)),
            ("chunksSkipped", json!(reads.chunks_skipped)),
            ("bytesRead", json!(reads.bytes_read)),
            ("cacheHits", json!(reads.cache_hits)),
        ];
        members.extend(measured.map(|(name, value)| (name.to_owned(), value)));
    }
    value
}
