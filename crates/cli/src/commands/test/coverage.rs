//! Coverage for people.

use std::fmt::Write;

use narthex_ruletest::Coverage;
use narthex_ruletest::coverage::PointKind;

/// A percentage as it is shown: what is compared with what is wanted.
pub(super) fn shown(percentage: f64) -> f64 {
    (percentage * 10.0).round() / 10.0
}

/// How much is covered.
pub(super) fn share(coverage: &Coverage) -> String {
    if coverage.points().next().is_none() {
        return "there is nothing to cover".to_owned();
    }
    format!("{:.1} % covered", coverage.percentage())
}

/// A line per kind, then a line per gap.
pub(super) fn write(coverage: &Coverage) -> String {
    let mut text = share(coverage) + "\n";
    for kind in PointKind::ALL {
        let (covered, all) = coverage.of_kind(kind);
        if all > 0 {
            let _ = writeln!(text, "  {covered} of {all} {}", kind.plural());
        }
    }
    for (point, _) in coverage.points().filter(|(_, is_covered)| !is_covered) {
        let _ =
            writeln!(text, "{}:{}:{}: {}: {}", point.file, point.line, point.column, point.rule, point.gap);
    }
    text
}
