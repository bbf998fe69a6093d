//! Every format of the same findings, against `testdata/report/<case>/<format>.out`.

use narthex_diag::{
    Applicability, Code, Diagnostic, Edit, Severity, Source, SourceId, SourceMap, Span, Suggestion,
};
use narthex_report::{ColorChoice, FORMATS, Format, RenderOptions, Summary, render};
use narthex_testkit::Golden;

const RULES: &str = r#"groups:
  - name: api
    rules:
      - alert: HighErrorRate
        expr: |
          sum by (job) (rate(http_errors_total{job="api"}[5m]))
            > 0.5
        for: 10m
        annotations:
          summary: "{{ $labels.instance }} error rate is {{ $value }}"
"#;

struct Case {
    name: &'static str,
    sources: SourceMap,
    findings: Vec<Diagnostic>,
}

/// The span of the first occurrence of `needle`.
fn find(text: &str, needle: &str) -> Span {
    let start = text.find(needle).expect("the case contains what it marks");
    Span::new(start, start + needle.len())
}

fn case(name: &'static str, file: &str, text: &str, findings: Vec<Diagnostic>) -> Case {
    let mut sources = SourceMap::new();
    let id = sources.add(file, text);
    Case { name, sources, findings: findings.into_iter().map(|finding| finding.in_source(id)).collect() }
}

fn edit(span: Span, replacement: &str) -> Vec<Edit> {
    vec![Edit { span, replacement: replacement.to_owned() }]
}

fn label_lost() -> Case {
    let instance = find(RULES, "$labels.instance");
    let fix = Suggestion {
        message: "write `$labels.job`".into(),
        edits: edit(instance, "$labels.job"),
        applicability: Applicability::Unsafe,
    };
    let finding = Diagnostic::error(
        Code("TPL002"),
        "template reads label `instance`, which this alert never has",
        instance,
    )
    .with_label("always empty in notifications")
    .with_secondary(find(RULES, "by (job)"), "only `job` survives here")
    .with_note("labels of expr = { job = \"api\" } (closed set)")
    .with_suggestion(fix)
    .with_help("keep it with `sum by (job, instance)` on both sides")
    .about("alert HighErrorRate (group api)");
    case("label_lost", "rules/api.yml", RULES, vec![finding])
}

fn several_lines() -> Case {
    let text = "sum(\n  rate(a[5m])\n) / on (job, é) sum(b)\n";
    let findings = vec![
        Diagnostic::warning(
            Code("VEC001"),
            "the sides have different labels",
            Span::new(0, text.find(" /").unwrap_or(0)),
        )
        .with_label("this side has no label")
        .with_secondary(find(text, "sum(b)"), "nor has this one")
        .with_secondary(find(text, "é"), "é is never there")
        .with_note("first fact")
        .with_note("second fact\nover two lines"),
        Diagnostic::new(Code("STY001"), Severity::Info, "no unit in the name", find(text, "a[5m]")),
        Diagnostic::error(
            Code("SYN001"),
            "unexpected end of input, expected an expression",
            Span::empty_at(text.len()),
        ),
    ];
    case("several_lines", "q.promql", text, findings)
}

fn far_apart() -> Case {
    let text = format!("first: 1 é\n{}first: 2\n", "# füller\n".repeat(120));
    let again = Span::new(text.len() - 9, text.len() - 4);
    let fix = Suggestion {
        message: "remove the line".into(),
        edits: edit(Span::new(text.len() - 9, text.len()), ""),
        applicability: Applicability::Safe,
    };
    let finding = Diagnostic::error(Code("CFG002"), "key `first` is given twice", again)
        .with_label("given again")
        .with_secondary(Span::new(0, 5), "given first")
        .with_suggestion(fix);
    case("far_apart", "c:\\conf dir\\a,b.yml", &text, vec![finding])
}

fn long_line() -> Case {
    let text =
        format!("x: 1\n{{\"a\": \"{}\", \"bad\": 1, \"b\": \"{}\"}}\n", "é".repeat(900), "z".repeat(3000));
    let bad = find(&text, "\"bad\"");
    let fix =
        Suggestion { message: "drop it".into(), edits: edit(bad, ""), applicability: Applicability::Safe };
    let findings = vec![
        Diagnostic::error(Code("CFG001"), "unknown key `bad`", bad)
            .with_label("not a key of this object")
            .with_secondary(find(&text, "x: 1"), "beside this")
            .with_suggestion(fix),
        Diagnostic::warning(Code("CFG003"), "the text is very long", Span::new(12, 1700))
            .with_label("this one"),
    ];
    case("long_line", "one-line.json", &text, findings)
}

