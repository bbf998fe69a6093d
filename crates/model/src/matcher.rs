//! Which series a selector wants: one condition on one label.

use std::fmt;

use narthex_regex::Regex;

use crate::Text;

/// How a matcher compares.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Regex,
    /// `!~`
    NotRegex,
}

impl MatchOp {
    /// The operator as written in a query.
    pub fn as_str(self) -> &'static str {
        match self {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Regex => "=~",
            MatchOp::NotRegex => "!~",
        }
    }

    /// Whether what the value describes is refused instead of wanted.
    pub fn is_negative(self) -> bool {
        matches!(self, MatchOp::NotEqual | MatchOp::NotRegex)
    }
}

/// A condition on a label; an absent label has the empty value.
#[derive(Clone, PartialEq, Eq)]
pub struct Matcher {
    name: Box<str>,
    op: MatchOp,
    value: Text,
    regex: Option<Regex>,
}

impl Matcher {
    /// A matcher of any kind.
    ///
    /// # Errors
    /// When `op` is a regex operator and `value` is no valid Go regular expression (or no UTF-8).
    pub fn new(name: &str, op: MatchOp, value: Text) -> Result<Matcher, narthex_regex::Error> {
        let regex = match op {
            MatchOp::Equal | MatchOp::NotEqual => None,
            MatchOp::Regex | MatchOp::NotRegex => Some(Regex::new(&value.to_str_lossy())?),
        };
        Ok(Matcher { name: name.into(), op, value, regex })
    }

    /// `name="value"`.
    pub fn equal(name: &str, value: impl Into<Text>) -> Matcher {
        Matcher { name: name.into(), op: MatchOp::Equal, value: value.into(), regex: None }
    }

    /// `name!="value"`.
    pub fn not_equal(name: &str, value: impl Into<Text>) -> Matcher {
        Matcher { name: name.into(), op: MatchOp::NotEqual, value: value.into(), regex: None }
    }

    /// The label it looks at.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it compares.
    pub fn op(&self) -> MatchOp {
        self.op
    }

    /// What it compares with: a value, or the text of a regular expression.
    pub fn value(&self) -> &Text {
        &self.value
    }

    /// The regular expression of `=~` and `!~`.
    pub fn regex(&self) -> Option<&Regex> {
        self.regex.as_ref()
    }

    /// Whether a label with this value (empty for an absent one) satisfies the condition.
    pub fn matches(&self, value: &str) -> bool {
        let described = match &self.regex {
            Some(regex) => regex.is_match(value),
            None => self.value.as_bytes() == value.as_bytes(),
        };
        described != self.op.is_negative()
    }

    /// Whether a series without the label satisfies the condition.
    pub fn matches_empty(&self) -> bool {
        self.matches("")
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{:?}", self.name, self.op.as_str(), self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_label_is_an_empty_value() {
        let matcher = |op, value: &str| Matcher::new("a", op, value.into()).unwrap();
        assert!(matcher(MatchOp::Equal, "").matches_empty());
        assert!(matcher(MatchOp::NotEqual, "x").matches_empty());
        assert!(matcher(MatchOp::Regex, ".*").matches_empty());
        assert!(!matcher(MatchOp::NotRegex, "x|").matches_empty());
        assert!(matcher(MatchOp::Regex, "5..").matches("5\n3"));
        assert!(Matcher::new("a", MatchOp::Regex, "(".into()).is_err());
    }

    #[test]
    fn a_value_that_is_no_utf8_matches_no_label() {
        let bytes = Text::from(vec![0xff]);
        assert!(!Matcher::equal("a", bytes.clone()).matches("\u{fffd}"));
        assert!(Matcher::not_equal("a", bytes).matches("\u{fffd}"));
    }
}
