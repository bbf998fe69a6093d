//! Texts that are hard to read: nested ones, regular expressions, odd characters.

use narthex_api::tree::{Spans, tree};
use narthex_eval::{Engine, EngineOptions};
use narthex_plan::QueryParameters;
use narthex_promql::ast::{dump, pretty};
use narthex_promql::{ParseOptions, parse};
use narthex_regex::Regex;
use narthex_storage::MemoryStorage;
use narthex_testkit::hostile::nestings;

use crate::cases::{Case, any_of};

/// F20: everything that can be done with a nested text.
pub(crate) fn nested() -> Vec<Case> {
    let mut cases = Vec::new();
    for levels in [1_000, 10_000, 100_000, 1_000_000] {
        for nesting in nestings() {
            cases.push(Case {
                name: format!("F20 {} × {levels}", nesting.name),
                cpu_max_ms: 250,
                bytes_max: 64 << 20,
                outcomes: outcomes(&nesting.outcome),
                prepare: Box::new(move || {
                    let text = nesting.text(levels);
                    Box::new(move || read_completely(&text).into())
                }),
            });
        }
    }
    cases
}

fn outcomes(outcome: &str) -> Vec<String> {
    match outcome {
        "depth" => any_of(&["deeper than the limit of 256", "bytes, more than the limit"]),
        "chain" => {
            any_of(&["a chain of more than 512", "more than 131072", "more than 1048576", "instant vector"])
        }
        "value" => any_of(&["value", "more than 1048576 tokens"]),
        _ => any_of(&["error"]),
    }
}

/// Reads, copies, prints, tells as JSON, plans, explains, evaluates and drops.
fn read_completely(text: &str) -> String {
    let parsed = parse(text, &ParseOptions::ALL);
    let copy = parsed.expr.clone();
    let printed = dump(&copy).len() + copy.to_string().len() + pretty(&copy, 80).len();
    let json = tree(&copy, Spans::Included).to_string().len();
    drop(copy);
    let expr = match parsed.into_result() {
        Ok(expr) => expr,
        Err(error) => return format!("error: {error}"),
    };
    let engine = Engine::new(EngineOptions::STABLE);
    let outcome = engine.prepare(&expr, QueryParameters::instant(0, 300_000, 60_000)).and_then(|query| {
        let explained = query.explain()?.len();
        query.evaluate(&MemoryStorage::new())?;
        Ok(explained)
    });
    match outcome {
        Ok(explained) => format!("value ({printed} bytes printed, {json} of JSON, {explained} explained)"),
        Err(error) => format!("error: {error}"),
    }
}

/// A way of matching that is said to be expensive.
struct Pattern {
    name: &'static str,
    text: fn() -> String,
    /// `match` when it has to work, `error` when it may be refused.
    outcome: &'static str,
}

const PATTERNS: &[Pattern] = &[
    Pattern { name: "100,000 alternatives", text: || alternatives(100_000), outcome: "match" },
    Pattern {
        name: "100,000 alternatives and more",
        text: || format!("(?:{})+", alternatives(100_000)),
        outcome: "error",
    },
    Pattern {
        name: "1,000 alternatives and more",
        text: || format!("(?:{})+", alternatives(1_000)),
        outcome: "match",
    },
    Pattern { name: "5,000 Unicode classes", text: || r"\pL".repeat(5_000), outcome: "match" },
    Pattern { name: "100 Unicode classes", text: || r"\pL".repeat(100), outcome: "match" },
    Pattern { name: "a class 1 to 100 times", text: || r"\p{L}{1,100}".into(), outcome: "match" },
    Pattern { name: "a class 1 to 1,000 times", text: || r"\p{L}{1,1000}".into(), outcome: "match" },
    Pattern { name: "two classes 500 times", text: || r"(?:\pL\pN){500}".into(), outcome: "" },
    Pattern { name: "a folded class 500 times", text: || r"(?i)\pL{500}".into(), outcome: "" },
    Pattern {
        name: "a folded class of all characters",
        text: || r"(?i)[\x{100}-\x{10FFFF}]{1000}".into(),
        outcome: "",
    },
    Pattern { name: "any character 1,000 times", text: || ".{1000}x".into(), outcome: "match" },
    Pattern {
        name: "any character up to 1,000 times, then another",
        text: || ".*a.{0,999}b".into(),
        outcome: "match",
    },
    Pattern {
        name: "1,000 alternatives of 1,000 characters",
        text: || ".{1000}|".repeat(1000),
        outcome: "error",
    },
    Pattern { name: "repetitions of repetitions", text: || "((a*)*)*b".into(), outcome: "match" },
    Pattern { name: "pairs of repetitions", text: || "(x+x+)+y".into(), outcome: "match" },
    Pattern {
        name: "1,000 optional characters",
        text: || format!("(?:a?){{1000}}{}", "a".repeat(1000)),
        outcome: "match",
    },
    Pattern {
        name: "999 groups",
        text: || format!("{}a.{}", "(".repeat(998), ")".repeat(998)),
        outcome: "match",
    },
    Pattern { name: "5 MiB of text", text: || "x".repeat(5 << 20), outcome: "" },
];

