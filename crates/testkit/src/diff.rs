//! Which lines differ between a recorded and a produced text.

use std::fmt::Write;

/// Lines of agreement shown around a difference.
const CONTEXT_LINES: usize = 3;
/// Above this many cells the table of common subsequences is not built, and the middle is shown as replaced.
const TABLE_CELLS_MAX: usize = 4_000_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Change<'a> {
    Same(&'a str),
    Removed(&'a str),
    Added(&'a str),
}

/// The lines of `expected` and `actual` that differ, with a little around them: `- ` only in the first, `+ ` only in
/// the second. Empty when the texts are equal; a final line break that only one of them has is spelled out.
pub fn line_diff(expected: &str, actual: &str) -> String {
    let old: Vec<&str> = expected.split('\n').collect();
    let new: Vec<&str> = actual.split('\n').collect();
    let changes = changes(&old, &new);
    let mut out = String::new();
    let mut hidden = false;
    for (at, change) in changes.iter().enumerate() {
        if !near_a_difference(&changes, at) {
            hidden = true;
            continue;
        }
        if std::mem::take(&mut hidden) {
            out.push_str("  …\n");
        }
        write_change(&mut out, *change);
    }
    if expected.ends_with('\n') != actual.ends_with('\n') {
        let which = if actual.ends_with('\n') { "produced" } else { "recorded" };
        let _ = writeln!(out, "(only the {which} text ends in a line break)");
    }
    out
}

fn write_change(out: &mut String, change: Change<'_>) {
    let (mark, line) = match change {
        Change::Same(line) => (' ', line),
        Change::Removed(line) => ('-', line),
        Change::Added(line) => ('+', line),
    };
    let _ = writeln!(out, "{mark} {line}");
}

fn near_a_difference(changes: &[Change<'_>], at: usize) -> bool {
    let from = at.saturating_sub(CONTEXT_LINES);
    let to = (at + CONTEXT_LINES + 1).min(changes.len());
    changes[from..to].iter().any(|change| !matches!(change, Change::Same(_)))
}

fn changes<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Change<'a>> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    let mut out: Vec<Change<'a>> = old[..head].iter().map(|line| Change::Same(line)).collect();
    middle(&old[head..old.len() - tail], &new[head..new.len() - tail], &mut out);
    out.extend(old[old.len() - tail..].iter().map(|line| Change::Same(line)));
    out
}

fn middle<'a>(old: &[&'a str], new: &[&'a str], out: &mut Vec<Change<'a>>) {
    if old.len().saturating_mul(new.len()) > TABLE_CELLS_MAX {
        out.extend(old.iter().map(|line| Change::Removed(line)));
        out.extend(new.iter().map(|line| Change::Added(line)));
        return;
    }
    let common = common_lengths(old, new);
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            out.push(Change::Same(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && (j == new.len() || common[i + 1][j] >= common[i][j + 1]) {
            out.push(Change::Removed(old[i]));
            i += 1;
        } else {
            out.push(Change::Added(new[j]));
            j += 1;
        }
    }
}

/// `table[i][j]` is the length of the longest common subsequence of `old[i..]` and `new[j..]`.
fn common_lengths(old: &[&str], new: &[&str]) -> Vec<Vec<u32>> {
    let mut table = vec![vec![0u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            table[i][j] =
                if old[i] == new[j] { table[i + 1][j + 1] + 1 } else { table[i + 1][j].max(table[i][j + 1]) };
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_changed_and_hides_what_is_far_away() {
        let old: String = (0..20).map(|line| format!("{line}\n")).collect();
        let new = old.replace("10\n", "ten\n").replace("12\n", "");
        let expected = "  …\n  7\n  8\n  9\n- 10\n+ ten\n  11\n- 12\n  13\n  14\n  15\n";
        assert_eq!(line_diff(&old, &new), expected);
        assert_eq!(line_diff(&old, &old), "");
    }

    #[test]
    fn a_missing_final_line_break_is_spelled_out() {
        let diff = line_diff("a\n", "a");
        assert!(diff.contains("only the recorded text ends in a line break"), "{diff}");
    }

    #[test]
    fn a_huge_difference_is_still_shown_whole() {
        let old: String = (0..3000).map(|line| format!("o{line}\n")).collect();
        let new: String = (0..3000).map(|line| format!("n{line}\n")).collect();
        let diff = line_diff(&old, &new);
        assert!(diff.contains("- o2999") && diff.contains("+ n2999"));
    }
}
