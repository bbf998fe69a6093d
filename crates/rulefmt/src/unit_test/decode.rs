//! From text to tests, with every error of the file.

use narthex_diag::{Diagnostic, Diagnostics, Span, Spanned};
use narthex_model::duration::DURATION_MAX_MS;
use narthex_model::instant::parse_time;
use narthex_model::{PromDuration, Timestamp};
use narthex_yaml::{DecodeOptions, Decoder, Fields, FromYaml, Node};

use super::{
    AlertTest, CheckTimes, ExpectedAlert, ExpectedSample, ExpectedState, ExprTest, InputSeries, Matching,
    TestGroup, TimelineEntry, UnitTestFile, UnitTestOptions, UnitTestParse,
};
use crate::decode::read_duration;
use crate::query::QueryText;
use crate::text::Text;
use crate::{BAD_SHAPE, DUPLICATE, INVALID_DURATION_OR_LIMIT};

const FILE_FIELDS: &[&str] = &[
    "rule_files",
    "evaluation_interval",
    "group_eval_order",
    "tests",
    "fuzzy_compare",
    "per_group_interval",
];
const GROUP_FIELDS: &[&str] = &[
    "interval",
    "input_series",
    "alert_rule_test",
    "promql_expr_test",
    "external_labels",
    "external_url",
    "name",
    "start_timestamp",
];
const SERIES_FIELDS: &[&str] = &["series", "values"];
const ALERT_TEST_FIELDS: &[&str] =
    &["eval_time", "alertname", "exp_alerts", "eval_times", "until", "match", "exp_pending", "exp_timeline"];
const ALERT_FIELDS: &[&str] = &["exp_labels", "exp_annotations", "exp_absent_labels"];
const EXPR_TEST_FIELDS: &[&str] = &["expr", "eval_time", "exp_samples", "eval_times", "until"];
const SAMPLE_FIELDS: &[&str] = &["labels", "value", "histogram"];

/// Reads a unit-test file. Only the first document of the text is one.
pub fn parse(text: &str, options: &UnitTestOptions) -> UnitTestParse {
    let parsed = narthex_yaml::parse(text);
    let decoder = Decoder::new(DecodeOptions { unknown_fields: options.unknown_fields });
    let mut reader = Reader { text, options, decoder };
    let file = parsed.root().and_then(|root| reader.file(root)).unwrap_or_default();
    let mut diagnostics = Diagnostics::new();
    diagnostics.extend(parsed.diagnostics);
    diagnostics.extend(reader.decoder.finish());
    UnitTestParse { file, diagnostics: diagnostics.into_sorted() }
}

/// Reads nodes into a file.
struct Reader<'a> {
    text: &'a str,
    options: &'a UnitTestOptions,
    decoder: Decoder,
}

