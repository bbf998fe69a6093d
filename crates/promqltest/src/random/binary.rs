//! Binary operators, as the table lists them, with their matching.

use narthex_promql::operators::{OPERATORS, OperatorKind};

use super::QueryGenerator;
use super::wish::{Exactness, Kind, Wish};

const MATCHINGS: [&str; 12] = [
    "",
    "",
    "on (job, instance) ",
    "ignoring (code) ",
    "ignoring (missing) ",
    "on (job) ",
    "on () ",
    "on (job) group_left () ",
    "on (job, instance) group_left (version) ",
    "ignoring (code, instance) group_right () ",
    "on (instance) group_right (job) ",
    "ignoring (code) group_left () ",
];
const SET_MATCHINGS: [&str; 6] =
    ["", "", "on (instance) ", "ignoring (job) ", "on () ", "on (job, missing) "];
const FILLS: [&str; 5] =
    ["fill (0) ", "fill_left (1) ", "fill_right (-2) ", "fill_left (0) fill_right (3) ", "fill (NaN) "];
/// Labels by which both sides of an operator are grouped, so that they match.
const COMMON_LABELS: [&str; 3] = ["job", "job, instance", "instance"];

impl QueryGenerator<'_> {
    fn operator(&mut self, kind: OperatorKind) -> &'static str {
        let count = OPERATORS.iter().filter(|spec| spec.kind == kind).count();
        let number = self.below(count);
        let found = OPERATORS.iter().filter(|spec| spec.kind == kind).nth(number);
        found.expect("the number is below the count").text
    }

    fn matching(&mut self) -> String {
        let matching = if self.errs() {
            self.one_of(&["on (job) group_left (job) ", "bool on (job) ", "on (without) "])
        } else {
            self.one_of(&MATCHINGS)
        };
        let has_fill = self.dialect.options.fill_modifiers && self.once_in(6);
        format!("{matching}{}", if has_fill { self.one_of(&FILLS) } else { "" })
    }

    pub(super) fn arithmetic(&mut self, depth: u32, wish: Wish) -> String {
        let op = match wish.exactness {
            Exactness::Integer => self.one_of(&["+", "-", "*"]),
            Exactness::Any => self.operator(OperatorKind::Arithmetic),
        };
        // Remainders and powers turn the smallest difference into a large one.
        let is_well_conditioned = matches!(op, "+" | "-" | "*" | "/");
        let wish = if is_well_conditioned { wish } else { Wish { exactness: Exactness::Integer, ..wish } };
        match self.below(3) {
            0 => self.with_scalar(depth, op, wish),
            1 => self.aligned(depth, op, wish),
            _ => self.with_vector(depth, op, wish),
        }
    }

    pub(super) fn comparison(&mut self, depth: u32, wish: Wish) -> String {
        let mut op = self.operator(OperatorKind::Comparison).to_owned();
        if self.once_in(3) {
            op += " bool";
        }
        let wish = Wish { exactness: Exactness::Integer, ..wish };
        match self.below(3) {
            0 => self.with_scalar(depth, &op, wish),
            1 => self.aligned(depth, &op, wish),
            _ => self.with_vector(depth, &op, wish),
        }
    }

    fn with_scalar(&mut self, depth: u32, op: &str, wish: Wish) -> String {
        let vector = self.vector(depth - 1, wish);
        let scalar = self.scalar(depth.saturating_sub(2), wish.exactness);
        if self.once_in(3) {
            format!("({scalar} {op} {vector})")
        } else {
            format!("({vector} {op} {scalar})")
        }
    }

    fn with_vector(&mut self, depth: u32, op: &str, wish: Wish) -> String {
        let left = self.vector(depth - 1, wish);
        let (matching, right) = (self.matching(), self.vector(depth - 1, wish));
        format!("({left} {op} {matching}{right})")
    }

    /// Both sides have one element for each set of labels, or the left side several.
    fn aligned(&mut self, depth: u32, op: &str, wish: Wish) -> String {
        let labels = self.one_of(&COMMON_LABELS);
        let [left, right] = [(); 2].map(|()| self.vector(depth - 1, wish));
        let ops = ["sum", "max", "min", "count"];
        let [left_op, right_op] = [(); 2].map(|()| self.one_of(&ops));
        if self.once_in(3) {
            return format!("({left} {op} on ({labels}) group_left () {right_op} by ({labels}) ({right}))");
        }
        let matching = if self.once_in(2) { self.one_of(&["ignoring (missing) ", ""]) } else { "" };
        format!("({left_op} by ({labels}) ({left}) {op} {matching}{right_op} by ({labels}) ({right}))")
    }

    pub(super) fn set_operation(&mut self, depth: u32, wish: Wish) -> String {
        let op = self.operator(OperatorKind::Set);
        let matching = self.one_of(&SET_MATCHINGS);
        let [left, right] = [(); 2].map(|()| self.vector(depth - 1, wish));
        format!("({left} {op} {matching}{right})")
    }

    /// Native histograms on both sides, or a number on one.
    pub(super) fn native_arithmetic(&mut self, depth: u32, wish: Wish) -> String {
        let left = self.vector(depth - 1, wish.of(Kind::Native));
        match self.below(4) {
            0 => {
                let scalar = self.scalar(0, wish.exactness);
                format!("({left} {} {scalar})", if wish.is_exact() { "*" } else { self.one_of(&["*", "/"]) })
            }
            1 => format!("({} * {left})", self.scalar(0, wish.exactness)),
            _ => {
                let op = self.one_of(&["+", "-", "+", "-", "==", "!="]);
                let right = self.vector(depth - 1, wish.of(Kind::Native));
                format!("({left} {op} {right})")
            }
        }
    }

    pub(super) fn trim(&mut self, depth: u32, wish: Wish) -> String {
        let op = self.operator(OperatorKind::Trim);
        let (left, bound) = (self.vector(depth - 1, wish), self.scalar(0, wish.exactness));
        format!("({left} {op} {bound})")
    }
}
