//! Do the shortcuts agree with a plain automaton, and is every input survived?

use narthex_regex::{Regex, UnanchoredRegex};
use proptest::prelude::*;

/// Patterns rich in literals, alternations and gaps, over a small alphabet.
fn patterns() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => "[abké]{1,3}",
        1 => prop_oneof![Just("."), Just("[ab]"), Just("[^a]"), Just(r"\d"), Just("^"), Just("$"), Just(r"\b")]
            .prop_map(str::to_owned),
        2 => prop_oneof![Just(".*"), Just(".+"), Just(".?"), Just(".{1,2}"), Just("")].prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            4 => prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            3 => prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.join("|")),
            2 => inner.clone().prop_map(|part| format!("({part})")),
            1 => inner.clone().prop_map(|part| format!("(?i:{part})")),
            1 => (inner, prop_oneof![Just("?"), Just("*"), Just("{2}"), Just("{0,2}")])
                .prop_map(|(part, repeat)| format!("(?:{part}){repeat}")),
        ]
    })
}

/// `\b\B` in front keeps the pattern's meaning out of reach of every shortcut; the alternative restores it.
fn plain(pattern: &str) -> Regex {
    Regex::new(&format!(r"(?:\b\B|){{1}}(?:{pattern})(?:\b\B|){{1}}"))
        .expect("the pattern is valid by itself")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shortcuts_agree_with_the_automaton(pattern in patterns(), texts in prop::collection::vec("[abkKé\u{212a}\n1]{0,6}", 1..8)) {
        let re = Regex::new(&pattern).unwrap();
        let plain = plain(&pattern);
        prop_assert_eq!(plain.exact_set(), None);
        prop_assert_eq!(re.matches_empty(), plain.is_match(""));
        for text in texts {
            let matches = plain.is_match(&text);
            prop_assert_eq!(re.is_match(&text), matches, "{} on {:?}", pattern, text);
            prop_assert_eq!(re.captures(&text).is_some(), matches);
            if let Some(set) = re.exact_set() {
                prop_assert_eq!(set.contains(&text), matches);
            }
            prop_assert!(!matches || text.starts_with(re.prefix().unwrap_or("")));
            prop_assert!(matches || !re.is_match_all());
        }
    }

    #[test]
    fn exact_sets_are_sorted_and_match(pattern in patterns()) {
        let re = Regex::new(&pattern).unwrap();
        let set = re.exact_set().unwrap_or(&[]);
        prop_assert!(set.is_sorted_by(|a, b| a < b));
        let plain = plain(&pattern);
        for text in set {
            prop_assert!(plain.is_match(text), "{} lists {:?}", pattern, text);
        }
    }

    #[test]
    fn any_pattern_is_survived(pattern in r"([(|)\[\]{}*+?.^$\\,:<>=!PQEpLxdbsimU0-9a-cé-]|\(\?|\[\[:alpha:\]){0,24}", text in "[a-c0é\n]{0,8}") {
        match Regex::new(&pattern) {
            Ok(re) => {
                re.is_match(&text);
                re.captures(&text);
                let unanchored = UnanchoredRegex::new(&pattern).unwrap();
                let replaced = unanchored.replace_all(&text, "$0");
                prop_assert_eq!(replaced, text);
            }
            Err(error) => {
                prop_assert!(pattern.is_char_boundary(error.span().start));
                prop_assert_eq!(&pattern[error.span()], error.excerpt());
            }
        }
    }

    #[test]
    fn any_template_is_survived(template in r"[$a1{}é²_0]{0,12}", text in "[ab]{0,4}") {
        let re = Regex::new("(?P<a>a*)(b*)").unwrap();
        let mut out = String::new();
        if let Some(captures) = re.captures(&text) {
            captures.expand(&template, &mut out);
        }
    }
}
