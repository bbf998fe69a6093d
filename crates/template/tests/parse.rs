//! Which errors a template yields and where, recorded in `testdata/template/parse`.
//!
//! A case is a line beginning with `> ` and those after it beginning with `| `; the runner writes `! start..end message` for each
//! diagnostic and `ok` when there is none. Lines beginning with `#` are comments.

use narthex_template::parse;

#[test]
fn errors_are_as_recorded() {
    for fixture in narthex_testkit::fixtures("template/parse", "txt") {
        let actual = render(&fixture.text);
        narthex_testkit::golden(format!("template/parse/{}.txt", fixture.name), &actual);
    }
}

fn render(fixture: &str) -> String {
    let mut out = String::new();
    let mut lines = fixture.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(first) = line.strip_prefix("> ") else {
            if line.is_empty() || line.starts_with('#') {
                out += &format!("{line}\n");
            }
            continue;
        };
        let mut template = first.to_owned();
        while let Some(more) = lines.next_if(|next| next.starts_with("| ")) {
            template += &more.replacen("| ", "\n", 1);
        }
        out += &format!("> {}\n{}", template.replace('\n', "\n| "), verdict(&template));
    }
    out
}

fn verdict(template: &str) -> String {
    let diagnostics = parse(template).diagnostics;
    let lines = diagnostics.iter().map(|one| format!("! {:?} {}\n", one.span(), one.message));
    if diagnostics.is_empty() { "ok\n".to_owned() } else { lines.collect() }
}
