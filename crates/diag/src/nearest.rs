//! Which known name was probably meant.

/// Longer names are not compared: the work grows with the product of the lengths.
const NAME_CHARS_MAX: usize = 100;

/// The candidate that differs least from `name`, when it differs little: by one edit when short, by three at the
/// most. Case counts for nothing; of equals the first is taken.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name: Vec<char> = name.chars().flat_map(char::to_lowercase).take(NAME_CHARS_MAX + 1).collect();
    if name.len() > NAME_CHARS_MAX {
        return None;
    }
    let edits_max = match name.len() {
        // What is so short is near to anything.
        0..=2 => return None,
        3 => 1,
        4..=7 => 2,
        _ => 3,
    };
    let scored = candidates.into_iter().map(|candidate| (edits(&name, candidate, edits_max), candidate));
    scored
        .filter(|&(edits, _)| edits <= edits_max)
        .min_by_key(|&(edits, _)| edits)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one into the other; just too many when the
/// lengths alone say so.
fn edits(name: &[char], candidate: &str, edits_max: usize) -> usize {
    let other: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
    if name.len().abs_diff(other.len()) > edits_max {
        return edits_max + 1;
    }
    let mut before: Vec<usize> = vec![0; other.len() + 1];
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, &a) in name.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &b) in other.iter().enumerate() {
            let mut cost = (last[j] + usize::from(a != b)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a == other[j - 1] && name[i - 1] == b {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[other.len()]
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
