//! Scalars and strings.

use narthex_promql::ValueType;

use super::QueryGenerator;
use super::wish::{Exactness, Wish};

const INTEGERS: [&str; 14] =
    ["0", "1", "2", "3", "5", "7", "100", "-1", "-4", "1e3", "0x1F", "1_000", "017", "5m"];
const NUMBERS: [&str; 8] = ["0.5", "-0.25", "2.75", "1e-3", "Inf", "-Inf", "NaN", "1.5e300"];
const TEXTS: [&str; 5] = ["\"job\"", "\"x\"", "'a b'", "`$1`", "\"\""];

impl QueryGenerator<'_> {
    pub(super) fn number(&mut self, exactness: Exactness) -> &'static str {
        self.count_leaf();
        if exactness == Exactness::Integer || !self.once_in(3) {
            self.one_of(&INTEGERS)
        } else {
            self.one_of(&NUMBERS)
        }
    }

    pub(super) fn text(&mut self) -> String {
        self.count_leaf();
        self.one_of(&TEXTS).to_owned()
    }

    pub(super) fn scalar(&mut self, depth: u32, exactness: Exactness) -> String {
        if depth == 0 {
            return self.number(exactness).to_owned();
        }
        match self.below(10) {
            0 => {
                let op = self.one_of(&["== bool", "!= bool", "< bool", "<= bool", "> bool", ">= bool"]);
                let [left, right] = [(); 2].map(|()| self.scalar(depth - 1, Exactness::Integer));
                format!("({left} {op} {right})")
            }
            1 => {
                let op = match exactness {
                    Exactness::Integer => self.one_of(&["+", "-", "*"]),
                    Exactness::Any => self.one_of(&["+", "-", "*", "/", "%", "^", "atan2"]),
                };
                // What is not well conditioned gets integers.
                let [left, right] = [(); 2].map(|()| self.scalar(depth - 1, Exactness::Integer));
                format!("({left} {op} {right})")
            }
            2 => format!("-{}", self.scalar(depth - 1, exactness)),
            3 | 4 => format!("scalar({})", self.vector(depth - 1, Wish { exactness, ..Wish::ANY })),
            5 | 6 if exactness == Exactness::Any => self.call_of(ValueType::Scalar, depth, Wish::ANY),
            7 => "time()".to_owned(),
            _ => self.number(exactness).to_owned(),
        }
    }
}
