//! WIN007: a subquery whose step is no shorter than its range.

use narthex_diag::{Code, Severity};
use narthex_promql::Expr;
use narthex_promql::ast::DurationScope;

use crate::context::{Findings, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct SubqueryResolution;

static SPEC: LintSpec = LintSpec {
    code: Code("WIN007"),
    name: "subquery-resolution",
    class: Class::Proof,
    severity: Severity::Warning,
    default: DefaultState::On,
    fix: None,
    summary: "a subquery whose step is longer than its range",
    explanation: "\
The inner expression is evaluated at the multiples of the step.\n\
With a step longer than the range most evaluations find no such time in the range, and the result is empty; the others see one value only.\n\
Range and step are easily confused: it is `[range:step]`.",
    bad: "- alert: High\n  expr: 'max_over_time(load[1m:10m]) > 5'\n",
    good: "- alert: High\n  expr: 'max_over_time(load[10m:1m]) > 5'\n",
};

impl Lint for SubqueryResolution {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        let scope = DurationScope { step_ms: 0, range_ms: 0 };
        for node in rule.analysis.nodes() {
            let Expr::Subquery(subquery) = node.expr else { continue };
            let Some(step) = &subquery.step else { continue };
            let (Ok(range_ms), Ok(step_ms)) = (subquery.range.evaluate_ms(scope), step.evaluate_ms(scope))
            else {
                continue;
            };
            if step_ms > range_ms {
                let finding = rule.in_expr(&SPEC, "the step is longer than the range", subquery.brackets);
                findings.push(
                    finding
                        .with_note("most evaluations see no value at all")
                        .with_help("write the range first: `[range:step]`"),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn steps() {
        check("WIN007", "max_over_time(x[1m:5m]) > 1", &["[1m:5m]"]);
        check("WIN007", "max_over_time(x[5m:5m]) > 1", &[]);
        check("WIN007", "max_over_time(x[5m:]) > 1", &[]);
    }
}
