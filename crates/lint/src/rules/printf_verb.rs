//! TPL005: a `printf` verb that does not fit its argument.

use narthex_diag::{Applicability, Code, Severity, Span, Spanned};
use narthex_template::ast::{Command, Expr, Number};
use narthex_template::functions::ParameterType;
use narthex_template::reads::FunctionCall;
use narthex_template::{calls_of, functions};

use crate::context::{Findings, RuleContext, TemplateContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct PrintfVerb;

static SPEC: LintSpec = LintSpec {
    code: Code("TPL005"),
    name: "printf-verb",
    class: Class::Proof,
    severity: Severity::Warning,
    default: DefaultState::On,
    fix: Some(Applicability::Safe),
    summary: "a `printf` verb that does not fit its argument",
    explanation: "\
`$value` is a float, labels are strings; a verb for another type prints an error into the notification, such as `%!d(float64=3)`.\n\
Use `%.0f` for a whole number, `%s` for a label.",
    bad: "- alert: Queue\n  expr: queue_length > 10\n  annotations:\n    summary: '{{ printf \"%d\" $value }} waiting'\n",
    good: "- alert: Queue\n  expr: queue_length > 10\n  annotations:\n    summary: '{{ printf \"%.0f\" $value }} waiting'\n",
};

impl Lint for PrintfVerb {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        for template in &rule.templates {
            if !template.template.text.contains("printf") {
                continue;
            }
            for call in calls_of(template.template, "printf") {
                check_call(rule, template, &call, findings);
            }
        }
    }
}

/// What is known of an argument's type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Float,
    Int,
    Text,
}

impl Type {
    fn describe(self) -> &'static str {
        match self {
            Type::Float => "a float",
            Type::Int => "an integer",
            Type::Text => "a string",
        }
    }

    fn accepts(self, verb: char) -> bool {
        match self {
            Type::Float => "vbeEfFgGxXT".contains(verb),
            Type::Int => "vbcdoOqxXUT".contains(verb),
            Type::Text => "vsqxXT".contains(verb),
        }
    }
}

fn check_call(
    rule: &RuleContext<'_>,
    template: &TemplateContext<'_>,
    call: &FunctionCall<'_>,
    findings: &mut Findings,
) {
    let Some(Expr::Text(format)) = call.command.operands.get(1) else { return };
    let mut arguments: Vec<Option<Type>> = call.command.operands.iter().skip(2).map(type_of).collect();
    arguments.extend(call.piped.map(type_of_command));
    let Some(verbs) = verbs(&template.template.text, format) else { return };
    if verbs.len() != arguments.len() {
        return;
    }
    for (verb, argument) in verbs.into_iter().zip(arguments) {
        let Some(argument) = argument.filter(|argument| !argument.accepts(verb.letter)) else { continue };
        let message = format!("`%{}` is not for {}", verb.letter, argument.describe());
        let mut finding = rule
            .in_template(&SPEC, message, template, verb.span)
            .with_note(format!("notifications show `%!{}(…)`", verb.letter));
        let fitting = match (argument, verb.letter) {
            (Type::Float, 'd') if verb.span.len() == 2 => Some(("%.0f", Applicability::Safe)),
            (Type::Float, 's') if verb.span.len() == 2 => Some(("%v", Applicability::Safe)),
            (Type::Text, 'd' | 'f') => Some(("%s", Applicability::Safe)),
            _ => None,
        };
        if let Some((replacement, applicability)) = fitting {
            let edits = [(verb.span, replacement)];
            finding = finding.with_suggestion(rule.template_suggestion(
                template,
                format!("use `{replacement}`"),
                &edits,
                applicability,
            ));
        }
        findings.push(finding);
    }
}

fn type_of_command(command: &Command) -> Option<Type> {
    match command.operands.as_slice() {
        [only] => type_of(only),
        [Expr::Function(name), ..] => type_of_call(&name.value),
        _ => None,
    }
}

fn type_of(operand: &Expr) -> Option<Type> {
    match operand {
        Expr::Variable(variable) => match (variable.name.value.as_str(), variable.fields.as_slice()) {
            ("$value", []) => Some(Type::Float),
            ("$labels" | "$externalLabels", [_]) => Some(Type::Text),
            _ => None,
        },
        Expr::Text(_) => Some(Type::Text),
        Expr::Number(number) => match number.value {
            Number::Int(_) => Some(Type::Int),
            Number::Float(_) => Some(Type::Float),
            _ => None,
        },
        Expr::Function(name) => type_of_call(&name.value),
        Expr::Paren(inner) => inner.value.commands.last().and_then(type_of_command),
        _ => None,
    }
}

fn type_of_call(name: &str) -> Option<Type> {
    let spec = functions::Dialect::Alert.function(name)?;
    match spec.result {
        ParameterType::Text => Some(Type::Text),
        ParameterType::Int => Some(Type::Int),
        ParameterType::Float => Some(Type::Float),
        _ => None,
    }
}

struct Verb {
    letter: char,
    span: Span,
}

/// The verbs of a format, each for one argument. `None` for formats with escapes or with `*` and `[n]`, whose verbs do
/// not stand one for one.
fn verbs(text: &str, format: &Spanned<String>) -> Option<Vec<Verb>> {
    let inner_start = format.span.start as usize + 1;
    let inner = text.get(inner_start..format.span.end as usize - 1)?;
    if inner != format.value {
        return None;
    }
    let mut verbs = Vec::new();
    let mut rest = inner.char_indices();
    while let Some((start, c)) = rest.next() {
        if c != '%' {
            continue;
        }
        let (end, letter) = rest.find(|(_, c)| !matches!(c, '0'..='9' | '.' | '+' | '-' | '#' | ' '))?;
        match letter {
            '%' => {}
            letter if letter.is_ascii_alphabetic() => {
                verbs.push(Verb { letter, span: Span::new(inner_start + start, inner_start + end + 1) });
            }
            _ => return None,
        }
    }
    Some(verbs)
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix};

    fn rule(summary: &str) -> String {
        format!("- alert: A\n  expr: x > 1\n  annotations:\n    summary: '{summary}'")
    }

    #[test]
    fn verbs_and_types() {
        check("TPL005", &rule("{{ printf \"%d of %s\" $value $labels.job }}"), &["%d"]);
        check("TPL005", &rule("{{ $value | printf \"%d\" }}"), &["%d"]);
        check("TPL005", &rule("{{ $value | humanize | printf \"%.2f\" }}"), &["%.2f"]);
        check("TPL005", &rule("{{ if true }}{{ printf \"%5d%%\" $value }}{{ end }}"), &["%5d"]);
        for summary in [
            "{{ printf \"%.2f%%\" $value }}",
            "{{ printf \"%s\" $labels.job }}",
            "{{ printf \"%v %d\" $value 5 }}",
            "{{ printf \"%*d\" 5 $value }}",
            "{{ printf $labels.format $value }}",
            "{{ $value | humanize | printf \"%s\" }}",
        ] {
            check("TPL005", &rule(summary), &[]);
        }
    }

    #[test]
    fn a_whole_number_is_a_float_without_digits() {
        check_fix("TPL005", &rule("{{ printf \"%d\" $value }}"), &rule("{{ printf \"%.0f\" $value }}"));
    }
}