impl Reader<'_> {
    fn file(&mut self, root: Node<'_>) -> Option<UnitTestFile> {
        let fields = self.decoder.mapping(root, "unit-test file", FILE_FIELDS)?;
        let file = UnitTestFile {
            rule_files: self.decoder.field(&fields, "rule_files").unwrap_or_default(),
            evaluation_interval: self.duration(&fields, "evaluation_interval"),
            group_eval_order: self.decoder.field(&fields, "group_eval_order").unwrap_or_default(),
            fuzzy_compare: self.decoder.field(&fields, "fuzzy_compare").unwrap_or(false),
            per_group_interval: self.decoder.field(&fields, "per_group_interval").unwrap_or(false),
            tests: self.items(&fields, "tests", Reader::test_group),
        };
        self.check_order(&file.group_eval_order);
        Some(file)
    }

    fn check_order(&mut self, order: &[Text]) {
        for (place, name) in order.iter().enumerate() {
            if let Some(first) = order[..place].iter().find(|other| other.value == name.value) {
                let message = format!("group name repeated in evaluation order: {}", name.value);
                let error = Diagnostic::error(DUPLICATE, message, name.span()).with_label("named again here");
                self.decoder.push(error.with_secondary(first.span(), "first named here"));
            }
        }
    }

    fn test_group(&mut self, node: Node<'_>) -> Option<TestGroup> {
        let fields = self.decoder.mapping(node, "test group", GROUP_FIELDS)?;
        Some(TestGroup {
            name: self.string(node, &fields, "name"),
            interval: self.duration(&fields, "interval"),
            input_series: self.items(&fields, "input_series", Reader::input_series),
            alert_tests: self.items(&fields, "alert_rule_test", Reader::alert_test),
            expr_tests: self.items(&fields, "promql_expr_test", Reader::expr_test),
            external_labels: self.pairs(&fields, "external_labels"),
            external_url: self.string(node, &fields, "external_url"),
            start_ms: self.start(&fields),
            span: node.span(),
        })
    }

    fn input_series(&mut self, node: Node<'_>) -> Option<InputSeries> {
        let fields = self.decoder.mapping(node, "input series", SERIES_FIELDS)?;
        Some(InputSeries {
            series: self.string(node, &fields, "series"),
            values: self.string(node, &fields, "values"),
        })
    }

    fn alert_test(&mut self, node: Node<'_>) -> Option<AlertTest> {
        let fields = self.decoder.mapping(node, "alert test", ALERT_TEST_FIELDS)?;
        let alerts = |reader: &mut Self, name| {
            fields.get(name).map(|_| reader.items(&fields, name, Reader::expected_alert))
        };
        Some(AlertTest {
            times: self.times(node, &fields),
            alertname: self.string(node, &fields, "alertname"),
            firing: alerts(self, "exp_alerts"),
            pending: alerts(self, "exp_pending"),
            timeline: self.timeline(&fields),
            matching: self.matching(&fields),
            span: node.span(),
        })
    }

    fn expected_alert(&mut self, node: Node<'_>) -> Option<ExpectedAlert> {
        let fields = self.decoder.mapping(node, "expected alert", ALERT_FIELDS)?;
        Some(ExpectedAlert {
            labels: self.pairs(&fields, "exp_labels"),
            annotations: self.pairs(&fields, "exp_annotations"),
            absent_labels: self.decoder.field(&fields, "exp_absent_labels").unwrap_or_default(),
            span: node.span(),
        })
    }

    fn expr_test(&mut self, node: Node<'_>) -> Option<ExprTest> {
        let fields = self.decoder.mapping(node, "expression test", EXPR_TEST_FIELDS)?;
        let expr = self.string(node, &fields, "expr");
        Some(ExprTest {
            expr: QueryText::new(expr, self.text, &self.options.promql),
            times: self.times(node, &fields),
            samples: self.items(&fields, "exp_samples", Reader::expected_sample),
            span: node.span(),
        })
    }

    fn expected_sample(&mut self, node: Node<'_>) -> Option<ExpectedSample> {
        let fields = self.decoder.mapping(node, "expected sample", SAMPLE_FIELDS)?;
        Some(ExpectedSample {
            labels: self.string(node, &fields, "labels"),
            value: self.decoder.field(&fields, "value").unwrap_or(0.0),
            histogram: self.string(node, &fields, "histogram"),
            span: node.span(),
        })
    }

    /// The items of a sequence; those that cannot be read are left out.
    fn items<T>(
        &mut self,
        fields: &Fields<'_>,
        name: &'static str,
        mut read: impl FnMut(&mut Self, Node<'_>) -> Option<T>,
    ) -> Vec<T> {
        let Some(field) = fields.get(name) else { return Vec::new() };
        self.decoder.enter_key(name);
        let nodes = self.decoder.sequence(field.value, "a sequence").unwrap_or_default();
        let mut items = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.into_iter().enumerate() {
            self.decoder.enter_index(index);
            items.extend(read(self, node));
            self.decoder.leave();
        }
        self.decoder.leave();
        items
    }

    /// Empty where it is not set.
    fn string(&mut self, node: Node<'_>, fields: &Fields<'_>, name: &str) -> Text {
        self.decoder.field(fields, name).unwrap_or_else(|| Text::empty_at(node.span().start))
    }

    fn duration(&mut self, fields: &Fields<'_>, name: &str) -> Option<Spanned<i64>> {
        let duration = read_duration(&mut self.decoder, fields, name)?;
        Some(duration.map(|duration| duration.ms))
    }

    fn pairs(&mut self, fields: &Fields<'_>, name: &str) -> Vec<(Text, Text)> {
        let Some(field) = fields.get(name) else { return Vec::new() };
        self.decoder.at_key(name, |decoder| {
            let entries = decoder.open_mapping(field.value, name).unwrap_or_default();
            let pair = |entry: &narthex_yaml::Field<'_>| {
                let value = decoder.at_key(entry.name(), |decoder| Text::from_yaml(entry.value, decoder))?;
                Some((Text::of(entry.key, entry.value.site()), value))
            };
            entries.iter().filter_map(pair).collect()
        })
    }

    fn times(&mut self, node: Node<'_>, fields: &Fields<'_>) -> CheckTimes {
        let single = self.duration(fields, "eval_time");
        let at = match fields.get("eval_times") {
            None => Vec::new(),
            Some(field) => {
                if single.is_some() {
                    let message = "only one of 'eval_time' and 'eval_times' must be set";
                    self.decoder.push(Diagnostic::error(BAD_SHAPE, message, field.key.source.span));
                }
                self.items(fields, "eval_times", Reader::one_duration)
            }
        };
        // As promtool has it, a time that is not set is the start.
        let start = Spanned::new(0, Span::empty_at(node.span().start as usize));
        let at = if at.is_empty() { vec![single.unwrap_or(start)] } else { at };
        CheckTimes { at, until: self.duration(fields, "until") }
    }

    fn one_duration(&mut self, node: Node<'_>) -> Option<Spanned<i64>> {
        let text = Text::from_yaml(node, &mut self.decoder)?;
        self.time_of(&text)
    }

    fn time_of(&mut self, text: &Text) -> Option<Spanned<i64>> {
        let duration = PromDuration::parse(&text.value);
        if let Err(error) = &duration {
            let message = format!("invalid time: {error}");
            self.decoder.push(Diagnostic::error(INVALID_DURATION_OR_LIMIT, message, text.span()));
        }
        duration.ok().map(|duration| Spanned::new(duration.ms, text.span()))
    }

    fn start(&mut self, fields: &Fields<'_>) -> Option<Spanned<Timestamp>> {
        let text: Text = self.decoder.field(fields, "start_timestamp")?;
        // Times further away than any duration leave no room for a test after them.
        let in_reach = |at_ms: Timestamp| match at_ms.unsigned_abs() <= DURATION_MAX_MS.unsigned_abs() {
            true => Ok(at_ms),
            false => Err(format!("{:?} is too far from 1970", text.value)),
        };
        match parse_time(&text.value).and_then(in_reach) {
            Ok(at_ms) => Some(Spanned::new(at_ms, text.span())),
            Err(error) => {
                let error = Diagnostic::error(BAD_SHAPE, error, text.span());
                self.decoder
                    .push(error.with_help("a Unix time in seconds or RFC 3339: `2026-01-05T10:30:00Z`"));
                None
            }
        }
    }

    fn matching(&mut self, fields: &Fields<'_>) -> Matching {
        let Some(text) = self.decoder.field::<Text>(fields, "match") else { return Matching::Exact };
        match text.value.as_str() {
            "exact" => Matching::Exact,
            "subset" => Matching::Subset,
            other => {
                let message = format!("expected `exact` or `subset` as 'match', found {other:?}");
                self.decoder.push(Diagnostic::error(BAD_SHAPE, message, text.span()));
                Matching::Exact
            }
        }
    }

    fn timeline(&mut self, fields: &Fields<'_>) -> Vec<TimelineEntry> {
        let entries = self.pairs(fields, "exp_timeline");
        let mut timeline = Vec::with_capacity(entries.len());
        for (from, state) in entries {
            let Some(Spanned { value: from_ms, .. }) = self.time_of(&from) else { continue };
            let Some(known) = expected_state(&state.value) else {
                let message =
                    format!("expected `inactive`, `pending` or `firing` as state, found {:?}", state.value);
                self.decoder.push(Diagnostic::error(BAD_SHAPE, message, state.span()));
                continue;
            };
            timeline.push(TimelineEntry { from_ms, state: known, span: from.span().to(state.span()) });
        }
        timeline.sort_by_key(|entry| entry.from_ms);
        timeline
    }
}

fn expected_state(text: &str) -> Option<ExpectedState> {
    match text {
        "inactive" => Some(ExpectedState::Inactive),
        "pending" => Some(ExpectedState::Pending),
        "firing" => Some(ExpectedState::Firing),
        _ => None,
    }
}
