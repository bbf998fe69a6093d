//! All lints: the one table, in the order of their codes.

mod absent_loses_labels;
mod aggregate_then_rate;
mod always_true_comparison;
mod average_of_quantiles;
pub(crate) mod bad_suppression;
mod bool_in_alert;
mod constant_alert;
mod contradictory_condition;
mod contradictory_matchers;
mod dependency_cycle;
mod empty_label;
mod flapping_selection;
mod for_outlives_window;
mod future_or_pinned_time;
mod identical_rule;
mod ignored_document;
mod implicit_non_string;
mod irate_in_rule;
mod label_already_removed;
mod label_override;
mod le_lost;
mod nan_or_zero_division;
mod never_matches_labels;
mod never_matches_values;
mod never_true;
mod no_condition;
mod phi_out_of_range;
mod printf_verb;
mod read_before_record;
mod redundant_anchor;
mod redundant_default;
mod regex_in_equality;
mod regex_is_literal;
mod rule_label_in_template;
mod self_reference;
mod subquery_resolution;
mod template_in_alert_name;
mod unexpanded_variable;
mod unknown_label;
pub(crate) mod unused_suppression;
mod value_in_identity;

use narthex_diag::Code;

use crate::spec::{Lint, LintSpec};

/// Every lint.
pub const LINTS: &[&dyn Lint] = &[
    &flapping_selection::FlappingSelection,
    &value_in_identity::ValueInIdentity,
    &label_override::LabelOverride,
    &empty_label::EmptyLabel,
    &identical_rule::IdenticalRule,
    &le_lost::LeLost,
    &phi_out_of_range::PhiOutOfRange,
    &average_of_quantiles::AverageOfQuantiles,
    &label_already_removed::LabelAlreadyRemoved,
    &never_matches_labels::NeverMatchesLabels,
    &never_matches_values::NeverMatchesValues,
    &absent_loses_labels::AbsentLosesLabels,
    &regex_is_literal::RegexIsLiteral,
    &redundant_anchor::RedundantAnchor,
    &contradictory_matchers::ContradictoryMatchers,
    &regex_in_equality::RegexInEquality,
    &unexpanded_variable::UnexpandedVariable,
    &aggregate_then_rate::AggregateThenRate,
    &irate_in_rule::IrateInRule,
    &unused_suppression::UnusedSuppression,
    &bad_suppression::BadSuppression,
    &read_before_record::ReadBeforeRecord,
    &dependency_cycle::DependencyCycle,
    &self_reference::SelfReference,
    &unknown_label::UnknownLabel,
    &rule_label_in_template::RuleLabelInTemplate,
    &printf_verb::PrintfVerb,
    &never_true::NeverTrue,
    &always_true_comparison::AlwaysTrueComparison,
    &contradictory_condition::ContradictoryCondition,
    &constant_alert::ConstantAlert,
    &no_condition::NoCondition,
    &bool_in_alert::BoolInAlert,
    &nan_or_zero_division::NanOrZeroDivision,
    &for_outlives_window::ForOutlivesWindow,
    &subquery_resolution::SubqueryResolution,
    &future_or_pinned_time::FutureOrPinnedTime,
    &ignored_document::IgnoredDocument,
    &implicit_non_string::ImplicitNonString,
    &redundant_default::RedundantDefault,
    &template_in_alert_name::TemplateInAlertName,
];

/// The lint with that code or name.
pub fn find(code_or_name: &str) -> Option<&'static LintSpec> {
    LINTS.iter().map(|lint| lint.spec()).find(|spec| spec.code.0 == code_or_name || spec.name == code_or_name)
}

/// What a code stands for, in one sentence, for formats that list their codes.
pub fn describe(code: Code) -> Option<&'static str> {
    find(code.0).map(|spec| spec.summary)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_finds, check_silent};

    #[test]
    fn codes_are_sorted_and_names_are_unique() {
        let codes: Vec<&str> = LINTS.iter().map(|lint| lint.spec().code.0).collect();
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
        let mut names: Vec<&str> = LINTS.iter().map(|lint| lint.spec().name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), LINTS.len());
    }

    #[test]
    fn every_lint_finds_fault_with_its_bad_example_only() {
        for lint in LINTS {
            let spec = lint.spec();
            check_finds(spec.code.0, spec.bad);
            check_silent(spec.code.0, spec.good);
        }
    }
}
