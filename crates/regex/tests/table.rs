//! Do the recorded answers of Go's `regexp` hold?

use narthex_regex::{Regex, UnanchoredRegex};

/// The rows of a fixture, with control pictures decoded.
fn rows(file: &str) -> Vec<Vec<String>> {
    let path = narthex_testkit::testdata("regex").join(file);
    let text = std::fs::read_to_string(path).expect("the fixture is in the repository");
    let rows = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    rows.map(|line| line.split('\t').map(decode).collect()).collect()
}

fn decode(column: &str) -> String {
    column.chars().map(|c| if ('\u{2400}'..'\u{2420}').contains(&c) { control(c) } else { c }).collect()
}

fn control(picture: char) -> char {
    char::from_u32(picture as u32 - 0x2400).expect("a control picture")
}

fn verdict(pattern: &str, text: &str) -> String {
    match Regex::new(pattern) {
        Ok(re) => if re.is_match(text) { "match" } else { "no" }.to_owned(),
        Err(error) => error.to_string(),
    }
}

fn replaced(how: &str, pattern: &str, text: &str, template: &str) -> String {
    if how == "all" {
        return UnanchoredRegex::new(pattern).expect("a valid pattern").replace_all(text, template);
    }
    let re = Regex::new(pattern).expect("a valid pattern");
    let Some(captures) = re.captures(text) else { return "-".to_owned() };
    let mut out = String::new();
    captures.expand(template, &mut out);
    out
}

#[test]
fn patterns_match_what_go_matches() {
    let rows = rows("match.tsv");
    assert!(rows.len() > 400, "only {} rows", rows.len());
    let wrong: Vec<String> = rows
        .iter()
        .filter(|row| verdict(&row[0], &row[1]) != row[2])
        .map(|row| format!("{row:?}, but here {:?}", verdict(&row[0], &row[1])))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn templates_expand_as_in_go() {
    for row in rows("replace.tsv") {
        assert_eq!(replaced(&row[0], &row[1], &row[2], &row[3]), row[4], "{row:?}");
    }
}
