//! Functions of distributions; those of native histograms here, classic ones in `classic`.

use std::collections::BTreeMap;

use narthex_model::histogram::Bucket;
use narthex_model::labels::{BUCKET_LABEL, METRIC_NAME};
use narthex_model::number::{format_openmetrics, parse_float};
use narthex_model::{FloatHistogram, Labels, LabelsBuilder, Timestamp};
use narthex_promql::ast::Call;
use narthex_promql::functions::HistogramFunction;

use super::{Element, Oracle, OracleError, Value, classic, compensated, label};

/// What is asked of every distribution.
#[derive(Clone, Copy)]
enum Question {
    Quantile(f64),
    Fraction(f64, f64),
}

/// The classic buckets of a group, and its native histogram.
#[derive(Default)]
struct Group {
    drops_name: bool,
    buckets: Vec<(f64, f64)>,
    native: Option<Element>,
}

impl Oracle<'_> {
    pub(super) fn histogram_function(
        &self,
        function: HistogramFunction,
        node: &Call,
        times: &[Timestamp],
    ) -> Result<Value, OracleError> {
        let scalars = |at: usize| self.scalars(&node.args[at], times);
        let mut label = None;
        let (vector, questions): (usize, Vec<Vec<Question>>) = match function {
            HistogramFunction::Quantile => {
                (1, vec![scalars(0)?.into_iter().map(Question::Quantile).collect()])
            }
            HistogramFunction::Fraction => {
                let pairs = scalars(0)?.into_iter().zip(scalars(1)?);
                (2, vec![pairs.map(|(lower, upper)| Question::Fraction(lower, upper)).collect()])
            }
            HistogramFunction::Quantiles => {
                label = Some(label::text(&node.args[1])?);
                let each = (2..node.args.len()).map(|at| {
                    let values = scalars(at)?.into_iter();
                    Ok(values.map(Question::Quantile).collect())
                });
                (0, each.collect::<Result<_, OracleError>>()?)
            }
            _ => return self.native_function(function, node, times),
        };
        let mut steps = self.vectors(&node.args[vector], times)?;
        for (at, step) in steps.iter_mut().enumerate() {
            let groups = groups(step);
            *step = Vec::new();
            for question in questions.iter().map(|values| values[at]) {
                step.extend(groups.iter().filter_map(|(labels, group)| {
                    let mut labels = labels.clone();
                    if let (Some(name), Question::Quantile(q)) = (&label, question) {
                        labels =
                            LabelsBuilder::from_labels(&labels).set(name, &format_openmetrics(q)).build();
                    }
                    group
                        .answer(question)
                        .map(|value| Element { drops_name: true, ..Element::new(labels, value) })
                }));
            }
        }
        self.settled(steps)
    }

    fn native_function(
        &self,
        function: HistogramFunction,
        node: &Call,
        times: &[Timestamp],
    ) -> Result<Value, OracleError> {
        let steps = self.vectors(&node.args[0], times)?;
        let is_immediate = !self.options.delayed_name_removal;
        self.changed(&steps, |one| {
            let histogram = one.histogram()?;
            let mut result = one.with(match function {
                HistogramFunction::Count => histogram.count,
                HistogramFunction::Sum => histogram.sum,
                HistogramFunction::Avg => histogram.sum / histogram.count,
                HistogramFunction::Stdvar => variance(histogram),
                _ => variance(histogram).sqrt(),
            });
            if is_immediate {
                // Type and unit stay.
                result.labels = result.labels.filtered(|name, _| name != METRIC_NAME);
                result.drops_name = false;
            }
            Some(result)
        })
    }
}

/// The distributions of a step by their labels without bound.
fn groups(step: &[Element]) -> BTreeMap<Labels, Group> {
    let mut groups: BTreeMap<Labels, Group> = BTreeMap::new();
    for element in step {
        let labels = element.labels.filtered(|name, _| name != BUCKET_LABEL);
        match element.float() {
            None => {
                let group = groups.entry(element.labels.clone()).or_default();
                (group.native, group.drops_name) = (Some(element.clone()), element.drops_name);
            }
            Some(count) => {
                if let Some(bound) = parse_float(element.labels.value(BUCKET_LABEL)) {
                    groups.entry(labels).or_default().buckets.push((bound, count));
                }
            }
        }
    }
    groups
}

impl Group {
    /// `None` for classic and native at once.
    fn answer(&self, question: Question) -> Option<f64> {
        let native = self.native.as_ref().and_then(Element::histogram);
        match (question, native) {
            (_, Some(_)) if !self.buckets.is_empty() => None,
            (Question::Quantile(q), Some(native)) => Some(quantile(native, q)),
            (Question::Fraction(lower, upper), Some(native)) => Some(fraction(native, lower, upper)),
            (Question::Quantile(q), None) => Some(classic::quantile(&self.buckets, q)),
            (Question::Fraction(lower, upper), None) => Some(classic::fraction(&self.buckets, lower, upper)),
        }
    }
}

