//! Scripts that nobody would write are read and run without harm.

use narthex_promqltest::{Repetition, RunOptions, parse, run_script};
use proptest::prelude::*;

const PIECES: &[&str] = &[
    "\n",
    "\n\n",
    " ",
    "#",
    "clear",
    "load 1m\n",
    "load_with_nhcb 0\n",
    "eval instant at 1m ",
    "eval range from 0 to 1m step 10s ",
    "eval_fail instant at 0 ",
    "expect warn\n",
    "expect fail regex: (\n",
    "expect range vector from 0 to 9y step 1ms\n",
    "expect string \"\\x",
    "a{x=\"1\"} 1+1x3 _ stale\n",
    "a@st -1m _x9\n",
    "a_bucket{le=\"1\"} 1 2\n",
    "{{count:1 buckets:[1 -1]}}",
    "x99999999999999999999",
    "rate(a[5m:1ms])",
    "a @ 9e9 offset -99y",
    "sum(a)",
    "99999999999999999999y",
    "é\u{2028}",
    "\"",
    "}",
];

fn script() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn every_text_is_read(text in prop_oneof![script(), any::<String>()]) {
        for diagnostic in parse(&text).diagnostics {
            prop_assert!(text.get(diagnostic.span().range()).is_some(), "{diagnostic:?}");
        }
    }

    #[test]
    fn every_script_is_run(text in script()) {
        let options = RunOptions { repetition: Repetition::Everywhere, ..RunOptions::CONFORMANCE };
        let report = run_script("hostile", &text, &options);
        let commands = parse(&text).script.commands.len();
        prop_assert!(report.passed + report.failures.len() <= commands);
        let panicked = report.failures.iter().find(|failure| failure.message.contains(": panic: "));
        prop_assert!(panicked.is_none(), "{panicked:?}");
    }
}
