//! Which colour switches of a drawing are idle.

/// Begins a terminal's colour switch, which ends in `m`.
const ESCAPE: char = '\u{1b}';
/// Back to the terminal's own colour.
const COLOR_OFF: &str = "\u{1b}[0m";

/// Ariadne colours character by character; a colour that is switched off and on again stays on.
pub(crate) fn without_idle_switches(drawn: &str) -> String {
    let mut out = String::with_capacity(drawn.len());
    let mut current = "";
    let mut pieces = drawn.split_inclusive(COLOR_OFF).peekable();
    while let Some(piece) = pieces.next() {
        let (color, rest) = leading_color(piece);
        out.push_str(if color == current { rest } else { piece });
        current = "";
        let next_color = pieces.peek().map_or("", |next| leading_color(next).0);
        if !next_color.is_empty() && last_color(piece) == next_color && out.ends_with(COLOR_OFF) {
            out.truncate(out.len() - COLOR_OFF.len());
            current = next_color;
        }
    }
    out
}

/// The colour switch a text begins with, and the rest.
fn leading_color(text: &str) -> (&str, &str) {
    match text.find('m') {
        Some(end) if text.starts_with(ESCAPE) => text.split_at(end + 1),
        _ => ("", text),
    }
}

/// The last colour switch in a text that ends by switching it off.
fn last_color(piece: &str) -> &str {
    let colored = piece.strip_suffix(COLOR_OFF).unwrap_or(piece);
    colored.rfind(ESCAPE).map_or("", |at| leading_color(&colored[at..]).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_switch_remains_per_run_of_a_color() {
        let red = |text: &str| format!("\u{1b}[31m{text}\u{1b}[0m");
        let blue = |text: &str| format!("\u{1b}[34m{text}\u{1b}[0m");
        let drawn =
            format!("a{}{}{} {}{}\n{}", red("b"), red("c"), blue("d"), blue("e"), blue("m"), red("f"));
        let expected = format!("a{}{} {}\n{}", red("bc"), blue("d"), blue("em"), red("f"));
        assert_eq!(without_idle_switches(&drawn), expected);
        assert_eq!(without_idle_switches("plain m\n"), "plain m\n");
    }
}
