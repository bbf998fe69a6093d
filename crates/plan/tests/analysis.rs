//! What the analysis concludes: expressions with the facts of their whole, and with every reason a label is missing.

use narthex_plan::analysis::{Analysis, Verdict};
use narthex_promql::operators::BinaryOp;
use narthex_promql::{ParseOptions, parse};
use narthex_testkit::{Golden, SplitMix64, fixtures};

#[test]
fn facts_of_expressions() {
    let mut golden = Golden::of("lint/analysis", "facts");
    for fixture in fixtures("lint/analysis", "promql") {
        let expressions = fixture.text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let facts: Vec<String> = expressions.map(facts_of).collect();
        golden.check(&fixture.name, &facts.join("\n"));
    }
    golden.finish();
}

fn facts_of(text: &str) -> String {
    let parse = parse(text, &ParseOptions::ALL);
    assert!(parse.diagnostics.is_empty(), "{text}: {:?}", parse.diagnostics);
    let analysis = Analysis::new(&parse.expr);
    let root = analysis.root();
    let mut out = format!("{text}\n  {}\n  {}\n  {}\n", root.labels, root.values, root.presence);
    for fact in root.labels.named().iter().filter(|fact| fact.values.is_absent()) {
        let place = fact.reason.span.slice(text);
        out += &format!("  no {}: {} `{place}`\n", fact.name, fact.reason.why.describe());
    }
    if let narthex_plan::analysis::Others::Absent(reason) = root.labels.others() {
        out += &format!("  no others: {} `{}`\n", reason.why.describe(), reason.span.slice(text));
    }
    out
}

/// Ends of intervals that arithmetic treats specially.
const ENDS: [f64; 11] =
    [f64::NEG_INFINITY, -1e300, -3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.5, 1e300, f64::INFINITY];

/// Two ends in order, and values between them, both included.
fn interval(random: &mut SplitMix64) -> ((f64, f64), Vec<f64>) {
    let mut pick = || ENDS[(random.next_u64() % ENDS.len() as u64) as usize];
    let (a, b) = (pick(), pick());
    let (lo, hi) = (a.min(b), a.max(b));
    let inside = ENDS.into_iter().chain([-2.0, 0.25, 7.0]).filter(|value| (lo..=hi).contains(value));
    ((lo, hi), inside.collect())
}

fn between(name: &str, (lo, hi): (f64, f64)) -> String {
    let number = |value: f64| format!("{value:?}").replace("inf", "Inf");
    format!("({name} >= {} <= {})", number(lo), number(hi))
}

fn analysed<T>(text: &str, see: impl FnOnce(&Analysis<'_>) -> T) -> T {
    let parse = parse(text, &ParseOptions::ALL);
    assert!(parse.diagnostics.is_empty(), "{text}: {:?}", parse.diagnostics);
    see(&Analysis::new(&parse.expr))
}

/// Every value that an operator can yield is among those the analysis allows; where a comparison holds, it is not
/// said to be empty, and where it fails, not said to be always true.
#[test]
fn operators_yield_what_the_analysis_allows() {
    type Operator = fn(f64, f64) -> f64;
    let operators: [(&str, Operator); 5] = [
        ("+", |x, y| x + y),
        ("-", |x, y| x - y),
        ("*", |x, y| x * y),
        ("/", |x, y| x / y),
        ("%", |x, y| x % y),
    ];
    type Comparison = fn(&f64, &f64) -> bool;
    let comparisons: [(&str, Comparison); 6] =
        [(">", f64::gt), (">=", f64::ge), ("<", f64::lt), ("<=", f64::le), ("==", f64::eq), ("!=", f64::ne)];
    let mut random = SplitMix64::new(7);
    for _ in 0..400 {
        let ((a, xs), (b, ys)) = (interval(&mut random), interval(&mut random));
        let (left, right) = (between("foo", a), between("bar", b));
        for (name, operate) in operators {
            let text = format!("{left} {name} {right}");
            let values = analysed(&text, |analysis| analysis.root().values);
            for (&x, &y) in xs.iter().flat_map(|x| ys.iter().map(move |y| (x, y))) {
                let result = operate(x, y);
                assert!(values.contains(result), "{x} {name} {y} = {result}, but {text} is {values}");
            }
        }
        for (name, holds) in comparisons {
            let text = format!("{left} {name} {right}");
            analysed(&text, |analysis| {
                let root = analysis.root();
                let (lhs, rhs) = analysis.view().pair().expect("it has two operands");
                let verdict = lhs.node().values.compared(operator(name), &rhs.node().values);
                for (&x, &y) in xs.iter().flat_map(|x| ys.iter().map(move |y| (x, y))) {
                    let is_true = holds(&x, &y);
                    assert!(!is_true || root.values.contains(x), "{x} passes {text}, not in {}", root.values);
                    assert!(!is_true || !root.presence.is_never(), "{x} {name} {y}, but {text} is empty");
                    assert!(is_true || verdict != Verdict::Always, "not {x} {name} {y}, but {text}");
                }
            });
        }
    }
}

fn operator(text: &str) -> BinaryOp {
    let found = narthex_promql::operators::OPERATORS.iter().find(|spec| spec.text == text);
    found.expect("the operator is in the table").op
}

#[test]
fn functions_yield_what_the_analysis_allows() {
    type Function = fn(f64) -> f64;
    let functions: [(&str, Function); 13] = [
        ("abs", f64::abs),
        ("ceil", f64::ceil),
        ("floor", f64::floor),
        ("round", |x| (x + 0.5).floor()),
        ("sgn", |x| if x == 0.0 { 0.0 } else { x.signum() }),
        ("sqrt", f64::sqrt),
        ("ln", f64::ln),
        ("log2", f64::log2),
        ("log10", f64::log10),
        ("exp", f64::exp),
        ("sin", f64::sin),
        ("sum", |x| x),
        ("-", |x| -x),
    ];
    let mut random = SplitMix64::new(11);
    for _ in 0..300 {
        let ((bounds, xs), (clamp, _)) = (interval(&mut random), interval(&mut random));
        let vector = between("foo", bounds);
        for (name, function) in functions {
            let text = format!("{name}({vector})");
            let values = analysed(&text, |analysis| analysis.root().values);
            for &x in &xs {
                let result = function(x);
                assert!(values.contains(result), "{name}({x}) = {result}, but {text} is {values}");
            }
        }
        let number = |value: f64| format!("{value:?}").replace("inf", "Inf");
        let text = format!("clamp({vector}, {}, {})", number(clamp.0), number(clamp.1));
        let values = analysed(&text, |analysis| analysis.root().values);
        for &x in &xs {
            assert!(values.contains(x.clamp(clamp.0, clamp.1)), "clamp of {x}, but {text} is {values}");
        }
    }
}
