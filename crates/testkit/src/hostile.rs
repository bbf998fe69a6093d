//! Queries made to exhaust whoever reads or evaluates them: `testdata/death`.

use crate::testdata;

/// Something that can be nested at will.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Nesting {
    /// What it is.
    pub name: String,
    /// How too much of it ends: `depth`, `chain`, `syntax` or `value`.
    pub outcome: String,
    open: String,
    inner: String,
    close: String,
}

impl Nesting {
    /// So many levels of it.
    pub fn text(&self, levels: usize) -> String {
        [self.open.repeat(levels), self.inner.clone(), self.close.repeat(levels)].concat()
    }
}

/// A query that wants far too much.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bomb {
    /// The fault it belongs to, as in `F22`.
    pub fault: String,
    /// What it does.
    pub name: String,
    /// At how many steps it is evaluated.
    pub steps: usize,
    /// How it ends: the name of a limit, `syntax` or `value`.
    pub outcome: String,
    /// The query.
    pub query: String,
}

/// All of `nesting.txt`.
pub fn nestings() -> Vec<Nesting> {
    let nesting = |[name, open, inner, close, outcome]: [String; 5]| Nesting {
        name,
        outcome,
        open: open.replace("\\n", "\n"),
        inner,
        close,
    };
    rows("nesting.txt").map(nesting).collect()
}

/// All of `queries.txt`.
pub fn bombs() -> Vec<Bomb> {
    let bomb = |[fault, name, steps, outcome, query]: [String; 5]| Bomb {
        fault,
        name,
        steps: steps.parse().expect("steps are a number"),
        outcome,
        query: expanded(&query),
    };
    rows("queries.txt").map(bomb).collect()
}

fn rows(file: &str) -> impl Iterator<Item = [String; 5]> {
    let text = std::fs::read_to_string(testdata("death").join(file)).expect("the table is there");
    let lines: Vec<String> = text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
    lines.into_iter().map(|line| {
        let columns: Vec<String> = line.split('\t').map(str::to_owned).collect();
        columns.try_into().expect("a row has five columns")
    })
}

/// `{n|a|b|c}` as n times a, then b, then n times c; other texts as they are.
fn expanded(query: &str) -> String {
    let parts: Vec<&str> = query.trim_matches(['{', '}']).split('|').collect();
    match parts[..] {
        [levels, open, inner, close] if query.starts_with('{') => {
            let levels = levels.parse().expect("levels are a number");
            [open.repeat(levels), inner.to_owned(), close.repeat(levels)].concat()
        }
        _ => query.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_repeated() {
        assert_eq!(expanded("{2|f(|m|, 1)}"), "f(f(m, 1), 1)");
        assert_eq!(expanded("{a=\"b\"}"), "{a=\"b\"}");
        assert!(nestings().iter().any(|one| one.text(2) == "((1))"));
        assert!(bombs().iter().any(|one| one.fault == "F23"));
    }
}