fn hostile() -> Case {
    let text = "a\u{1b}[31m\rb\u{2028}c\u{202e}\n\ttab 100%\n";
    let findings = vec![
        Diagnostic::error(Code("LEX001"), "escape \u{1b}[2J in\r\nthe text, 100% bad", Span::new(1, 2))
            .with_label("two\nlines")
            .about("a, b: c\nd"),
        Diagnostic::warning(Code("LEX002"), "past the end", Span::new(500, 900)),
        Diagnostic::warning(Code("LEX002"), "inside a character", Span::new(9, 10)),
        Diagnostic::warning(Code("LEX003"), "a tab", find(text, "\t"))
            .with_secondary(find(text, "100"), "wide"),
    ];
    case("hostile", "we\u{1b}ird:%,\n.yml", text, findings)
}

fn without_source() -> Case {
    let findings = vec![
        Diagnostic::error(Code("IO001"), "cannot read the folder", Span::new(3, 9))
            .with_note("permission denied")
            .with_help("run it as the owner")
            .about("rules/"),
        Diagnostic::new(Code("IO002"), Severity::Info, "a source nobody knows", Span::new(0, 1))
            .in_source(SourceId(7)),
    ];
    Case { name: "without_source", sources: SourceMap::new(), findings }
}

fn cases() -> Vec<Case> {
    let none = Case { name: "nothing", sources: SourceMap::new(), findings: Vec::new() };
    vec![label_lost(), several_lines(), far_apart(), long_line(), hostile(), without_source(), none]
}

fn describe(code: Code) -> Option<&'static str> {
    (code == Code("TPL002")).then_some("A template reads a label that the alert never has.")
}

#[test]
fn every_format_of_every_case() {
    let options = RenderOptions { color: ColorChoice::Never, describe };
    let mut golden = Golden::of("report", "out");
    for case in cases() {
        for spec in FORMATS {
            let text = render(spec.format, &case.findings, &case.sources, &options);
            golden.check(&format!("{}/{}", case.name, spec.name), &text);
        }
    }
    let colored = RenderOptions { color: ColorChoice::Always, describe };
    let case = label_lost();
    let text = render(Format::Full, &case.findings, &case.sources, &colored);
    golden.check("label_lost/full_colored", &text.replace('\u{1b}', "ESC"));
    golden.finish();
}

#[test]
fn without_colors_no_terminal_is_told_anything() {
    let plain = RenderOptions::plain();
    for case in cases() {
        for format in [Format::Full, Format::Concise] {
            let text = render(format, &case.findings, &case.sources, &plain);
            let obeyed =
                text.chars().find(|&c| c != '\n' && (c.is_control() || c == '\u{202e}') && c != '\t');
            assert_eq!(obeyed, None, "{format} of {}", case.name);
            assert!(text.lines().all(|line| line.trim_end() == line), "{text}");
        }
    }
}

#[test]
fn machine_formats_are_valid_json_with_one_record_each() {
    for case in cases() {
        let parse = |format| -> serde_json::Value {
            serde_json::from_str(&render(format, &case.findings, &case.sources, &RenderOptions::plain()))
                .unwrap()
        };
        let json = parse(Format::Json);
        assert_eq!(json.as_array().unwrap().len(), case.findings.len());
        let sarif = parse(Format::Sarif);
        let run = &sarif["runs"][0];
        for (finding, result) in case.findings.iter().zip(run["results"].as_array().unwrap()) {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(run["tool"]["driver"]["rules"][index]["id"], finding.code.0);
        }
    }
}

#[test]
fn github_commands_stay_on_one_line_each() {
    for case in cases() {
        let text = render(Format::Github, &case.findings, &case.sources, &RenderOptions::plain());
        assert_eq!(text.lines().count(), case.findings.len());
        assert!(text.lines().all(|line| line.starts_with("::") && !line.contains('\r')));
    }
}

#[test]
fn a_huge_line_with_many_findings_is_drawn_in_bounded_space() {
    let text = "metric_name_total + ".repeat(200_000);
    let mut sources = SourceMap::new();
    let id = sources.push(Source::new("huge", text));
    let finding = |at: usize| Diagnostic::error(Code("X001"), "wrong", Span::new(at, at + 18)).in_source(id);
    let findings: Vec<Diagnostic> = (0..1000).map(|index| finding(index * 4_000)).collect();
    for spec in FORMATS {
        let text = render(spec.format, &findings, &sources, &RenderOptions::plain());
        assert!(text.len() < 1_500 * findings.len(), "{}: {} bytes", spec.name, text.len());
    }
    assert_eq!(Summary::of(&findings).to_string(), "Found 1000 errors");
}
