//! Which known name was probably meant.

/// The candidate fewest edits away from `name`, if few enough to be a slip: one for short names, a third of the length
/// for longer ones. Letter case does not count; the first of equals wins.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Longer names are not compared: the table grows with the product of the lengths.
    const NAME_CHARS_MAX: usize = 100;
    let name: Vec<char> = name.chars().flat_map(char::to_lowercase).take(NAME_CHARS_MAX + 1).collect();
    if name.len() > NAME_CHARS_MAX {
        return None;
    }
    let edits_max = (name.len() / 3).max(1);
    let scored = candidates.into_iter().map(|candidate| (edits(&name, candidate), candidate));
    scored
        .filter(|&(edits, _)| edits <= edits_max)
        .min_by_key(|&(edits, _)| edits)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one into the other.
fn edits(name: &[char], candidate: &str) -> usize {
    let other: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for (i, &a) in name.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &b) in other.iter().enumerate() {
            let mut cost = (rows[i][j] + usize::from(a != b)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            let swapped = i > 0 && j > 0 && a == other[j - 1] && name[i - 1] == b;
            if swapped {
                cost = cost.min(rows[i - 1][j - 1] + 1);
            }
            row.push(cost);
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let fields = ["alert", "annotations", "expr", "for", "keep_firing_for", "labels"];
        for (typed, meant) in [
            ("annotation", Some("annotations")),
            ("anotations", Some("annotations")),
            ("Expr", Some("expr")),
            ("lables", Some("labels")),
            ("fro", Some("for")),
            ("keepFiringFor", Some("keep_firing_for")),
            ("severity", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, fields), meant, "{typed}");
        }
    }
}
