//! `narthex check rules`: what a server would refuse.

use narthex_diag::{Diagnostic, SourceMap};
use narthex_report::{RenderOptions, Summary, render};
use narthex_rulefmt::{FileKind, Options};

use crate::args::{CheckArgs, CheckCommand, CheckRulesArgs};
use crate::exit::{Ended, Outcome};
use crate::input::{name_of, read_text};
use crate::paths::expand;
use crate::screen::Screen;

/// Endings of rule files in a folder.
pub(super) const RULE_ENDINGS: [&str; 3] = [".yml", ".yaml", ".json"];

/// Runs the command.
pub(crate) fn run(args: &CheckArgs, screen: &Screen) -> Ended {
    match &args.what {
        CheckCommand::Rules(args) => rules(args, screen),
    }
}

fn rules(args: &CheckRulesArgs, screen: &Screen) -> Ended {
    let options = Options { promql: args.features.parse_options(), ..Options::PROMETHEUS };
    let files = expand(&args.paths, &RULE_ENDINGS)?;
    let mut sources = SourceMap::new();
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    let mut counts = (0, 0);
    for file in &files {
        let text = read_text(file)?;
        let parse = narthex_rulefmt::parse(&text, &options);
        if parse.kind == FileKind::Rules {
            counts = (counts.0 + 1, counts.1 + parse.file.rules().count());
        }
        let source = sources.add(name_of(file), text);
        diagnostics.extend(parse.diagnostics.into_iter().map(|one| one.in_source(source)));
    }
    let render_options = RenderOptions { color: screen.output_color(), ..RenderOptions::plain() };
    screen.print(&render(args.format, &diagnostics, &sources, &render_options))?;
    let summary = Summary::of(&diagnostics);
    let verdict = if summary.is_empty() { "nothing to refuse".to_owned() } else { summary.to_string() };
    screen.note(&format!("{verdict} in {} rules of {} rule files\n", counts.1, counts.0));
    Ok(Outcome::of(diagnostics.iter().any(|one| one.severity == narthex_diag::Severity::Error)))
}
