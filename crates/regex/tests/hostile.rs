//! Do patterns made to exhaust stack, memory or time fail or work within bounds?

use narthex_regex::{ErrorKind, Regex, UnanchoredRegex};

fn kind(pattern: &str) -> Option<ErrorKind> {
    Regex::new(pattern).err().map(|error| error.kind())
}

/// Runs `test` on a stack of one mebibyte.
fn on_small_stack(test: fn()) {
    std::thread::Builder::new().stack_size(1 << 20).spawn(test).expect("a thread").join().expect("no panic");
}

fn nested(levels: usize, open: &str, inner: &str, close: &str) -> String {
    [open.repeat(levels), inner.to_owned(), close.repeat(levels)].concat()
}

#[test]
fn deep_nesting_is_bounded() {
    on_small_stack(|| {
        for (open, close) in [("(", ")"), ("(?:", "b*)"), ("(", "b)+"), ("(?:a|", ")"), ("(?i:b(", "|c))")] {
            assert_eq!(kind(&nested(100_000, open, "a", close)), Some(ErrorKind::NestingDepth), "{open}");
        }
        assert_eq!(kind(&nested(100_000, "(?:", "a", ")")), None);
        assert_eq!(kind(&"(".repeat(200_000)), Some(ErrorKind::MissingParen));
        assert_eq!(kind(&nested(999, "(", "a", ")")), None);
        assert_eq!(kind(&nested(1000, "(", "a", ")")), Some(ErrorKind::NestingDepth));
    });
}

#[test]
fn deepest_accepted_patterns_compile_and_match() {
    on_small_stack(|| {
        for pattern in [
            nested(998, "(", "a.", ")"),
            nested(499, "(", "[ab]", ")*"),
            nested(498, "(?:", "a.", "|b.)"),
            nested(498, "(?:", "[ab]c", "d|b*)"),
            nested(499, "(?:", "[ab]", "b)*"),
            nested(999, "(?:", "[ab]", "*)"),
        ] {
            let Ok(re) = Regex::new(&pattern) else { panic!("{pattern:.20} refused") };
            assert!(!re.is_match("cdcdcd"));
            assert!(re.captures("cdcdcd").is_none());
            UnanchoredRegex::new(&pattern).unwrap().replace_all("cdcd", "$1");
            drop(re);
        }
    });
}

#[test]
fn large_automata_are_refused() {
    for pattern in [
        r"\pL".repeat(20_000),
        ".{1000}|".repeat(1000),
        (0x100..0x164).map(|from| format!("(?i)[\\x{{{from:x}}}-\\x{{10FFFF}}]")).collect(),
        "(abc|def|ghi)+".repeat(20_000),
        "x".repeat(5 << 20),
    ] {
        assert_eq!(kind(&pattern), Some(ErrorKind::TooLarge), "{pattern:.20}");
    }
    assert_eq!(UnanchoredRegex::new(&r"\pL".repeat(5000)).unwrap_err().kind(), ErrorKind::TooLarge);
}

#[test]
fn many_classes_are_matched_without_an_automaton() {
    let text = |count| "ä".repeat(count);
    for (pattern, matching, other) in [
        (r"\p{L}{1,1000}".to_owned(), text(1000), text(1001)),
        (r"(?:\pL\pN){500}".to_owned(), "ä1".repeat(500), "ä1".repeat(501)),
        (r"(?i)\pL{500}".to_owned(), text(500), text(499)),
        (r"\pL".repeat(5000), text(5000), text(4999)),
    ] {
        let re = Regex::new(&pattern).unwrap();
        assert!(re.is_match(&matching) && !re.is_match(&other), "{pattern:.20}");
    }
    let re = Regex::new(r"(\p{L}{1,500})-(?P<rest>\p{L}{1,500})").unwrap();
    let mut expanded = String::new();
    re.captures("äöü-ß").unwrap().expand("$rest $1", &mut expanded);
    assert_eq!(expanded, "ß äöü");
}

#[test]
fn long_lists_of_names_are_sets() {
    let names: Vec<String> = (0..100_000).map(|i| format!("pod-{i:06}")).collect();
    let re = Regex::new(&names.join("|")).unwrap();
    assert_eq!(re.exact_set(), Some(&names[..]));
    assert!(re.is_match("pod-099999") && !re.is_match("pod-100000"));
    assert_eq!(re.prefix(), Some("pod-0"));
}

#[test]
fn expansion_into_a_set_is_bounded() {
    for (pattern, listed) in [
        ("(?i)critical", Some(256)),
        ("(?i)prometheus", None),
        ("[a-p][a-p]", Some(256)),
        ("[a-p][a-q]", None),
        ("(a|b){0,7}", Some(255)),
        ("(a|b){0,8}", None),
        ("((((a{0,9}){0,9}){0,9}){0,1})", None),
        (r"\pL", None),
    ] {
        let re = Regex::new(pattern).unwrap();
        assert_eq!(re.exact_set().map(<[String]>::len), listed, "{pattern}");
    }
}

#[test]
fn shared_between_threads_and_clones() {
    let re = Regex::new("web-[0-9]+(a|b)?").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let re = re.clone();
            scope.spawn(move || assert!(re.is_match("web-12a") && !re.is_match("web-")));
        }
    });
    assert_eq!(re, Regex::new(re.pattern()).unwrap());
}
