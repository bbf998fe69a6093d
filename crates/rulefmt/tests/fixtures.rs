//! Whether rule files are read, and refused, as recorded.

use narthex_diag::{Diagnostic, LineIndex, Severity, Span};
use narthex_rulefmt::{FileKind, Options, Rule, RuleFileParse, RuleGroup, parse};
use narthex_testkit::{Golden, fixtures};

#[test]
fn what_a_server_loads() {
    let mut golden = Golden::of("rules/valid", "out");
    for fixture in fixtures("rules/valid", "yaml") {
        let parse = parse(&fixture.text, &Options::PROMETHEUS);
        assert!(!parse.is_refused(), "{}: {:#?}", fixture.name, parse.diagnostics);
        golden.check(&fixture.name, &shown(&fixture.text, &parse));
    }
    golden.finish();
}

#[test]
fn what_a_server_refuses() {
    let mut golden = Golden::of("rules/invalid", "out");
    for fixture in fixtures("rules/invalid", "yaml") {
        let parse = parse(&fixture.text, &Options::PROMETHEUS);
        assert!(parse.is_refused(), "{} is loaded as {:?}", fixture.name, parse.kind);
        golden.check(&fixture.name, &findings(&fixture.text, &parse.diagnostics));
    }
    golden.finish();
}

fn shown(text: &str, parse: &RuleFileParse) -> String {
    let mut out = match parse.kind {
        FileKind::NotRules(reason) => format!("not rules: {}\n", reason.as_str()),
        kind => format!("{kind:?}\n"),
    };
    for group in &parse.file.groups {
        show_group(&mut out, group);
        for rule in &group.rules {
            show_rule(&mut out, text, rule);
        }
    }
    for ignored in &parse.file.ignored_documents {
        out += &format!("ignored: {:?}\n", ignored.slice(text));
    }
    out + &findings(text, &parse.diagnostics)
}

fn show_group(out: &mut String, group: &RuleGroup) {
    *out += &format!("group {:?} of object {}", group.name.value, group.object);
    for (name, duration) in [("interval", &group.interval), ("query_offset", &group.query_offset)] {
        if let Some(duration) = duration {
            *out += &format!(" {name}={}", duration.value);
        }
    }
    if let Some(limit) = &group.limit {
        *out += &format!(" limit={}", limit.value);
    }
    for label in &group.labels {
        *out += &format!(" {}={:?}", label.name.value, label.value.value);
    }
    out.push('\n');
}

fn show_rule(out: &mut String, text: &str, rule: &Rule) {
    *out += &format!("  {} at {}\n", rule.subject("…"), first_line(rule.span().slice(text)));
    let expr = rule.expr();
    let last = Span::new(expr.text.value.trim_end().len() - 1, expr.text.value.trim_end().len());
    let end = &text[expr.locate(last).end as usize..];
    *out += &format!("    expr {:?}, before {:?}\n", expr.text.value, first_line(end));
    if let Rule::Alerting(rule) = rule {
        for (name, duration) in [("for", &rule.hold_for), ("keep_firing_for", &rule.keep_firing_for)] {
            if let Some(duration) = duration {
                *out += &format!("    {name} {} from {:?}\n", duration.value, duration.span.slice(text));
            }
        }
    }
    for (what, entries) in [("label", rule.labels()), ("annotation", rule.annotations())] {
        for entry in entries {
            let (name, value) = (&entry.name.value, &entry.value);
            let via = value.site.map_or("", |site| site.slice(text));
            let template = if entry.template.is_some() { " (template)" } else { "" };
            *out += &format!("    {what} {name}={:?} {via}{template}\n", value.value);
        }
    }
    let fields: Vec<&str> =
        ["for", "labels", "expr"].into_iter().filter(|name| rule.field(name).is_some()).collect();
    *out += &format!("    fields {}\n", fields.join(" "));
}

fn first_line(text: &str) -> &str {
    text.split(['\r', '\n']).next().unwrap_or("")
}

fn findings(text: &str, diagnostics: &[Diagnostic]) -> String {
    let lines = LineIndex::new(text);
    let place = |span: Span| {
        let start = lines.line_column(span.start as usize);
        format!("{}:{} {:?}", start.line, start.column, span.slice(text))
    };
    let mut out = String::new();
    for found in diagnostics {
        let severity = if found.severity == Severity::Error { "" } else { found.severity.as_str() };
        out += &format!("{} {}{severity}\n  {}\n", place(found.span()), found.code, found.message);
        if !found.primary.label.is_empty() {
            out += &format!("  label: {}\n", found.primary.label);
        }
        for other in &found.secondary {
            out += &format!("  {}: {}\n", other.label, place(other.span));
        }
        for note in &found.notes {
            out += &format!("  note: {note}\n");
        }
        for way in &found.suggestions {
            let edits: Vec<String> = way
                .edits
                .iter()
                .map(|edit| format!(" [{} -> {:?}]", place(edit.span), edit.replacement))
                .collect();
            out += &format!("  {}: {}{}\n", way.applicability.as_str(), way.message, edits.concat());
        }
        out += &format!("  in {}\n", found.subject.as_deref().unwrap_or("the file"));
    }
    out
}
