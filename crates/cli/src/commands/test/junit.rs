//! Results as JUnit's XML: a suite per file, a case per test.

use std::fmt::Write;

use narthex_diag::{Diagnostic, Source};
use narthex_ruletest::FileReport;

/// The document.
pub(super) fn write(reports: &[FileReport]) -> String {
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for report in reports {
        let name = escaped(&report.source.name);
        let (cases, failed) = (report.tests.len(), report.failed());
        let errors = report.refusals();
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{name}\" tests=\"{cases}\" failures=\"{failed}\" errors=\"{errors}\">"
        );
        for test in &report.tests {
            let _ = write!(xml, "    <testcase name=\"{}\" classname=\"{name}\"", escaped(&test.name));
            if test.failures.is_empty() {
                xml.push_str("/>\n");
                continue;
            }
            xml.push_str(">\n");
            test.failures.iter().for_each(|failure| failure_element(&mut xml, failure, report));
            xml.push_str("    </testcase>\n");
        }
        for error in report.diagnostics.iter().filter(|one| one.severity == narthex_diag::Severity::Error) {
            let _ = writeln!(xml, "    <system-err>{}</system-err>", escaped(&placed(error, report)));
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn failure_element(xml: &mut String, failure: &Diagnostic, report: &FileReport) {
    let message = escaped(&failure.message);
    let lines = std::iter::once(placed(failure, report)).chain(failure.notes.iter().cloned());
    let text = escaped(&lines.collect::<Vec<_>>().join("\n"));
    let _ = writeln!(xml, "      <failure message=\"{message}\" type=\"{}\">{text}</failure>", failure.code);
}

/// `path:line:column: message`
fn placed(one: &Diagnostic, report: &FileReport) -> String {
    let rules = one.source.and_then(|id| report.rules.get(id.0 as usize));
    let source: &Source = rules.map_or(&report.source, |rules| &rules.source);
    let place = source.line_column(one.span().start as usize);
    format!("{}:{}:{}: {}", source.name, place.line, place.column, one.message)
}

/// Text for elements and attributes; what XML cannot hold becomes the replacement character.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\u{0}'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => {
                out.push(char::REPLACEMENT_CHARACTER);
            }
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(escaped("a<b> & \"c\"\n\u{1}é"), "a&lt;b&gt; &amp; &quot;c&quot;&#10;\u{FFFD}é");
    }
}
