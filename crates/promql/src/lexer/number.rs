//! Where a number or duration ends: upstream's scanner, whose refusals decide the texts of lexical errors.

/// How a number scan ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scanned {
    /// A number up to this offset.
    Number(usize),
    /// A duration up to this offset.
    Duration(usize),
    /// Neither; the text up to this offset was looked at.
    Neither(usize),
}

/// Which numbers are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Dialect {
    /// Queries: decimal and hexadecimal numbers, and durations.
    Expression,
    /// Values of series: decimal numbers, which `x` may follow.
    Series,
}

/// A cursor over bytes; everything that numbers are made of is ASCII.
struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    dialect: Dialect,
}

const DECIMAL: &[u8] = b"0123456789";
const HEXADECIMAL: &[u8] = b"0123456789abcdefABCDEF";

/// Scans the number or duration that begins at `start`.
pub(super) fn scan(text: &str, start: usize, dialect: Dialect) -> Scanned {
    let mut scanner = Scanner { bytes: text.as_bytes(), at: start, dialect };
    if scanner.number() {
        return Scanned::Number(scanner.at);
    }
    if dialect == Dialect::Expression && scanner.duration() {
        return Scanned::Duration(scanner.at);
    }
    // The character that spoils a duration is part of what was looked at.
    let mut end = scanner.at.min(text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    Scanned::Neither(end)
}

fn is_word_byte(byte: Option<u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn is(&self, set: &[u8]) -> bool {
        self.peek().is_some_and(|byte| set.contains(&byte))
    }

    fn accept(&mut self, set: &[u8]) -> bool {
        let accepted = self.is(set);
        self.at += usize::from(accepted);
        accepted
    }

    fn accept_run(&mut self, set: &[u8]) {
        while self.accept(set) {}
    }

    /// Whether a number ends where the cursor comes to stand.
    fn number(&mut self) -> bool {
        let start = self.at;
        let mut digits = DECIMAL;
        if self.dialect == Dialect::Expression && self.accept(b"0") && self.accept(b"xX") {
            self.accept(b"_");
            digits = HEXADECIMAL;
        }
        self.accept(b".");
        self.accept(digits);
        if !self.rest_of_number(digits) || self.at == start {
            return false;
        }
        let repeats = self.dialect == Dialect::Series && self.peek() == Some(b'x');
        repeats || !is_word_byte(self.peek())
    }

    fn rest_of_number(&mut self, digits: &[u8]) -> bool {
        let (mut has_dot, mut has_exponent) = (false, false);
        while self.is(digits) || self.is(b"._eE") {
            if self.accept(b".") {
                if has_dot || self.accept(b"_.") || digits.len() > DECIMAL.len() {
                    return false;
                }
                has_dot = true;
            } else if self.accept(b"eE") {
                if has_exponent {
                    return false;
                }
                has_exponent = true;
                self.accept(b"+-");
                if self.accept(b"._eE") || self.peek().is_none() {
                    return false;
                }
            } else if self.accept(b"_") {
                if self.accept(b"._eE") || self.peek().is_none() {
                    return false;
                }
            } else {
                self.accept_run(digits);
            }
        }
        true
    }

    /// Whether units follow the digits that the cursor stands behind. On refusal the spoiling byte is consumed.
    fn duration(&mut self) -> bool {
        if !self.accept(b"smhdwy") {
            return false;
        }
        self.accept(b"s");
        while self.accept(DECIMAL) {
            self.accept_run(DECIMAL);
            if !self.accept(b"smhdw") {
                return false;
            }
            self.accept(b"s");
        }
        let ends = !is_word_byte(self.peek());
        self.at += usize::from(!ends);
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_durations_end_where_upstream_ends_them() {
        let query = |text| scan(text, 0, Dialect::Expression);
        assert_eq!(query("0x1_f+2"), Scanned::Number(5));
        assert_eq!(query("1e+5)"), Scanned::Number(4));
        assert_eq!(query("1h30m]"), Scanned::Duration(5));
        assert_eq!(query("5mm]"), Scanned::Neither(3));
        assert_eq!(query("100..4"), Scanned::Neither(5));
        assert_eq!(query("1a"), Scanned::Neither(1));
        assert_eq!(scan("1x4", 0, Dialect::Series), Scanned::Number(1));
        assert_eq!(scan("5m", 0, Dialect::Series), Scanned::Neither(1));
    }
}
