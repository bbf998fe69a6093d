//! Whether files of other projects are read as their owners read them. Skipped where they are not present.

use std::fs;
use std::path::{Path, PathBuf};

use narthex_diag::Diagnostic;
use narthex_rulefmt::{FileKind, Input, NameValidation, Options, RuleFileParse, parse};
use narthex_testkit::shared_fixtures;
use narthex_yaml::UnknownFields;

const SERVER: Options = Options { input: Input::RuleFile, ..Options::PROMETHEUS };
const LEGACY: Options = Options { names: NameValidation::Legacy, ..SERVER };

fn read(folder: &Path, name: &str, options: &Options) -> RuleFileParse {
    let text = fs::read_to_string(folder.join(name)).expect("a fixture is readable");
    parse(&text, options)
}

fn messages(parse: &RuleFileParse) -> Vec<&str> {
    parse.diagnostics.iter().map(|diagnostic: &Diagnostic| diagnostic.message.as_str()).collect()
}

#[test]
fn every_refusal_of_upstream_with_its_text() {
    let Some(folder) = shared_fixtures("prometheus/rulefmt") else { return };
    for (name, options, expected) in [
        ("duplicate_grp.bad.yaml", SERVER, r#"groupname: "yolo" is repeated in the same file"#),
        ("bad_expr.bad.yaml", SERVER, "expected type range vector"),
        ("record_and_alert.bad.yaml", SERVER, "only one of 'record' and 'alert' must be set"),
        ("no_rec_alert.bad.yaml", SERVER, "one of 'record' or 'alert' must be set"),
        ("noexpr.bad.yaml", SERVER, "field 'expr' must be set in rule"),
        ("invalid_record_name.bad.yaml", SERVER, "braces present in the recording rule name"),
        ("bad_field.bad.yaml", SERVER, "field annotation not found"),
        ("invalid_label_name.bad.yaml", SERVER, "invalid label name"),
        ("record_and_for.bad.yaml", SERVER, "invalid field 'for' in recording rule"),
        ("record_and_keep_firing_for.bad.yaml", SERVER, "invalid field 'keep_firing_for' in recording rule"),
        ("legacy_validation_annotation.bad.yaml", LEGACY, "invalid annotation name"),
    ] {
        let parse = read(&folder, name, &options);
        let found = messages(&parse);
        assert!(found.len() == 1 && found[0].contains(expected), "{name}: {found:?}");
    }
    for (name, options) in [
        ("legacy_validation_annotation.good.yaml", LEGACY),
        ("utf-8_annotation.good.yaml", SERVER),
        ("utf-8_lname.good.yaml", SERVER),
        ("test.yaml", SERVER),
        ("test_aliases.yaml", SERVER),
    ] {
        assert_eq!(messages(&read(&folder, name, &options)), [""; 0], "{name}");
    }
}

#[test]
fn the_files_of_the_rule_manager() {
    let Some(folder) = shared_fixtures("prometheus/rules") else { return };
    for path in files_below(&folder) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let parse = read(&folder, &name, &SERVER);
        assert_eq!(parse.is_refused(), name == "invalid_rules.yaml", "{name}: {:?}", messages(&parse));
    }
}

#[test]
fn the_files_of_promtool() {
    let Some(folder) = shared_fixtures("prometheus/promtool") else { return };
    let lenient = Options { unknown_fields: UnknownFields::Ignore, ..SERVER };
    for (name, options, expected) in [
        ("rules-bad.yml", SERVER, Some("undefined variable \"$label\"")),
        ("rules.yml", SERVER, None),
        ("rules_large.yml", SERVER, None),
        ("rules_duplicates.yml", SERVER, None),
        ("rules_run.yml", SERVER, Some("not found in")),
        ("rules_extrafields.yml", SERVER, Some("not found in")),
        ("rules_extrafields.yml", lenient, None),
        ("prometheus-rules.lint.yml", SERVER, None),
        ("at-modifier.yml", SERVER, None),
        ("negative-offset.yml", SERVER, None),
        ("features.yml", SERVER, Some("experimental")),
    ] {
        let parse = read(&folder, name, &options);
        let found = messages(&parse);
        match expected {
            None => assert!(!parse.is_refused(), "{name}: {found:?}"),
            Some(text) => assert!(found.iter().any(|found| found.contains(text)), "{name}: {found:?}"),
        }
    }
}

#[test]
fn public_rule_files() {
    let Some(folder) = shared_fixtures("rules") else { return };
    let (mut rules, mut templated, mut refused) = (0, 0, Vec::new());
    for path in files_below(&folder) {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let parse = parse(&text, &Options::PROMETHEUS);
        assert_eq!(
            parse.kind == FileKind::Templated,
            parse.kind == FileKind::Templated && !parse.is_refused()
        );
        rules += parse.file.rules().count();
        templated += usize::from(parse.kind == FileKind::Templated);
        if parse.is_refused() {
            refused.push(format!("{}: {:?}", path.display(), messages(&parse)));
        }
    }
    eprintln!("{rules} rules, {templated} templates, refused: {refused:#?}");
    assert!(rules > 4_000, "{rules} rules");
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder is readable") {
        let path = entry.expect("a folder is readable").path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}
