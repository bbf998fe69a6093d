//! A query out of random choices: well typed but for a few, bounded in depth and size.

use narthex_promql::ValueType;
use narthex_promql::functions::FunctionId;

use super::wish::{Exactness, Kind, Wish};
use super::{Dialect, Random};

/// How deep vectors nest.
const DEPTH_MAX: u32 = 4;
/// Selectors and literals of a query; few more are written to end what was begun.
const LEAVES_MAX: u32 = 24;
/// One of so many vectors is one that was written before.
const REPEATS_EVERY: usize = 8;
/// One of so many queries has a mistake in its types or labels.
const FLAW_EVERY: usize = 30;

/// Makes queries over the metrics of [`super::samples`].
pub struct QueryGenerator<'a> {
    random: &'a mut dyn Random,
    pub(super) dialect: Dialect,
    leaves: u32,
    /// Vectors written so far, and how many leaves each has: some are written again.
    vectors: Vec<(Wish, String, u32)>,
    /// Metrics selected so far: other selectors select some of the same series, or look at them through another window.
    pub(super) selected: Vec<(Wish, &'static str)>,
    /// Whether a mistake is still to be made.
    is_flaw_due: bool,
}

impl<'a> QueryGenerator<'a> {
    /// A generator that chooses by these numbers.
    pub fn new(random: &'a mut dyn Random, dialect: Dialect) -> QueryGenerator<'a> {
        QueryGenerator {
            random,
            dialect,
            leaves: 0,
            vectors: Vec::new(),
            selected: Vec::new(),
            is_flaw_due: false,
        }
    }

    /// An instant query: mostly a vector, sometimes a scalar, a range vector or a string.
    pub fn query(&mut self) -> String {
        self.begin();
        match self.below(40) {
            0 => self.text(),
            1 | 2 => self.window(1, Wish::ANY),
            _ => self.root(),
        }
    }

    /// A query that has a value at every step: a vector or a scalar.
    pub fn range_query(&mut self) -> String {
        self.begin();
        self.root()
    }

    fn begin(&mut self) {
        self.leaves = 0;
        self.vectors.clear();
        self.selected.clear();
        self.is_flaw_due = self.below(FLAW_EVERY) == 0;
    }

    fn root(&mut self) -> String {
        let depth = 1 + self.below(DEPTH_MAX as usize) as u32;
        match self.below(20) {
            0 => self.scalar(depth, Exactness::Any),
            1 | 2 => self.vector(depth, Wish::ANY.of(Kind::Native)),
            3 => self.vector(depth, Wish::ANY.of(Kind::Buckets)),
            _ => self.vector(depth, Wish::ANY),
        }
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.random.below(end)
    }

    /// Whether an event happens that happens once in so many times.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(super) fn one_of<'b>(&mut self, choices: &[&'b str]) -> &'b str {
        choices[self.below(choices.len())]
    }

    /// Counts a selector or literal.
    pub(super) fn count_leaf(&mut self) {
        self.leaves += 1;
    }

    /// Whether the mistake of this query is made here.
    pub(super) fn errs(&mut self) -> bool {
        let errs = self.is_flaw_due && self.once_in(3);
        self.is_flaw_due &= !errs;
        errs
    }

    /// An instant vector.
    pub(super) fn vector(&mut self, depth: u32, wish: Wish) -> String {
        if depth == 0 || self.leaves >= LEAVES_MAX {
            return self.selector(wish);
        }
        if self.once_in(REPEATS_EVERY)
            && let Some(repeated) = self.repeated(wish)
        {
            return repeated;
        }
        let before = self.leaves;
        let vector = match wish.kind {
            Kind::Float => self.float_vector(depth, wish),
            Kind::Buckets => self.bucket_vector(depth, wish),
            Kind::Native => self.native_vector(depth, wish),
        };
        self.vectors.push((wish, vector.clone(), self.leaves - before));
        vector
    }

    /// What was written before, if it fits.
    fn repeated(&mut self, wish: Wish) -> Option<String> {
        let fitting: Vec<usize> = (0..self.vectors.len()).filter(|&at| self.vectors[at].0 == wish).collect();
        let at = *fitting.get(self.below(fitting.len()))?;
        let (_, vector, leaves) = self.vectors[at].clone();
        self.leaves += leaves;
        Some(vector)
    }

    fn float_vector(&mut self, depth: u32, wish: Wish) -> String {
        match self.below(32) {
            0..2 => self.selector(wish),
            2 => format!("({})", self.vector(depth - 1, wish)),
            3 => format!("{}{}", self.one_of(&["-", "-", "+"]), self.vector(depth - 1, wish)),
            4..7 => self.set_operation(depth, wish),
            7..10 => self.comparison(depth, wish),
            10..15 => self.arithmetic(depth, wish),
            15..20 => self.aggregation(depth, wish),
            // Kinds that the operators around are not made for.
            20 => self.vector(depth, wish.of(Kind::Native)),
            21 => format!("vector({})", self.scalar(depth - 1, wish.exactness)),
            _ => self.call(depth, wish),
        }
    }

