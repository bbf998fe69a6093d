//! `narthex query`: evaluates an expression over the samples of files.

use narthex_diag::Diagnostic;
use narthex_eval::{Engine, EngineOptions, QueryResult};

use super::data::{Data, evaluate_within};
use super::{ReadQuery, read_query};
use crate::args::QueryArgs;
use crate::exit::{Ended, Outcome};
use crate::screen::Screen;

/// Runs the command.
pub(crate) fn run(args: &QueryArgs, screen: &Screen) -> Ended {
    let query = match read_query(&args.expr, &args.features.parse_options(), screen) {
        Ok(query) => query,
        Err(outcome) => return Ok(outcome),
    };
    let Some(data) = Data::open(&args.data, screen)? else { return Ok(Outcome::Findings) };
    let parameters = args.range.parameters(data.at_ms(&args.data), args.defaults)?;
    let (eval, limits) = (args.features.eval_options(), args.data.limits.limits());
    let engine = Engine::new(EngineOptions { eval, limits, ..EngineOptions::STABLE });
    let prepared = engine.prepare(&query.expr, parameters);
    let evaluated = prepared
        .and_then(|prepared| evaluate_within(&prepared, &prepared.context(), &data, args.data.timeout_ms));
    match evaluated {
        Ok(result) => show(args, &query, result, screen),
        Err(error) => {
            screen.complain(&[error.to_diagnostic().in_source(query.source)], &query.sources);
            Ok(Outcome::Findings)
        }
    }
}

fn show(args: &QueryArgs, query: &ReadQuery, result: QueryResult, screen: &Screen) -> Ended {
    let annotations: Vec<Diagnostic> = result
        .annotations
        .iter()
        .map(|annotation| annotation.to_diagnostic().in_source(query.source))
        .collect();
    screen.complain(&annotations, &query.sources);
    result.storage_warnings.iter().for_each(|warning| screen.note(&format!("warning: {warning}\n")));
    screen.print_bytes(&args.output.write(result))?;
    Ok(Outcome::Clean)
}
