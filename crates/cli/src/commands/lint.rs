//! `narthex lint`: what is wrong or unwise in rule files.

use narthex_diag::{Diagnostic, Source, SourceMap};
use narthex_lint::rules::{describe, find};
use narthex_lint::{LINTS, LintConfig, LintSelector, Linter};
use narthex_report::{Format, RenderOptions, Summary, render};
use narthex_rulefmt::{FileKind, Options, REFUSALS};
use rayon::prelude::*;

use super::check::RULE_ENDINGS;
use crate::args::LintArgs;
use crate::exit::{Ended, Outcome, Trouble};
use crate::input::{name_of, read_text};
use crate::paths::expand;
use crate::screen::Screen;
use crate::times::now_ms;

/// Reads the name of an output format.
pub(crate) fn parse_format(name: &str) -> Result<Format, String> {
    name.parse().map_err(|error: narthex_report::UnknownFormat| error.to_string())
}

/// Runs the command.
pub(crate) fn run(args: &LintArgs, screen: &Screen) -> Ended {
    if let Some(code) = &args.explain {
        return explain(code, screen);
    }
    let linter = Linter::new(&config(args)?);
    let files = expand(&args.paths, &RULE_ENDINGS)?;
    let linted: Vec<Linted> =
        files.par_iter().map(|file| lint_file(file, &linter)).collect::<Result<_, _>>()?;
    report(args, linted, screen)
}

fn config(args: &LintArgs) -> Result<LintConfig, Trouble> {
    let selectors = |names: &[String]| {
        let parsed = names.iter().map(|name| LintSelector::parse(name));
        parsed.collect::<Result<Vec<_>, _>>().map_err(|error| Trouble::new(error.to_string()))
    };
    let file = Options { promql: args.features.parse_options(), ..Options::PROMETHEUS };
    Ok(LintConfig {
        select: selectors(&args.select)?,
        ignore: selectors(&args.ignore)?,
        file,
        now_ms: Some(now_ms()),
        ..LintConfig::default()
    })
}

/// A file and what was found in it.
struct Linted {
    source: Source,
    found: Vec<Diagnostic>,
    kind: FileKind,
    rules: usize,
}

/// The groups of a file are checked in parallel: a file may be all there is.
fn lint_file(file: &str, linter: &Linter) -> Result<Linted, Trouble> {
    let text = read_text(file)?;
    let prepared = linter.prepare(&text);
    let (kind, rules) = (prepared.parse().kind, prepared.parse().file.rules().count());
    let mut found = prepared.check_file();
    let groups = (0..prepared.group_count()).into_par_iter().map(|group| prepared.check_group(group));
    found.extend(groups.collect::<Vec<_>>().into_iter().flatten());
    let found = prepared.finish(found);
    Ok(Linted { source: Source::new(name_of(file), text), found, kind, rules })
}

fn report(args: &LintArgs, linted: Vec<Linted>, screen: &Screen) -> Ended {
    let mut sources = SourceMap::new();
    let mut diagnostics = Vec::new();
    let mut counts = Counts::default();
    let mut has_findings = false;
    for one in linted {
        counts.add(&one);
        // That a template was skipped is a remark, not a finding.
        has_findings |= !one.found.is_empty() && one.kind != FileKind::Templated;
        let source = sources.push(one.source);
        diagnostics.extend(one.found.into_iter().map(|diagnostic| diagnostic.in_source(source)));
    }
    let options = RenderOptions { color: screen.output_color(), describe };
    screen.print(&render(args.format, &diagnostics, &sources, &options))?;
    let summary = Summary::of(&diagnostics);
    let verdict = if summary.is_empty() { "Nothing found".to_owned() } else { summary.to_string() };
    screen.note(&format!("{verdict} in {counts}\n"));
    Ok(Outcome::of(has_findings))
}

/// What was read, for the closing line.
#[derive(Default)]
struct Counts {
    rules: usize,
    files: usize,
    templated: usize,
    others: usize,
}

impl Counts {
    fn add(&mut self, linted: &Linted) {
        self.rules += linted.rules;
        match linted.kind {
            FileKind::Rules | FileKind::Resources | FileKind::Unreadable => self.files += 1,
            FileKind::Templated => self.templated += 1,
            FileKind::NotRules(_) => self.others += 1,
        }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let files = if self.files == 1 { "file" } else { "files" };
        write!(f, "{} rules of {} {files}", self.rules, self.files)?;
        if self.templated > 0 {
            write!(f, ", {} templated and skipped", self.templated)?;
        }
        if self.others > 0 {
            write!(f, ", {} without rules", self.others)?;
        }
        Ok(())
    }
}

/// The page of one lint.
fn explain(code: &str, screen: &Screen) -> Ended {
    let wanted = code.to_ascii_uppercase();
    let Some(spec) = find(&wanted).or_else(|| find(&code.to_ascii_lowercase())) else {
        return explain_refusal(&wanted, screen);
    };
    let page = format!(
        "{} {}: {}\n\n{}\n\nFound in:\n\n{}\n\nAs it should be:\n\n{}\n",
        spec.code,
        spec.name,
        spec.summary,
        spec.explanation.trim(),
        spec.bad.trim_end(),
        spec.good.trim_end()
    );
    screen.print(&page)?;
    Ok(Outcome::Clean)
}

fn explain_refusal(code: &str, screen: &Screen) -> Ended {
    if !REFUSALS.iter().any(|refusal| refusal.0 == code) {
        let known: Vec<&str> = LINTS.iter().map(|lint| lint.spec().code.0).collect();
        return Err(Trouble::new(format!("no lint is called {code}; there are {}", known.join(", "))));
    }
    screen.print(&format!(
        "{code}: a server refuses this; the message says why, and it cannot be switched off\n"
    ))?;
    Ok(Outcome::Clean)
}
