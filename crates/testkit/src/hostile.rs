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
    let rows = rows("nesting.txt").into_iter();
    let nesting = |row: Vec<String>| match <[String; 5]>::try_from(row) {
        Ok([name, open, inner, close, outcome]) => {
            Nesting { name, outcome, open: open.replace("\\n", "\n"), inner, close }
        }
        Err(row) => panic!("a row of nesting.txt has five columns: {row:?}"),
    };
    rows.map(nesting).collect()
}

/// All of `queries.txt`.
pub fn bombs() -> Vec<Bomb> {
    let rows = rows("queries.txt").into_iter();
    let bomb = |row: Vec<String>| match <[String; 5]>::try_from(row) {
        Ok([fault, name, steps, outcome, query]) => {
            let steps = steps.parse().expect("steps are a number");
            Bomb { fault, name, steps, outcome, query: expanded(&query) }
        }
        Err(row) => panic!("a row of queries.txt has five columns: {row:?}"),
    };
    rows.map(bomb).collect()
}

fn rows(file: &str) -> Vec<Vec<String>> {
    let path = testdata("death").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split('\t').map(str::to_owned).collect()).collect()
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