/// What stands for all observations of a bucket.
fn middle(histogram: &FloatHistogram, bucket: &Bucket) -> f64 {
    match bucket {
        _ if histogram.uses_custom_buckets() => (bucket.upper + bucket.lower) / 2.0,
        _ if bucket.lower <= 0.0 && bucket.upper >= 0.0 => 0.0,
        _ if bucket.upper < 0.0 => -(bucket.upper * bucket.lower).sqrt(),
        _ => (bucket.upper * bucket.lower).sqrt(),
    }
}

fn variance(histogram: &FloatHistogram) -> f64 {
    let mean = histogram.sum / histogram.count;
    let squares = histogram.ascending().map(|bucket| {
        let distance = middle(histogram, &bucket) - mean;
        bucket.count * distance * distance
    });
    compensated(squares) / histogram.count
}

/// A bucket around zero reaches to zero only on a side without observations.
fn edges(histogram: &FloatHistogram, bucket: &Bucket) -> (f64, f64) {
    let is_zero_bucket = bucket.lower < 0.0 && bucket.upper > 0.0;
    let has_negative = !histogram.negative_buckets.is_empty();
    let has_positive = !histogram.positive_buckets.is_empty();
    match (bucket.lower, bucket.upper) {
        (f64::NEG_INFINITY, upper) if histogram.uses_custom_buckets() && upper > 0.0 => (0.0, upper),
        edges if histogram.uses_custom_buckets() || !is_zero_bucket => edges,
        (_, upper) if !has_negative && has_positive => (0.0, upper),
        (lower, _) if has_negative && !has_positive => (lower, 0.0),
        edges => edges,
    }
}

fn quantile(histogram: &FloatHistogram, q: f64) -> f64 {
    match q {
        _ if q < 0.0 => return f64::NEG_INFINITY,
        _ if q > 1.0 => return f64::INFINITY,
        _ if histogram.count == 0.0 || q.is_nan() => return f64::NAN,
        _ => {}
    }
    let rises = histogram.sum.is_nan() || q < 0.5;
    let buckets: Vec<Bucket> =
        if rises { histogram.ascending().collect() } else { histogram.descending().collect() };
    let rank = if rises { q * histogram.count } else { (1.0 - q) * histogram.count };
    let mut count = 0.0;
    let mut found = None;
    for bucket in &buckets {
        count += bucket.count;
        if count >= rank {
            found = Some(*bucket);
            break;
        }
    }
    // Where counts are below zero, the rank may not be reached: then it is the last bucket, populated or not.
    let last = if rises { histogram.positive().last() } else { histogram.negative().last() };
    let last = last.or(buckets.last().copied()).filter(|_| !buckets.is_empty());
    let Some(bucket) = found.or(last) else { return f64::NAN };
    let bucket = &bucket;
    let (lower, upper) = edges(histogram, bucket);
    if histogram.uses_custom_buckets() && (lower == f64::NEG_INFINITY || upper == f64::INFINITY) {
        return if lower == f64::NEG_INFINITY { upper } else { lower };
    }
    let count = if count > histogram.count { histogram.count } else { count };
    if count < rank {
        // Observations that are no number are in no bucket; counts below zero may also keep the rank from being reached.
        return if histogram.sum.is_nan() { f64::NAN } else { upper };
    }
    let share = if rises { rank - (count - bucket.count) } else { count - rank } / bucket.count;
    if histogram.uses_custom_buckets() || (lower <= 0.0 && upper >= 0.0) {
        return lower + (upper - lower) * share;
    }
    let (low, high) = (lower.abs().log2(), upper.abs().log2());
    if lower > 0.0 {
        (low + (high - low) * share).exp2()
    } else {
        -(high + (low - high) * (1.0 - share)).exp2()
    }
}

fn fraction(histogram: &FloatHistogram, lower: f64, upper: f64) -> f64 {
    if histogram.count == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    (rank_at(histogram, upper) - rank_at(histogram, lower)) / histogram.count
}

/// How many observations are below `value`, never more than there are.
fn rank_at(histogram: &FloatHistogram, value: f64) -> f64 {
    let rank = rank_in_buckets(histogram, value);
    if rank > histogram.count { histogram.count } else { rank }
}

fn rank_in_buckets(histogram: &FloatHistogram, value: f64) -> f64 {
    let mut rank = 0.0;
    for bucket in histogram.ascending() {
        let is_linear = histogram.uses_custom_buckets() || (bucket.lower <= 0.0 && bucket.upper >= 0.0);
        let (lower, upper) = edges(histogram, &bucket);
        if lower >= value {
            return rank;
        }
        if upper > value {
            let (low, high, at) = (lower.abs().log2(), upper.abs().log2(), value.abs().log2());
            let share = match () {
                () if is_linear && lower == f64::NEG_INFINITY => 1.0,
                () if is_linear => (value - lower) / (upper - lower),
                () if value > 0.0 => (at - low) / (high - low),
                () => 1.0 - (at - high) / (low - high),
            };
            return rank + bucket.count * share;
        }
        rank += bucket.count;
    }
    // Observations that are no number are in no bucket.
    if histogram.sum.is_nan() { rank } else { histogram.count }
}
