//! How findings look: rules with one defect each, drawn for a terminal and as single lines.

use narthex_diag::SourceMap;
use narthex_lint::{LintConfig, lint_file, rules};
use narthex_report::{Format, RenderOptions, render};
use narthex_testkit::{Golden, fixtures};

#[test]
fn rendered_findings() {
    for (format, extension) in [(Format::Full, "full"), (Format::Concise, "concise")] {
        let mut golden = Golden::of("lint/probes", extension);
        for fixture in fixtures("lint/probes", "yml") {
            let mut sources = SourceMap::new();
            let name = format!("{}.yml", fixture.name);
            let source = sources.add(name, fixture.text.as_str());
            let found = lint_file(&fixture.text, &LintConfig::default());
            let found: Vec<_> = found.into_iter().map(|finding| finding.in_source(source)).collect();
            let options = RenderOptions { describe: rules::describe, ..RenderOptions::plain() };
            golden.check(&fixture.name, &render(format, &found, &sources, &options));
        }
        golden.finish();
    }
}
