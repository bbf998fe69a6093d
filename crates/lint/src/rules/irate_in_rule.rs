//! MET005: `irate` in a rule.

use narthex_diag::{Applicability, Code, Severity};
use narthex_promql::Expr;
use narthex_promql::functions::{FunctionId, RateFunction};

use crate::context::{Findings, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct IrateInRule;

static SPEC: LintSpec = LintSpec {
    code: Code("MET005"),
    name: "irate-in-rule",
    class: Class::Policy,
    severity: Severity::Warning,
    default: DefaultState::On,
    fix: Some(Applicability::Unsafe),
    summary: "`irate` in a rule",
    explanation: "\
`irate` looks at the last two samples of the window only.\n\
Between two evaluations everything else is lost, and one calm sample resets a pending alert.\n\
Use `rate`, which averages over the window; `irate` is for graphs that are zoomed in.",
    bad: "- alert: Busy\n  expr: irate(cpu_seconds_total[5m]) > 0.9\n",
    good: "- alert: Busy\n  expr: rate(cpu_seconds_total[5m]) > 0.9\n",
};

impl Lint for IrateInRule {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        for node in rule.analysis.nodes() {
            let Expr::Call(call) = node.expr else { continue };
            if call.function != Some(FunctionId::Rate(RateFunction::Irate)) {
                continue;
            }
            let finding = rule.in_expr(&SPEC, "`irate` sees two samples of its window only", call.name);
            let fix = rule.expr_suggestion(
                "average over the window",
                &[(call.name, "rate")],
                Applicability::Unsafe,
            );
            findings
                .push(finding.with_note("what happens between evaluations is missed").with_suggestion(fix));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix};

    #[test]
    fn irate_becomes_rate() {
        check("MET005", "sum(irate(a[5m])) > irate(b[5m])", &["irate", "irate"]);
        check("MET005", "rate(a[5m]) > 1", &[]);
        check_fix("MET005", "irate(a[5m]) > 1", "rate(a[5m]) > 1");
    }
}