fn alternatives(count: usize) -> String {
    (0..count).map(|at| format!("pod-{at:06}")).collect::<Vec<_>>().join("|")
}

/// F24: compiling, up to the first answer; then matching of a long text.
pub(crate) fn patterns() -> Vec<Case> {
    let compiled = PATTERNS.iter().map(|pattern| Case {
        name: format!("F24 compile {}", pattern.name),
        cpu_max_ms: 50,
        bytes_max: 16 << 20,
        outcomes: any_of(&[pattern.outcome]),
        prepare: Box::new(|| {
            let text = (pattern.text)();
            Box::new(move || match Regex::new(&text) {
                Ok(regex) => format!("match ({})", regex.is_match("äx")).into(),
                Err(error) => format!("error: {:.60}", error.to_string()).into(),
            })
        }),
    });
    let matched = PATTERNS.iter().filter(|pattern| pattern.outcome == "match").map(|pattern| Case {
        name: format!("F24 match 64 KiB with {}", pattern.name),
        cpu_max_ms: 1_000,
        bytes_max: 16 << 20,
        outcomes: any_of(&["match"]),
        prepare: Box::new(|| {
            let haystack = "xa".repeat(32 << 10);
            let regex = Regex::new(&(pattern.text)());
            Box::new(move || match regex {
                Ok(regex) => format!("match ({})", regex.is_match(&haystack)).into(),
                Err(error) => format!("error: {:.60}", error.to_string()).into(),
            })
        }),
    });
    compiled.chain(matched).collect()
}

/// F28: texts of odd characters are refused, or read and printed so that they are read as the same again.
pub(crate) fn characters() -> Vec<Case> {
    let long = |character: &str| character.repeat((1 << 20) / character.len());
    let texts = [
        ("a NUL between words", "a\0b".to_owned()),
        ("a NUL in a value", "m{a=\"b\0c\"}".to_owned()),
        ("an escaped NUL", r#"m{a="b\x00c"}"#.to_owned()),
        ("a byte that is no UTF-8", r#"m{a="b\xffc"}"#.to_owned()),
        ("a lone continuation byte", r#"m{a="\x80"}"#.to_owned()),
        ("such a byte as a name", r#"{"\xff\xfe"}"#.to_owned()),
        ("such a byte as a label", r#"{"\xff"="1"}"#.to_owned()),
        ("a surrogate", r#"m{a="\ud800"}"#.to_owned()),
        ("a code point beyond the last", r#"m{a="\U00110000"}"#.to_owned()),
        ("marks of direction", "m{a=\"\u{202e}abc\u{2066}\"}".to_owned()),
        ("marks of direction between words", "a \u{202e}+ b".to_owned()),
        ("a byte order mark", "\u{feff}m".to_owned()),
        ("line ends of two characters", "sum(\r\n  m # all\r\n)\r\n".to_owned()),
        ("a name of 1 MiB", long("a")),
        ("a quoted name of 1 MiB", format!("{{\"{}\"}}", long("ä"))),
        ("a label of 1 MiB", format!("m{{{}=\"1\"}}", long("a"))),
        ("a value of 1 MiB", format!("m{{a=\"{}\"}}", long("\u{10ffff}"))),
        ("a function of 1 MiB", format!("{}(m)", long("f"))),
        ("1,000 names twice", format!("m{{{}}}", "__name__=\"x\",".repeat(1_000))),
        ("10,000 unknown functions", format!("{}1", "raet(a)+".repeat(10_000))),
        ("100,000 faults", format!("m{{{}}}", "a b,".repeat(100_000))),
    ];
    let case = |(name, text): (&str, String)| Case {
        name: format!("F28 {name}"),
        cpu_max_ms: 250,
        bytes_max: 64 << 20,
        outcomes: any_of(&["error", "same again"]),
        prepare: Box::new(move || Box::new(move || round_trip(&text).into())),
    };
    texts.into_iter().map(case).collect()
}

fn round_trip(text: &str) -> String {
    let expr = match parse(text, &ParseOptions::ALL).into_result() {
        Ok(expr) => expr,
        Err(error) => return format!("error: {:.100}", error.to_string()),
    };
    let printed = expr.to_string();
    match parse(&printed, &ParseOptions::ALL).into_result() {
        Ok(again) if again.to_string() == printed => "same again".to_owned(),
        Ok(_) => "changed".to_owned(),
        Err(fault) => format!("not read again: {:.100}", fault.to_string()),
    }
}
