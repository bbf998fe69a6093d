//! Which rules the tests ask for: alerts by name, series by selector. As promtool counts them.

use narthex_model::Matcher;
use narthex_model::labels::METRIC_NAME;
use narthex_promql::Expr;
use narthex_promql::ast::visit::walk;
use narthex_rulefmt::unit_test::TestGroup;
use narthex_rules::RuleDefinition;
use narthex_rules::alerting::{ALERT_NAME, ALERTS, ALERTS_FOR_STATE};

/// What a test asks for.
pub(super) struct Asked<'t> {
    alertnames: Vec<&'t str>,
    selectors: Vec<Vec<Matcher>>,
}

impl<'t> Asked<'t> {
    pub(super) fn by(test: &'t TestGroup) -> Asked<'t> {
        let mut selectors = Vec::new();
        for one in &test.expr_tests {
            walk(&one.expr.parse.expr, &mut |expr| {
                let selector = match expr {
                    Expr::Selector(selector) => selector,
                    Expr::Matrix(matrix) => &matrix.selector,
                    _ => return,
                };
                selectors.push(selector.all_matchers().collect());
            });
        }
        Asked {
            alertnames: test.alert_tests.iter().map(|one| one.alertname.value.as_str()).collect(),
            selectors,
        }
    }

    pub(super) fn asks_for(&self, rule: &RuleDefinition) -> bool {
        let by_name = rule.is_alerting() && self.alertnames.contains(&rule.name.as_str());
        by_name || self.selectors.iter().any(|selector| selects(selector, rule))
    }
}

/// Whether a selector certainly means the rule: it names the metric, of an alert the alert as well, and no label that the
/// rule sets contradicts it.
fn selects(selector: &[Matcher], rule: &RuleDefinition) -> bool {
    let on = |name: &'static str| selector.iter().filter(move |matcher| matcher.name() == name);
    let Some(metric) = on(METRIC_NAME).next() else { return false };
    let is_named = match rule.is_alerting() {
        false => metric.matches(&rule.name),
        true => {
            let mut alertnames = on(ALERT_NAME).peekable();
            let is_series_of_alerts = metric.matches(ALERTS) || metric.matches(ALERTS_FOR_STATE);
            is_series_of_alerts
                && alertnames.peek().is_some()
                && alertnames.all(|matcher| matcher.matches(&rule.name))
        }
    };
    let is_compatible = |matcher: &Matcher| {
        let is_name = [METRIC_NAME, ALERT_NAME].contains(&matcher.name());
        is_name || rule.labels().get(matcher.name()).is_none_or(|value| matcher.matches(value))
    };
    is_named && selector.iter().all(is_compatible)
}
