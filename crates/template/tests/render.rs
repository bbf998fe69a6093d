//! What templates become, recorded in `testdata/template/render`.
//!
//! A case is a line beginning with `> ` and those after it beginning with `| `; the runner writes the output as lines
//! beginning with `< `, or `! start..end message`. A line `$ value 1.5` sets the value for the cases after it. Lines
//! beginning with `#` are comments.

use narthex_model::{FloatHistogram, Labels, SampleValue};
use narthex_template::{Data, Limits, QuerySource, Sample, parse, render};
use proptest::prelude::*;

#[test]
fn outputs_are_as_recorded() {
    for fixture in narthex_testkit::fixtures("template/render", "txt") {
        let actual = recorded(&fixture.text);
        narthex_testkit::golden(format!("template/render/{}.txt", fixture.name), &actual);
    }
}

#[test]
fn limits_hold() {
    let limits = Limits { output_bytes_max: 100, steps_max: 1000 };
    let failure = |template: &str| {
        let template = parse(template).into_result().expect("it parses");
        render(&template, &data(1.0), &Database, limits).expect_err("it is too much").message
    };
    assert_eq!(failure("{{ range 1000000000 }}{{ end }}"), "template takes too many steps");
    assert_eq!(failure("{{ range 200 }}x{{ end }}"), "output is too long");
    assert_eq!(failure("{{ printf \"%999999d\" 1 }}"), "error calling printf: text exceeds 100 bytes");
    let recursion = failure("{{ define \"a\" }}{{ template \"a\" . }}{{ end }}{{ template \"a\" . }}");
    assert_eq!(recursion, "exceeded maximum template depth (256)");
}

#[test]
fn errors_read_as_a_server_words_them() {
    let text = |template: &str| {
        let template = parse(template).into_result().expect("it parses");
        let error = render(&template, &data(1.0), &Database, Limits::GENEROUS).expect_err("it fails");
        error.to_server_text(&template, "__alert_Down")
    };
    assert_eq!(
        text("{{ $labels.none | humanize }}"),
        "template: __alert_Down:1:130: executing \"__alert_Down\" at <humanize>: error calling humanize: \
         strconv.ParseFloat: parsing \"\": invalid syntax"
    );
    assert_eq!(
        text("a\n{{ define \"d\" }}{{ .a.b }}{{ end }}{{ template \"d\" .Labels }}"),
        "template: __alert_Down:2:21: executing \"d\" at <.a.b>: can't evaluate field b in type string"
    );
}

#[test]
fn a_histogram_prints_but_is_no_number() {
    let histogram = FloatHistogram { count: 3.0, sum: 4.5, ..FloatHistogram::default() };
    let data = Data { value: SampleValue::from(histogram.clone()), ..data(0.0) };
    let rendered = |template: &str| {
        let template = parse(template).into_result().expect("it parses");
        render(&template, &data, &Database, Limits::GENEROUS).map_err(|error| error.message)
    };
    let expected = format!("{histogram} 4.5");
    assert_eq!(rendered("{{ $value }} {{ $value.Sum }}"), Ok(expected));
    assert_eq!(
        rendered("{{ $value | humanize }}"),
        Err("error calling humanize: can't convert *histogram.FloatHistogram to float".to_owned())
    );
}

fn data(value: f64) -> Data {
    Data {
        labels: Labels::from_pairs([("instance", "web-1.example.org:9090"), ("job", "api"), ("code", "500")]),
        external_labels: Labels::from_pairs([("region", "eu"), ("replica", "a")]),
        external_url: "https://mon.example.org/prom?x=1".to_owned(),
        value: SampleValue::Float(value),
        now_ms: 1_435_065_584_128,
    }
}

/// Knows `up` with three samples and `none` without.
struct Database;

impl QuerySource for Database {
    fn query(&self, expression: &str, _: i64) -> Result<Vec<Sample>, String> {
        let sample = |instance, value| Sample {
            labels: Labels::from_pairs([("__name__", "up"), ("instance", instance), ("__value__", "v")]),
            value: SampleValue::Float(value),
        };
        match expression {
            "up" => Ok(vec![sample("b", 1.0), sample("c", 0.5), sample("a", 11.0)]),
            "none" => Ok(Vec::new()),
            _ => Err(format!("unknown query {expression}")),
        }
    }
}

fn recorded(fixture: &str) -> String {
    let mut out = String::new();
    let mut value = 1234.5678;
    let mut lines = fixture.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(number) = line.strip_prefix("$ value ") {
            value = number.parse().expect("a float");
        }
        let Some(first) = line.strip_prefix("> ") else {
            if line.is_empty() || line.starts_with(['#', '$']) {
                out += &format!("{line}\n");
            }
            continue;
        };
        let mut template = first.to_owned();
        while let Some(more) = lines.next_if(|next| next.starts_with("| ")) {
            template += &more.replacen("| ", "\n", 1);
        }
        out += &format!("> {}\n{}", template.replace('\n', "\n| "), verdict(&template, value));
    }
    out
}

fn verdict(template: &str, value: f64) -> String {
    let parsed = parse(template);
    if let Some(first) = parsed.diagnostics.first() {
        return format!("! {:?} does not parse: {}\n", first.span(), first.message);
    }
    match render(&parsed.template, &data(value), &Database, Limits::GENEROUS) {
        Ok(text) => format!("< {}\n", text.replace('\n', "\n< ")),
        Err(error) => format!("! {:?} {}\n", error.span, error.message),
    }
}

/// Actions that run, in any order and nesting.
const ACTIONS: &str = r#"(\{\{ (if|with|range) \.Labels \}\}|\{\{ end \}\}|\{\{ else \}\}|\{\{ (print|len|index|slice|html|js|title|humanize|toTime|first|eq|printf "%x %5.2v %q") (\.|\$labels|\$value|1|-1|"é"|nil|\(query "up"\)|\(args 1 "b"\))( (\.|1|"job"|nil))? \}\}|\{\{ \$x := 1 \}\}|\{\{ range 3 \}\}|\{\{ break \}\}|é )*"#;

proptest! {
    #[test]
    fn no_template_brings_the_renderer_down(text in ACTIONS) {
        let parsed = parse(&text);
        let limits = Limits { output_bytes_max: 10_000, steps_max: 10_000 };
        if let Err(error) = render(&parsed.template, &data(1.5), &Database, limits) {
            prop_assert!(text.get(error.span.range()).is_some());
        }
    }
}
