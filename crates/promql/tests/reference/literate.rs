//! Scripts whose comments are Markdown: the first line is a title, `## name` begins a section, commands are examples.

/// A script as a page.
pub(crate) struct Script {
    pub(crate) title: String,
    /// What stands before the first section, trimmed.
    pub(crate) intro: String,
    pub(crate) sections: Vec<Section>,
}

/// What a script says about one thing.
pub(crate) struct Section {
    pub(crate) name: String,
    /// Markdown, trimmed, with commands in code blocks.
    pub(crate) text: String,
}

/// Reads a script. `clear` is left out: a page's examples stand by themselves.
pub(crate) fn read(text: &str) -> Script {
    let mut title = String::new();
    let mut parts = vec![(String::new(), String::new())];
    let mut code = String::new();
    for line in text.lines().chain(["#"]) {
        let Some(comment) = line.strip_prefix('#') else {
            if line != "clear" {
                code += line;
                code.push('\n');
            }
            continue;
        };
        let comment = comment.strip_prefix(' ').unwrap_or(comment);
        let (_, part) = parts.last_mut().expect("it starts with one part");
        if !code.trim().is_empty() {
            *part += &format!("\n```text\n{}\n```\n\n", code.trim_matches('\n'));
        }
        code.clear();
        match comment.strip_prefix("# ") {
            Some(name) => parts.push((name.to_owned(), String::new())),
            None if title.is_empty() => comment.clone_into(&mut title),
            None => *part += &format!("{comment}\n"),
        }
    }
    let mut parts = parts.into_iter().map(|(name, text)| Section { name, text: text.trim().to_owned() });
    let intro = parts.next().map_or_else(String::new, |intro| intro.text);
    Script { title, intro, sections: parts.collect() }
}

#[test]
fn comments_are_text_and_commands_are_code() {
    let script = read(
        "# Title\n#\n# Intro.\n\n## a\n#\n# One.\n\nclear\nload 1m\n  x 1\n\n# Two.\neval instant at 0 x\n  x 1\n",
    );
    assert_eq!((script.title.as_str(), script.intro.as_str()), ("Title", "Intro."));
    assert_eq!(script.sections.len(), 1);
    assert_eq!(script.sections[0].name, "a");
    let expected = "One.\n\n```text\nload 1m\n  x 1\n```\n\nTwo.\n\n```text\neval instant at 0 x\n  x 1\n```";
    assert_eq!(script.sections[0].text, expected);
}
