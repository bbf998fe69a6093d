//! The `expect` lines of an `eval`.

use narthex_promql::{Expr, ParseOptions};
use narthex_regex::UnanchoredRegex;

use super::Fault;
use super::eval::{keyword_value, times};
use super::line::Line;
use crate::script::{Eval, EvalTimes, ExpectedValue, Notation, TextPattern};

/// Adds what a line that starts with `expect` asks for.
pub(super) fn expect(line: Line<'_>, eval: &mut Eval) -> Result<(), Fault> {
    let (kind, rest) = line.split_word().1.split_word();
    let expected = &mut eval.expected;
    match kind.text {
        "string" => return string(rest, eval),
        "range" => return range_vector(line, rest, eval),
        "ordered" if rest.text.is_empty() => {
            if !matches!(eval.times, EvalTimes::Instant { .. }) {
                return Err(Fault::new("expected an instant query, range results have no order", line.span));
            }
            expected.is_ordered = true;
        }
        "no_warn" if rest.text.is_empty() => expected.forbids_warnings = true,
        "no_info" if rest.text.is_empty() => expected.forbids_infos = true,
        "warn" => expected.warnings.push(pattern(line, rest)?),
        "info" => expected.infos.push(pattern(line, rest)?),
        "fail" => {
            let pattern = pattern(line, rest)?;
            if expected.failure.replace(pattern).is_some() {
                let message = "invalid expect lines, multiple expect fail lines are not allowed";
                return Err(Fault::new(message, line.span));
            }
        }
        _ => return Err(malformed(line)),
    }
    check_contradiction(line, eval)
}

fn malformed(line: Line<'_>) -> Fault {
    let message = "invalid expect statement, must match `expect <type> <match_type>: <string>` format";
    Fault::new(message, line.span)
}

fn check_contradiction(line: Line<'_>, eval: &Eval) -> Result<(), Fault> {
    let expected = &eval.expected;
    let level = match () {
        () if expected.forbids_warnings && !expected.warnings.is_empty() => "warn",
        () if expected.forbids_infos && !expected.infos.is_empty() => "info",
        () => return Ok(()),
    };
    let message = format!("invalid expect lines, {level} and no_{level} cannot be used together");
    Err(Fault::new(message, line.span))
}

/// Nothing, `msg: text` or `regex: pattern`.
fn pattern(line: Line<'_>, rest: Line<'_>) -> Result<TextPattern, Fault> {
    let notation = Notation::Expect;
    if rest.text.is_empty() {
        Ok(TextPattern::Any)
    } else if let Some(text) = rest.strip("msg:").filter(|text| !text.text.is_empty()) {
        Ok(TextPattern::Exactly { text: text.text.to_owned(), notation })
    } else if let Some(text) = rest.strip("regex:").filter(|text| !text.text.is_empty()) {
        let pattern = UnanchoredRegex::new(text.text);
        pattern.map(|pattern| TextPattern::Matching { pattern, notation }).map_err(|error| {
            let message = format!("invalid regex {} for {:?}: {error}", text.text, line.text);
            Fault::new(message, text.span)
        })
    } else {
        Err(malformed(line))
    }
}

/// `expect string "…"`, quoted as in Go.
fn string(rest: Line<'_>, eval: &mut Eval) -> Result<(), Fault> {
    if rest.text.is_empty() {
        let message = "expected string literal not valid - a quoted string literal is required";
        return Err(Fault::new(message, rest.span));
    }
    let is_quoted = rest.text.starts_with(['"', '`']);
    match narthex_promql::parse(rest.text, &ParseOptions::STABLE).into_result() {
        Ok(Expr::String(literal)) if is_quoted => {
            eval.expected.value = ExpectedValue::Text(literal.value);
            Ok(())
        }
        _ => {
            let message = "expected string literal not valid - check that the string is correctly quoted";
            Err(Fault::new(message, rest.span))
        }
    }
}

/// `expect range vector from <time> to <time> step <duration>`.
fn range_vector(line: Line<'_>, rest: Line<'_>, eval: &mut Eval) -> Result<(), Fault> {
    let words = || {
        let (from, rest) = keyword_value(rest.strip("vector")?, "from").ok()?;
        let (to, rest) = keyword_value(rest, "to").ok()?;
        let (step, rest) = keyword_value(rest, "step").ok()?;
        rest.text.is_empty().then_some([from, to, step])
    };
    let parts = words()
        .ok_or_else(|| Fault::new(format!("invalid range vector definition {:?}", line.text), line.span))?;
    let instants = times(parts)?;
    match &mut eval.expected.value {
        ExpectedValue::Series { series, range_vector } if series.is_empty() => {
            *range_vector = Some(instants);
            Ok(())
        }
        _ => Err(Fault::new("expected `expect range vector` before the series lines", line.span)),
    }
}
