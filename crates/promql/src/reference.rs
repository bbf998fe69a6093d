//! The reference pages: one section for each function, aggregation, operator and modifier.
//!
//! They are generated from the tables of this crate and from the scripts below `testdata/promql/reference`, so that
//! every example is one that was evaluated.

/// All functions: signature, meaning, edge cases, examples.
pub const FUNCTIONS_PAGE: &str = include_str!("../docs/functions.md");
/// All aggregations.
pub const AGGREGATIONS_PAGE: &str = include_str!("../docs/aggregations.md");
/// All operators.
pub const OPERATORS_PAGE: &str = include_str!("../docs/operators.md");
/// All modifiers.
pub const MODIFIERS_PAGE: &str = include_str!("../docs/modifiers.md");

/// The section of `page` about `name`, from behind its heading up to the next one; empty when there is none.
pub fn section<'a>(page: &'a str, name: &str) -> &'a str {
    let mut rest = page;
    while let Some((_, behind)) = rest.split_once("\n### ") {
        let (heading, text) = behind.split_once('\n').unwrap_or((behind, ""));
        if heading == name {
            let end = text.find("\n## ").into_iter().chain(text.find("\n### ")).min().unwrap_or(text.len());
            return text[..end].trim();
        }
        rest = text;
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregations::AGGREGATIONS;
    use crate::functions::FUNCTIONS;
    use crate::operators::OPERATORS;

    #[test]
    fn a_section_ends_at_the_next_heading() {
        let page = "# P\n\n### a\n\none\n\n### b\n\ntwo\n\n## family\n\ntext\n\n### c\n\nthree\n";
        let found = ["a", "b", "c", "d"].map(|name| section(page, name));
        assert_eq!(found, ["one", "two", "three", ""]);
    }

    #[test]
    fn everything_has_a_section() {
        let sections = FUNCTIONS.iter().map(|row| row.id.documentation());
        let sections = sections.chain(AGGREGATIONS.iter().map(|row| row.op.documentation()));
        let mut sections = sections.chain(OPERATORS.iter().map(|row| row.op.documentation()));
        assert!(sections.all(|text| text.contains("```")));
    }
}
