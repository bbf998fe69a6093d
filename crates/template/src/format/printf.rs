//! What a format string asks for: flags, argument indices, width, precision, verb.

use super::{Directive, Output, Shape, print_value};
use crate::value::Value;

/// Widths, precisions and argument numbers beyond this are refused; written ones may have one digit more.
const NUMBER_MAX: usize = 1_000_000;

/// Appends `arguments` as `format` wants them.
pub(crate) fn printf(out: &mut Output, format: &str, arguments: &[Value]) {
    let mut state = Formatter {
        rest: format,
        arguments,
        next: 0,
        reordered: false,
        good_index: true,
        after_index: false,
    };
    while let Some((before, rest)) = state.rest.split_once('%') {
        out.push(before);
        state.rest = rest;
        if !state.directive(out) {
            return;
        }
    }
    out.push(state.rest);
    if !state.reordered {
        extra_arguments(out, arguments.get(state.next..).unwrap_or(&[]));
    }
}

struct Formatter<'a> {
    rest: &'a str,
    arguments: &'a [Value],
    /// Index of the next argument.
    next: usize,
    /// Whether an explicit index was used anywhere.
    reordered: bool,
    good_index: bool,
    /// Whether an index was read just before.
    after_index: bool,
}

impl Formatter<'_> {
    fn take(&mut self, wanted: char) -> bool {
        let rest = self.rest.strip_prefix(wanted);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// One directive whose `%` is read; false when the format ends in it.
    fn directive(&mut self, out: &mut Output) -> bool {
        self.good_index = true;
        let mut directive = self.flags();
        // A plain lower-case verb follows the flags: nothing that could go wrong comes in between.
        self.after_index = false;
        self.index();
        self.width(out, &mut directive);
        self.precision(out, &mut directive);
        if !self.after_index {
            self.index();
        }
        let mut chars = self.rest.chars();
        let Some(verb) = chars.next() else {
            out.push("%!(NOVERB)");
            extra_after_no_verb(out, self);
            return false;
        };
        self.rest = chars.as_str();
        self.verb(out, verb, directive);
        true
    }

    fn flags(&mut self) -> Directive {
        let mut directive = Directive::default();
        loop {
            let mut chars = self.rest.chars();
            match chars.next() {
                Some('#') => directive.sharp = true,
                Some('0') => directive.zero = true,
                Some('+') => directive.plus = true,
                Some('-') => directive.minus = true,
                Some(' ') => directive.space = true,
                _ => return directive,
            }
            self.rest = chars.as_str();
        }
    }

    /// `[3]`: the number of the argument to use next.
    fn index(&mut self) {
        let Some(inside) = self.rest.strip_prefix('[') else {
            self.after_index = false;
            return;
        };
        self.reordered = true;
        let Some((number, rest)) = inside.split_once(']').filter(|_| inside.len() >= 2) else {
            self.rest = inside;
            self.good_index = false;
            self.after_index = false;
            return;
        };
        self.rest = rest;
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let parsed = number.parse::<usize>().ok().filter(|&value| digits && value / 10 <= NUMBER_MAX);
        self.after_index = parsed.is_some();
        match parsed.and_then(|number| number.checked_sub(1)).filter(|&at| at < self.arguments.len()) {
            Some(at) => self.next = at,
            None => self.good_index = false,
        }
    }

    fn width(&mut self, out: &mut Output, directive: &mut Directive) {
        if self.take('*') {
            match self.integer_argument() {
                Some(width) => {
                    directive.width = usize::try_from(width.unsigned_abs()).ok();
                    if width < 0 {
                        directive.minus = true;
                        directive.zero = false;
                    }
                }
                None => out.push("%!(BADWIDTH)"),
            }
            self.after_index = false;
            return;
        }
        directive.width = self.number();
        if self.after_index && directive.width.is_some() {
            self.good_index = false;
        }
    }

    fn precision(&mut self, out: &mut Output, directive: &mut Directive) {
        // A period that ends the format is the verb.
        if self.rest.len() < 2 || !self.take('.') {
            return;
        }
        if self.after_index {
            self.good_index = false;
        }
        self.index();
        if self.take('*') {
            let value = self.integer_argument();
            directive.precision = value.and_then(|value| usize::try_from(value).ok());
            if directive.precision.is_none() {
                out.push("%!(BADPREC)");
            }
            self.after_index = false;
            return;
        }
        directive.precision = Some(self.number().unwrap_or(0));
    }

    fn number(&mut self) -> Option<usize> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.rest.split_at_checked(digits)?;
        if number.is_empty() {
            return None;
        }
        match number.parse::<usize>().ok().filter(|&value| value / 10 <= NUMBER_MAX) {
            Some(value) => {
                self.rest = rest;
                Some(value)
            }
            None => {
                self.rest = "";
                None
            }
        }
    }

    fn integer_argument(&mut self) -> Option<i64> {
        let argument = self.arguments.get(self.next)?;
        self.next += 1;
        match argument {
            Value::Int(value) if value.unsigned_abs() <= NUMBER_MAX as u64 => Some(*value),
            _ => None,
        }
    }

    fn verb(&mut self, out: &mut Output, verb: char, mut directive: Directive) {
        if verb == '%' {
            return out.push("%");
        }
        if !self.good_index {
            return out.push(&format!("%!{verb}(BADINDEX)"));
        }
        let Some(argument) = self.arguments.get(self.next) else {
            return out.push(&format!("%!{verb}(MISSING)"));
        };
        if verb == 'v' {
            directive.sharp_v = std::mem::take(&mut directive.sharp);
            directive.plus_v = std::mem::take(&mut directive.plus);
        }
        self.next += 1;
        print_value(out, argument, verb, &directive, Shape::Argument);
    }
}

fn extra_after_no_verb(out: &mut Output, state: &Formatter<'_>) {
    if !state.reordered {
        extra_arguments(out, state.arguments.get(state.next..).unwrap_or(&[]));
    }
}

fn extra_arguments(out: &mut Output, extra: &[Value]) {
    if extra.is_empty() {
        return;
    }
    out.push("%!(EXTRA ");
    for (at, value) in extra.iter().enumerate() {
        if at > 0 {
            out.push(", ");
        }
        if !matches!(value, Value::Nil) {
            out.push(&format!("{}=", value.type_name()));
        }
        print_value(out, value, 'v', &Directive::default(), Shape::Argument);
    }
    out.push(")");
}
