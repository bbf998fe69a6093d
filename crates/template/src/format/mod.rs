//! How Go prints values: `print`, `println` and `printf`.
//!
//! Rust's formatting differs in floats, in maps, in what happens when a verb does not fit its argument; all of that
//! ends up in alert texts, so it is reproduced here.

mod layout;
mod number;
mod output;
mod printf;
mod time;
mod value;

pub(crate) use layout::{time_layout, time_text};
pub(crate) use output::Output;
pub(crate) use printf::printf;
pub(crate) use time::{MONTHS, WEEKDAYS, duration_text, time_fields};
pub(crate) use value::{Shape, print_value};

use crate::value::Value;

/// What stands between `%` and the verb.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Directive {
    /// `#`
    pub(crate) sharp: bool,
    /// `0`
    pub(crate) zero: bool,
    /// `+`
    pub(crate) plus: bool,
    /// `-`
    pub(crate) minus: bool,
    /// A space.
    pub(crate) space: bool,
    /// `#` with the verb `v`.
    pub(crate) sharp_v: bool,
    /// `+` with the verb `v`.
    pub(crate) plus_v: bool,
    /// Fewest characters.
    pub(crate) width: Option<usize>,
    /// Digits of floats and integers, characters of strings.
    pub(crate) precision: Option<usize>,
}

impl Directive {
    /// Appends `text`, filled up to the width.
    pub(crate) fn pad(&self, out: &mut Output, text: &str) {
        let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        if self.minus {
            out.push(text);
            out.fill(' ', missing);
        } else {
            out.fill(if self.zero { '0' } else { ' ' }, missing);
            out.push(text);
        }
    }
}

/// `print`: a space between two operands when neither is a string.
pub(crate) fn print(out: &mut Output, values: &[Value]) {
    let mut after_text = true;
    for (at, value) in values.iter().enumerate() {
        let is_text = matches!(value, Value::Text(_) | Value::Html(_));
        if at > 0 && !is_text && !after_text {
            out.push(" ");
        }
        print_value(out, value, 'v', &Directive::default(), Shape::Argument);
        after_text = is_text;
    }
}

/// `println`: spaces between all operands and a line feed.
pub(crate) fn println(out: &mut Output, values: &[Value]) {
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push(" ");
        }
        print_value(out, value, 'v', &Directive::default(), Shape::Argument);
    }
    out.push("\n");
}
