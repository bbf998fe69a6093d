//! REC001: a rule that reads what a later rule of its group records.

use narthex_diag::{Code, Severity};
use narthex_promql::ast::{DurationScope, VectorSelector};
use narthex_rulefmt::RuleFile;

use crate::context::{Findings, RuleContext};
use crate::records::{RecordRef, recording_rule, selectors};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct ReadBeforeRecord;

static SPEC: LintSpec = LintSpec {
    code: Code("REC001"),
    name: "read-before-record",
    class: Class::Proof,
    severity: Severity::Warning,
    default: DefaultState::On,
    fix: None,
    summary: "a rule reads series that a later rule of its group records",
    explanation: "\
The rules of a group are evaluated in their order, all for the same time.\n\
A rule that reads what is recorded below it sees the value of the previous evaluation: everything is late by one interval, and after a gap there is nothing to read.\n\
Move the recording rule up.",
    bad: "- alert: Errors\n  expr: job:errors:rate5m > 1\n- record: job:errors:rate5m\n  expr: sum by (job) (rate(errors_total[5m]))\n",
    good: "- record: job:errors:rate5m\n  expr: sum by (job) (rate(errors_total[5m]))\n- alert: Errors\n  expr: job:errors:rate5m > 1\n",
};

impl Lint for ReadBeforeRecord {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        let file = &rule.group.file;
        let mut reported = Vec::new();
        for &selector in &rule.selectors {
            if looks_back(selector) {
                continue;
            }
            let of_group = || {
                let records = file.records.read_by(&file.parse.file, selector);
                records.filter(|at| at.group == rule.group.at && !refines_itself(&file.parse.file, *at))
            };
            let is_recorded_before = of_group().any(|at| at.rule < rule.at);
            let later = of_group().find(|at| at.rule > rule.at);
            let is_news = |later: &RecordRef| !is_recorded_before && !reported.contains(later);
            if let Some(later) = later.filter(is_news) {
                reported.push(later);
                report(rule, selector, later, findings);
            }
        }
    }
}

/// Whether a record reads series of its own name: then there are others of that name, and it only adds to them.
fn refines_itself(file: &RuleFile, at: RecordRef) -> bool {
    recording_rule(file, at).is_some_and(|(_, record)| {
        let name = record.record.value.as_str();
        let read = selectors(&record.expr.parse.expr);
        read.iter().any(|one| one.name.as_ref().is_some_and(|read| &*read.value == name))
    })
}

/// Whether the selector asks for the past anyway.
fn looks_back(selector: &VectorSelector) -> bool {
    let offset = selector.modifiers.offset.as_ref();
    let offset_ms = offset.map(|offset| offset.value.evaluate_ms(DurationScope { step_ms: 0, range_ms: 0 }));
    offset_ms.is_some_and(|offset| offset.is_ok_and(|offset_ms| offset_ms > 0))
        || selector.modifiers.at.is_some()
}

fn report(rule: &RuleContext<'_>, selector: &VectorSelector, later: RecordRef, findings: &mut Findings) {
    let Some((_, record)) = recording_rule(&rule.group.file.parse.file, later) else { return };
    let name = &record.record.value;
    let span = selector.name.as_ref().map_or(selector.span, |name| name.span);
    findings.push(
        rule.in_expr(&SPEC, format!("`{name}` is recorded later in this group"), span)
            .with_label("this is the value of the previous evaluation")
            .with_secondary(record.record.span(), "recorded here")
            .with_help(format!("move the rule that records `{name}` before this one")),
    );
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn the_order_of_a_group() {
        let record = "- record: a:b\n  expr: sum(b)\n";
        let alert = "- alert: A\n  expr: a:b > 1\n";
        check("REC001", &format!("{alert}{record}"), &["a:b"]);
        check("REC001", &format!("{record}{alert}"), &[]);
        check("REC001", &format!("{record}{alert}{record}"), &[]);
        check("REC001", &format!("- alert: A\n  expr: a:b offset 5m > 1\n{record}"), &[]);
        check("REC001", "- record: a:b\n  expr: a:b + 1", &[]);
        check("REC001", "- alert: A\n  expr: b + b > 1\n- record: b\n  expr: sum(c)", &["b"]);
        check("REC001", "- alert: A\n  expr: b > 1\n- record: b\n  expr: b * 2\n  labels: {x: y}", &[]);
    }

    #[test]
    fn labels_tell_records_of_one_name_apart() {
        let records = "- record: a:b\n  expr: sum(b)\n  labels: {w: 1h}\n";
        let alert = |w: &str| format!("- alert: A\n  expr: a:b{{w=\"{w}\"}} > 1\n{records}");
        check("REC001", &alert("1h"), &["a:b"]);
        check("REC001", &alert("5m"), &[]);
    }
}
