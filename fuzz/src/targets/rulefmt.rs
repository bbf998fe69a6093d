//! Any text as a rule file of any dialect: what is found and linted lies in the text, expressions know where they stand.

use narthex_lint::{LINTS, LintConfig, LintSelector, lint_file};
use narthex_rulefmt::{Dialect, Input, NameValidation, Options, RuleFileParse, parse};
use narthex_yaml::UnknownFields;

use crate::input::{check_places, fits, text};

const STRICT: Options =
    Options { names: NameValidation::Legacy, input: Input::RuleFile, ..Options::PROMETHEUS };

const ALL: [Options; 4] = [
    Options::PROMETHEUS,
    Options { dialect: Dialect::Thanos, ..STRICT },
    Options { dialect: Dialect::Mimir, unknown_fields: UnknownFields::Refuse, ..STRICT },
    Options { dialect: Dialect::VictoriaMetrics, ..Options::PROMETHEUS },
];

/// See the module.
pub fn target(data: &[u8]) {
    let Some(text) = text(data) else { return };
    ALL.iter().for_each(|options| check(&parse(text, options), text));
    let select = LINTS.iter().filter_map(|lint| LintSelector::parse(lint.spec().code.0).ok()).collect();
    let config = LintConfig { select, ..LintConfig::default() };
    lint_file(text, &config).iter().for_each(|found| check_places(found, text));
}

fn check(parsed: &RuleFileParse, text: &str) {
    parsed.diagnostics.iter().for_each(|found| check_places(found, text));
    assert!(parsed.comments.iter().all(|&span| fits(span, text)));
    for (group, rule) in parsed.file.rules() {
        assert!(fits(group.span, text) && fits(rule.span(), text));
        let expr = rule.expr();
        assert!(fits(expr.text.span(), text));
        assert!((0..=expr.text.value.len()).all(|at| expr.map.offset(at) <= text.len()));
        expr.diagnostics_in_file().for_each(|found| check_places(&found, text));
    }
}
