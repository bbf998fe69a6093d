//! The commands: one file each.

pub(crate) mod check;
pub(crate) mod conformance;
pub(crate) mod data;
pub(crate) mod explain;
pub(crate) mod fmt;
pub(crate) mod lint;
pub(crate) mod parse;
pub(crate) mod query;
pub(crate) mod serve;
pub(crate) mod test;
pub(crate) mod tsdb;

use narthex_diag::{Diagnostic, SourceId, SourceMap};
use narthex_promql::{Expr, ParseOptions};

use crate::exit::Outcome;
use crate::screen::Screen;

/// The name of an expression given on the command line.
const QUERY_NAME: &str = "<query>";

/// An expression that was read, with the source it points into.
struct ReadQuery {
    expr: Expr,
    sources: SourceMap,
    source: SourceId,
}

/// Reads an expression given on the command line; draws what is wrong with it.
///
/// # Errors
/// The outcome to end with when it could not be read.
fn read_query(text: &str, options: &ParseOptions, screen: &Screen) -> Result<ReadQuery, Outcome> {
    let mut sources = SourceMap::new();
    let source = sources.add(QUERY_NAME, text);
    let parse = narthex_promql::parse(text, options);
    if parse.diagnostics.is_empty() {
        return Ok(ReadQuery { expr: parse.expr, sources, source });
    }
    let diagnostics: Vec<Diagnostic> =
        parse.diagnostics.into_iter().map(|one| one.in_source(source)).collect();
    screen.complain(&diagnostics, &sources);
    Err(Outcome::Findings)
}
