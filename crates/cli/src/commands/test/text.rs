//! Results for people: failures at their places, then the counts.

use narthex_diag::{Diagnostic, SourceId, SourceMap};
use narthex_report::{Format, RenderOptions, render};
use narthex_ruletest::FileReport;

use crate::exit::Trouble;
use crate::screen::Screen;

/// What is wrong, in the order of the files, and the counts on standard error.
pub(super) fn write(reports: &[FileReport], format: Format, screen: &Screen) -> Result<(), Trouble> {
    let mut sources = SourceMap::new();
    let diagnostics: Vec<Diagnostic> =
        reports.iter().flat_map(|report| diagnostics(report, &mut sources)).collect();
    let options = RenderOptions { color: screen.output_color(), ..RenderOptions::plain() };
    screen.print(&render(format, &diagnostics, &sources, &options))?;
    screen.note(&format!("{}\n", counts(reports)));
    Ok(())
}

/// The findings of one file with their sources.
fn diagnostics(report: &FileReport, sources: &mut SourceMap) -> Vec<Diagnostic> {
    let failures = report.tests.iter().flat_map(|test| &test.failures);
    let mut found: Vec<Diagnostic> = report.diagnostics.iter().chain(failures).cloned().collect();
    if found.is_empty() {
        return found;
    }
    let test_file = sources.push(report.source.clone());
    let mut rule_files: Vec<Option<SourceId>> = vec![None; report.rules.len()];
    for one in &mut found {
        let rule_file = one.source.and_then(|id| Some((id.0 as usize, report.rules.get(id.0 as usize)?)));
        one.source = Some(match rule_file {
            Some((number, rules)) => {
                *rule_files[number].get_or_insert_with(|| sources.push(rules.source.clone()))
            }
            None => test_file,
        });
    }
    found
}

fn counts(reports: &[FileReport]) -> String {
    let tests: usize = reports.iter().map(|report| report.tests.len()).sum();
    let failed: usize = reports.iter().map(FileReport::failed).sum();
    let refused = reports.iter().filter(|report| report.refusals() > 0).count();
    let files = if reports.len() == 1 { "file" } else { "files" };
    let mut text = format!("{} passed, {failed} failed in {} {files}", tests - failed, reports.len());
    if refused > 0 {
        text.push_str(&format!(", {refused} not run"));
    }
    text
}
