//! Text to script: lines to commands. A fault ends its command; the next one starts behind the next empty line.

mod eval;
mod expect;
mod line;
mod load;

use narthex_diag::{Code, Diagnostic, Span, Spanned};
use narthex_promql::ParseError;

use crate::script::{Command, Script};
use line::{Line, Lines};

/// The code of every fault of a script.
pub const SCRIPT_ERROR: Code = Code("PQT001");

/// A script and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Parse {
    /// The commands that could be read.
    pub script: Script,
    /// One for each command that could not, about `load …` or `eval …`.
    pub diagnostics: Vec<Diagnostic>,
}

/// Why a command could not be read.
#[derive(Debug)]
struct Fault {
    message: String,
    span: Span,
}

impl Fault {
    fn new(message: impl Into<String>, span: Span) -> Fault {
        Fault { message: message.into(), span }
    }
}

/// What the reader of a notation says of a line, at its place in the script.
fn fault_in(line: Line<'_>, error: &ParseError) -> Fault {
    let span = error.first().map_or(line.span, |first| first.span().shifted(line.span.start as usize));
    let message = error.first().map_or("", |first| first.message.as_str());
    Fault::new(message, span)
}

/// A fault and the command it belongs to, as messages name it.
type Refused = (Fault, String);

/// Reads a script. Never fails: what cannot be read is left out and becomes a diagnostic.
pub fn parse(text: &str) -> Parse {
    let mut lines = Lines::new(text);
    let mut parse = Parse::default();
    while let Some(first) = lines.next_command() {
        match command(first, &mut lines) {
            Ok(command) => {
                let span = first.span.to(lines.last_span());
                parse.script.commands.push(Spanned::new(command, span));
            }
            Err((fault, subject)) => {
                let diagnostic = Diagnostic::error(SCRIPT_ERROR, fault.message, fault.span).about(subject);
                parse.diagnostics.push(diagnostic);
                lines.skip_block();
            }
        }
    }
    parse
}

fn command(first: Line<'_>, lines: &mut Lines<'_>) -> Result<Command, Refused> {
    let word = first.text.split_whitespace().next().unwrap_or("").to_ascii_lowercase();
    if word == "clear" {
        Ok(Command::Clear)
    } else if word.starts_with("load") {
        load::load(first, lines).map(Command::Load).map_err(|fault| (fault, first.text.to_owned()))
    } else if word.starts_with("eval") {
        eval::eval(first, lines).map(|eval| Command::Eval(Box::new(eval)))
    } else {
        let message = format!("expected `clear`, `load` or `eval`, found {:?}", first.text);
        Err((Fault::new(message, first.span), "script".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use narthex_diag::LineIndex;

    /// Each diagnostic as `line: subject: message`.
    fn faults(text: &str) -> Vec<String> {
        let index = LineIndex::new(text);
        let shown = |one: &Diagnostic| {
            let line = index.line_column(one.span().start as usize).line;
            format!("{line}: {}: {}", one.subject.as_deref().unwrap_or(""), one.message)
        };
        parse(text).diagnostics.iter().map(shown).collect()
    }

    #[test]
    fn commands_need_no_empty_line_after_clear_and_scalars() {
        let parse =
            parse("clear\nload 1m\n  a 1\n\n# note\nclear\neval instant at 1m 3\n  3\neval instant at 0 a\n");
        assert!(parse.diagnostics.is_empty(), "{:?}", parse.diagnostics);
        assert_eq!(parse.script.commands.len(), 5);
    }

    #[test]
    fn a_fault_costs_its_command_only() {
        let text = "load 1x\n  a 1\n\nfoo\nload 1m\n\neval instant at 0 a\n  a 1 2\n  b 1\n\nclear\n";
        assert_eq!(
            faults(text),
            [
                "1: load 1x: invalid step definition \"1x\": unknown unit \"x\" in duration \"1x\"",
                "4: script: expected `clear`, `load` or `eval`, found \"foo\"",
                "8: eval a: expected one value for an instant query, found 2",
            ]
        );
        assert_eq!(parse(text).script.commands.len(), 1);
    }
}