    /// Series that keep `le`.
    fn bucket_vector(&mut self, depth: u32, wish: Wish) -> String {
        match self.below(6) {
            0 | 1 => self.selector(wish),
            2 => format!("({})", self.vector(depth - 1, wish)),
            3 | 4 => {
                let grouping = self.one_of(&["by (le)", "by (job, le)", "without (instance)"]);
                format!("sum {grouping} ({})", self.vector(depth - 1, wish))
            }
            _ if wish.is_exact() => self.selector(wish),
            _ => {
                let name = self.one_of(&["rate", "increase"]);
                format!("{name}({})", self.window(0, wish))
            }
        }
    }

    fn native_vector(&mut self, depth: u32, wish: Wish) -> String {
        match self.below(8) {
            0 | 1 => self.selector(wish),
            2 => self.aggregation(depth, wish),
            3 => self.native_arithmetic(depth, wish),
            4 if self.dialect.trim_operators => self.trim(depth, wish),
            5 => format!("-{}", self.vector(depth - 1, wish)),
            _ if wish.is_exact() => {
                let name = self.one_of(&["last", "sum"]);
                format!("{name}_over_time({})", self.window(0, wish))
            }
            _ => {
                let names = [
                    "rate",
                    "increase",
                    "delta",
                    "irate",
                    "idelta",
                    "avg_over_time",
                    "sum_over_time",
                    "last_over_time",
                ];
                let name = self.one_of(&names);
                format!("{name}({})", self.window(depth - 1, wish))
            }
        }
    }

    /// An argument of a type; another one when the query errs here.
    pub(super) fn argument(&mut self, value_type: ValueType, depth: u32, wish: Wish) -> String {
        let types = [ValueType::Scalar, ValueType::InstantVector, ValueType::RangeVector, ValueType::String];
        let value_type = if self.errs() { types[self.below(types.len())] } else { value_type };
        match value_type {
            ValueType::Scalar => self.scalar(depth, wish.exactness),
            ValueType::InstantVector => self.vector(depth, wish),
            ValueType::RangeVector => self.window(depth, wish),
            ValueType::String => self.text(),
        }
    }

    /// The samples that a function is made for.
    pub(super) fn kind_for(&mut self, id: FunctionId) -> Kind {
        use narthex_promql::functions::HistogramFunction as Histogram;
        match id {
            FunctionId::Histogram(Histogram::Quantile | Histogram::Quantiles | Histogram::Fraction) => {
                if self.once_in(2) { Kind::Buckets } else { Kind::Native }
            }
            FunctionId::Histogram(_) => Kind::Native,
            _ if self.once_in(12) => Kind::Native,
            _ => Kind::Float,
        }
    }
}

#[cfg(test)]
mod tests {
    use narthex_promql::aggregations::AGGREGATIONS;
    use narthex_promql::functions::FUNCTIONS;
    use narthex_promql::operators::OPERATORS;
    use narthex_promql::parse;
    use narthex_testkit::SplitMix64;

    use super::*;

    fn queries(dialect: Dialect, count: u64) -> Vec<String> {
        let query = |seed| {
            let mut random = SplitMix64::new(seed);
            QueryGenerator::new(&mut || random.next_u64(), dialect).query()
        };
        (0..count).map(query).collect()
    }

    #[test]
    fn most_queries_are_well_typed_and_all_are_small() {
        for dialect in [Dialect::ALL, Dialect::STABLE, Dialect::PROMETHEUS_3_5] {
            let queries = queries(dialect, 2000);
            let valid = queries.iter().filter(|query| parse(query, &dialect.options).into_result().is_ok());
            let valid = valid.count();
            assert!((1900..2000).contains(&valid), "{valid} of 2000 are valid");
            assert!(queries.iter().all(|query| query.len() < 6000));
        }
    }

    #[test]
    fn every_word_of_the_language_occurs() {
        let queries = queries(Dialect::ALL, 12_000).join("\n");
        let functions = FUNCTIONS.iter().map(|spec| format!("{}(", spec.name));
        let aggregations = AGGREGATIONS.iter().map(|spec| spec.name.to_owned());
        let operators = OPERATORS.iter().map(|spec| format!(" {} ", spec.text));
        let modifiers = ["anchored", "smoothed", " @ start()", " offset -", "fill (", "fill_left (", "bool "];
        let words = functions.chain(aggregations).chain(operators).chain(modifiers.map(str::to_owned));
        let missing: Vec<String> = words.filter(|word| !queries.contains(word.as_str())).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn a_dialect_has_only_what_it_knows() {
        let queries = queries(Dialect::PROMETHEUS_3_5, 4000).join("\n");
        let words = ["first_over_time", "fill", "anchored", "smoothed", "</", ">/", "max_of", "step()"];
        let known: Vec<&str> = words.into_iter().filter(|word| queries.contains(word)).collect();
        assert!(known.is_empty(), "{known:?}");
    }
}
