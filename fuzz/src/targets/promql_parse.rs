//! Any text as an expression: places lie in the text, trees stay shallow, what is valid prints as itself.

use narthex_promql::ast::walk;
use narthex_promql::features::{CHAIN_LIMIT, NEST_LIMIT};
use narthex_promql::{Expr, Parse, ParseOptions, parse, parse_metric, parse_selector};

use crate::input::{check_places, fits, text};

/// See the module.
pub fn target(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let shallow = ParseOptions { nest_limit: 4, ..ParseOptions::ALL };
    let [all, stable, shallow] = [ParseOptions::ALL, ParseOptions::STABLE, shallow].map(|options| {
        let parsed = parse(text, &options);
        check(&parsed, text);
        parsed.into_result().ok().inspect(|expr| check_printed(expr, &options)).map(|expr| expr.to_string())
    });
    // Fewer features and tighter limits refuse more, and never read anything otherwise.
    assert!(stable.is_none() || stable == all);
    assert!(shallow.is_none() || shallow == all);
    let short_forms = [parse_selector(text).err(), parse_metric(text).err()];
    short_forms.iter().flatten().flat_map(|error| &error.diagnostics).for_each(|one| check_places(one, text));
}

fn check(parsed: &Parse, text: &str) {
    parsed.diagnostics.iter().for_each(|found| check_places(found, text));
    walk(&parsed.expr, &mut |expr| assert!(fits(expr.span(), text), "{:?}", expr.span()));
    let height = height(&parsed.expr);
    assert!(height <= CHAIN_LIMIT + NEST_LIMIT, "a tree of height {height}");
}

fn height(expr: &Expr) -> usize {
    1 + expr.children().map(height).max().unwrap_or(0)
}

/// Parentheses may be printed that were not written, so limits of nesting do not apply again.
fn check_printed(expr: &Expr, options: &ParseOptions) {
    let printed = expr.to_string();
    let again = parse(&printed, &ParseOptions { nest_limit: NEST_LIMIT, ..*options }).into_result();
    assert_eq!(again.map(|expr| expr.to_string()).as_ref(), Ok(&printed));
}
