//! `narthex parse`: how an expression is read.

use narthex_api::tree::{Spans, tree};
use narthex_diag::{Diagnostic, SourceMap};
use narthex_promql::ast::dump::dump;

use super::QUERY_NAME;
use crate::args::{ParseArgs, TreeFormat};
use crate::exit::{Ended, Outcome};
use crate::screen::Screen;

/// Runs the command. The tree is shown even when parts could not be read: they appear as errors in it.
pub(crate) fn run(args: &ParseArgs, screen: &Screen) -> Ended {
    let parse = narthex_promql::parse(&args.expr, &args.features.parse_options());
    let mut sources = SourceMap::new();
    let source = sources.add(QUERY_NAME, args.expr.as_str());
    let has_findings = !parse.diagnostics.is_empty();
    let diagnostics: Vec<Diagnostic> =
        parse.diagnostics.into_iter().map(|one| one.in_source(source)).collect();
    screen.complain(&diagnostics, &sources);
    screen.print(&match args.output {
        TreeFormat::Tree => dump(&parse.expr),
        TreeFormat::Json => format!("{:#}\n", tree(&parse.expr, Spans::Included)),
    })?;
    Ok(Outcome::of(has_findings))
}
