//! Any text as a template: rendering ends within its limits, reads are found where they stand.

use narthex_model::{Labels, SampleValue};
use narthex_template::{
    Data, Dialect, Limits, ParseOptions, QuerySource, Sample, Template, calls_of, label_reads, parse,
    parse_with, render,
};

use crate::input::{check_places, fits, text};

const LIMITS: Limits = Limits { output_bytes_max: 4096, steps_max: 10_000 };

/// See the module.
pub fn target(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let console = parse_with(text, ParseOptions { dialect: Dialect::Console });
    console.diagnostics.iter().for_each(|found| check_places(found, text));
    let parsed = parse(text);
    parsed.diagnostics.iter().for_each(|found| check_places(found, text));
    assert!(label_reads(&parsed.template).iter().all(|read| fits(read.span, text)));
    calls_of(&parsed.template, "query");
    if let Ok(template) = parsed.into_result() {
        check_rendered(&template, text);
    }
}

fn check_rendered(template: &Template, text: &str) {
    match render(template, &alert(), &Fixed, LIMITS) {
        Ok(out) => assert!(out.len() <= LIMITS.output_bytes_max),
        Err(error) => {
            check_places(&error.to_diagnostic(), text);
            error.to_server_text(template, "__alert_A");
        }
    }
}

fn alert() -> Data {
    Data {
        labels: Labels::from_pairs([("instance", "web-1.example.org:9090"), ("job", "api")]),
        external_labels: Labels::from_pairs([("region", "eu")]),
        external_url: "https://mon.example.org/prom?x=1".to_owned(),
        value: SampleValue::Float(0.25),
        now_ms: 1_767_607_200_000,
    }
}

/// Answers every query with two samples.
struct Fixed;

impl QuerySource for Fixed {
    fn query(&self, _: &str, _: i64) -> Result<Vec<Sample>, String> {
        let sample = |instance, value| Sample {
            labels: Labels::from_pairs([("__name__", "up"), ("instance", instance)]),
            value: SampleValue::Float(value),
        };
        Ok(vec![sample("b", 1.0), sample("a", -0.5)])
    }
}
