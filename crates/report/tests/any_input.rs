//! Whatever the text and the spans, every format renders, and every machine format parses.

use narthex_diag::{Applicability, Code, Diagnostic, Edit, Severity, SourceId, SourceMap, Span, Suggestion};
use narthex_report::{ColorChoice, FORMATS, Format, RenderOptions, render};
use proptest::prelude::*;

/// Texts with what is hard: line breaks of all kinds, tabs, escapes, wide and combining characters, long lines.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z{}()\" ]{0,12}",
        Just("\n".to_owned()),
        Just("\r\n\t".to_owned()),
        Just("\u{1b}[0m\u{2028}\u{85}\u{b}".to_owned()),
        Just("é漢😀e\u{301}".to_owned()),
        (1usize..500).prop_map(|count| "é".repeat(count)),
        (1usize..80).prop_map(|count| "\n".repeat(count)),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn span() -> impl Strategy<Value = Span> {
    (0usize..3000, 0usize..3000).prop_map(|(start, end)| Span::new(start, end))
}

fn diagnostic() -> impl Strategy<Value = Diagnostic> {
    let severity = prop::sample::select(vec![Severity::Error, Severity::Warning, Severity::Info]);
    let source = prop::option::weighted(0.9, (0u32..2).prop_map(SourceId));
    let spans = prop::collection::vec(span(), 0..5);
    (severity, source, span(), spans, text(), text()).prop_map(
        |(severity, source, primary, others, message, label)| {
            let edits = others.iter().map(|&span| Edit { span, replacement: message.clone() }).collect();
            let mut finding = Diagnostic::new(Code("ANY001"), severity, message.clone(), primary)
                .with_label(label.clone())
                .with_note(message.clone())
                .with_suggestion(Suggestion { message: label, edits, applicability: Applicability::Safe })
                .about(message);
            finding.source = source;
            others.into_iter().fold(finding, |finding, other| finding.with_secondary(other, "other"))
        },
    )
}

proptest! {
    #[test]
    fn every_format_renders(text in text(), findings in prop::collection::vec(diagnostic(), 1..4)) {
        let mut sources = SourceMap::new();
        sources.add("a.yml", text);
        for color in [ColorChoice::Never, ColorChoice::Always] {
            let options = RenderOptions { color, ..RenderOptions::plain() };
            for spec in FORMATS {
                let out = render(spec.format, &findings, &sources, &options);
                prop_assert!(out.ends_with('\n'));
                if let Format::Json | Format::Sarif = spec.format {
                    prop_assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok());
                }
                if color == ColorChoice::Never && spec.format == Format::Full {
                    let obeyed = ['\u{1b}', '\u{1}'];
                    prop_assert!(!out.contains(obeyed));
                }
            }
        }
    }
}
