//! `narthex fmt`: formats PromQL files; comments stay.

use narthex_diag::{Diagnostic, SourceMap};
use narthex_promql::ast::format::format;

use crate::args::FmtArgs;
use crate::exit::{Ended, Outcome, Trouble};
use crate::input::{name_of, read_text};
use crate::paths::STDIN;
use crate::screen::Screen;

/// Runs the command over every file; one that cannot be read as PromQL is left alone and drawn.
pub(crate) fn run(args: &FmtArgs, screen: &Screen) -> Ended {
    let mut has_findings = false;
    for file in &args.files {
        has_findings |= format_file(file, args, screen)? == Outcome::Findings;
    }
    Ok(Outcome::of(has_findings))
}

fn format_file(file: &str, args: &FmtArgs, screen: &Screen) -> Ended {
    let text = read_text(file)?;
    let parse = narthex_promql::parse(&text, &args.features.parse_options());
    if !parse.diagnostics.is_empty() {
        let mut sources = SourceMap::new();
        let source = sources.add(name_of(file), text);
        let diagnostics: Vec<Diagnostic> =
            parse.diagnostics.into_iter().map(|one| one.in_source(source)).collect();
        screen.complain(&diagnostics, &sources);
        return Ok(Outcome::Findings);
    }
    let mut formatted = format(&parse.expr, &parse.comments, &text, args.width);
    if !formatted.ends_with('\n') {
        formatted.push('\n');
    }
    if args.check {
        if formatted != text {
            screen.note(&format!("{}: not formatted\n", name_of(file)));
        }
        return Ok(Outcome::of(formatted != text));
    }
    if file == STDIN {
        screen.print(&formatted)?;
    } else if formatted != text {
        std::fs::write(file, formatted).map_err(|error| Trouble::io("write", file, &error))?;
    }
    Ok(Outcome::Clean)
}
