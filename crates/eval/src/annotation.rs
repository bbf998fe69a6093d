//! What a query's result should be read with: warnings and infos, with upstream's texts.

use std::collections::BTreeMap;

use narthex_diag::{Code, Diagnostic, Severity, Source, Span};
use narthex_model::Timestamp;
use narthex_model::labels::quote;
use narthex_model::number::{format_g, format_g_digits};

/// What is to be said. The metric name of a text is empty when it is no longer known.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum AnnotationKind {
    /// `limit_ratio` outside of [−1, 1]: the ratio and what it was capped to.
    RatioCapped(f64, f64),
    /// A quantile outside of [0, 1].
    QuantileOutOfRange(f64),
    /// A classic bucket without a readable bound: the bound's text and the metric.
    BadBucketLabel(String, String),
    /// Floats and histograms in one window.
    MixedFloatsHistograms(String),
    /// Floats and histograms in one group.
    MixedFloatsHistogramsAggregation,
    /// Classic and native histograms under one name.
    MixedClassicNative(String),
    /// A counter function over a gauge histogram.
    NativeHistogramNotCounter(String),
    /// A gauge function over a counter histogram.
    NativeHistogramNotGauge(String),
    /// Exponential and custom buckets in one window or group.
    MixedExponentialCustom(String),
    /// Exponential and custom buckets as operands.
    IncompatibleBucketLayout(&'static str),
    /// A sorting function in a range query.
    SortInRangeQuery,
    /// One histogram says reset, the other none: `addition`, `subtraction` or `aggregation`.
    CounterResetCollision(&'static str),
    /// A start time before the sample before: the metric.
    StartTimeOverlap(String),
    /// A counter function over a metric that is not named like a counter.
    PossibleNonCounter(String),
    /// A counter function over a metric whose `__type__` is no counter: the type and the metric.
    PossibleNonCounterType(String, String),
    /// Classic buckets that had to be made monotonic.
    ForcedMonotonicity {
        /// The metric.
        metric: String,
        /// Lowest bound repaired.
        min_bucket: f64,
        /// Highest bound repaired.
        max_bucket: f64,
        /// Largest drop.
        max_diff: f64,
        /// First evaluation time concerned.
        first_ms: Timestamp,
        /// Last evaluation time concerned.
        last_ms: Timestamp,
        /// Number of samples repaired.
        samples: usize,
    },
    /// Operands of kinds that the operator does not take: kind, operator, kind.
    IncompatibleOperands(&'static str, &'static str, &'static str),
    /// Histograms that an aggregation leaves out.
    HistogramIgnoredInAggregation(&'static str),
    /// Histograms that a window function leaves out.
    HistogramIgnoredInMixedRange(String),
    /// A native histogram with NaN observations: the quantile is NaN.
    QuantileNanResult(String),
    /// A native histogram with NaN observations: the quantile is too high.
    QuantileNanSkew(String),
    /// A native histogram with NaN observations: they are in no fraction.
    FractionNanExcluded(String),
    /// Custom buckets with other bounds: `addition`, `subtraction` or `aggregation`.
    CustomBucketsReconciled(&'static str),
}

/// Makes a table of all kinds out of rows `pattern => severity, what the text begins with`.
macro_rules! kinds {
    ($($kind:pat => $severity:ident $beginning:literal;)*) => {
        impl AnnotationKind {
            /// What the texts begin with, one for each kind.
            pub const BEGINNINGS: &[&str] = &[$($beginning),*];

            /// Warning or info.
            pub fn severity(&self) -> Severity {
                match self {
                    $($kind => Severity::$severity,)*
                }
            }

            fn beginning(&self) -> &'static str {
                match self {
                    $($kind => $beginning,)*
                }
            }
        }
    };
}

kinds! {
    Self::RatioCapped(..) => Warning "ratio value should be between -1 and 1, got ";
    Self::QuantileOutOfRange(_) => Warning "quantile value should be between 0 and 1, got ";
    Self::BadBucketLabel(..) => Warning "bucket label \"le\" is missing or has a malformed value of ";
    Self::MixedFloatsHistograms(_) => Warning "encountered a mix of histograms and floats for metric name ";
    Self::MixedFloatsHistogramsAggregation => Warning "encountered a mix of histograms and floats for aggregation";
    Self::MixedClassicNative(_) => Warning "vector contains a mix of classic and native histograms";
    Self::NativeHistogramNotCounter(_) => Warning "this native histogram metric is not a counter: ";
    Self::NativeHistogramNotGauge(_) => Warning "this native histogram metric is not a gauge: ";
    Self::MixedExponentialCustom(_) => Warning "vector contains a mix of histograms with exponential and custom buckets schemas for metric name ";
    Self::IncompatibleBucketLayout(_) => Warning "incompatible bucket layout encountered for binary operator ";
    Self::SortInRangeQuery => Warning "sort is ineffective for range queries since results are always ordered by labels";
    Self::CounterResetCollision(_) => Warning "conflicting counter resets during histogram ";
    Self::StartTimeOverlap(_) => Warning "sample has start time that overlaps with previous sample timestamp for metric ";
    Self::PossibleNonCounter(_) => Info "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: ";
    Self::PossibleNonCounterType(..) => Info "metric might not be a counter, __type__ label is not set to \"counter\" or \"histogram\", got ";
    Self::ForcedMonotonicity { .. } => Info "input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";
    Self::IncompatibleOperands(..) => Info "incompatible sample types encountered for binary operator ";
    Self::HistogramIgnoredInAggregation(_) => Info "ignored histogram in ";
    Self::HistogramIgnoredInMixedRange(_) => Info "ignored histograms in a range containing both floats and histograms for metric name ";
    Self::QuantileNanResult(_) => Info "input to histogram_quantile has NaN observations, result is NaN";
    Self::QuantileNanSkew(_) => Info "input to histogram_quantile has NaN observations, result is skewed higher";
    Self::FractionNanExcluded(_) => Info "input to histogram_fraction has NaN observations, which are excluded from all fractions";
    Self::CustomBucketsReconciled(_) => Info "mismatched custom buckets were reconciled during ";
}

impl AnnotationKind {
    /// What makes two annotations one: the text, without what is counted up.
    fn key(&self) -> String {
        match self {
            AnnotationKind::ForcedMonotonicity { metric, .. } => format!("{} {metric}", self.beginning()),
            _ => self.text(1),
        }
    }

    /// Takes up what another of the same key counted.
    fn merge(&mut self, other: &AnnotationKind) {
        if let (
            AnnotationKind::ForcedMonotonicity {
                min_bucket,
                max_bucket,
                max_diff,
                first_ms,
                last_ms,
                samples,
                ..
            },
            AnnotationKind::ForcedMonotonicity {
                min_bucket: other_min,
                max_bucket: other_max,
                max_diff: other_diff,
                first_ms: other_first,
                last_ms: other_last,
                samples: other_samples,
                ..
            },
        ) = (self, other)
        {
            *min_bucket = min_bucket.min(*other_min);
            *max_bucket = max_bucket.max(*other_max);
            *max_diff = max_diff.max(*other_diff);
            *first_ms = (*first_ms).min(*other_first);
            *last_ms = (*last_ms).max(*other_last);
            *samples += other_samples;
        }
    }

    /// The text behind `PromQL warning: ` or `PromQL info: `, raised `times` times.
    fn text(&self, times: usize) -> String {
        let times = Some(times).filter(|&times| times > 1 && matches!(self, Self::StartTimeOverlap(_)));
        let times = times.map_or_else(String::new, |times| format!(" ({times} occurrences)"));
        format!("{}{}{times}", self.beginning(), self.rest())
    }

    /// The text behind its beginning.
    fn rest(&self) -> String {
        match self {
            Self::MixedFloatsHistogramsAggregation | Self::SortInRangeQuery => String::new(),
            Self::RatioCapped(ratio, cap) => format!("{}, capping to {}", format_g(*ratio), format_g(*cap)),
            Self::QuantileOutOfRange(quantile) => format_g(*quantile),
            Self::BadBucketLabel(value, metric) => format!("{}{}", quoted(value), for_metric(metric)),
            Self::MixedFloatsHistograms(metric)
            | Self::NativeHistogramNotCounter(metric)
            | Self::NativeHistogramNotGauge(metric)
            | Self::MixedExponentialCustom(metric)
            | Self::StartTimeOverlap(metric)
            | Self::PossibleNonCounter(metric)
            | Self::HistogramIgnoredInMixedRange(metric) => quoted(metric),
            Self::MixedClassicNative(metric)
            | Self::QuantileNanResult(metric)
            | Self::QuantileNanSkew(metric)
            | Self::FractionNanExcluded(metric) => for_metric(metric),
            Self::IncompatibleBucketLayout(what)
            | Self::CounterResetCollision(what)
            | Self::CustomBucketsReconciled(what) => (*what).into(),
            Self::PossibleNonCounterType(found, metric) => format!("{}: {}", quoted(found), quoted(metric)),
            Self::ForcedMonotonicity { .. } => self.repaired(),
            Self::IncompatibleOperands(left, op, right) => format!("{op:?}: {left} {op} {right}"),
            Self::HistogramIgnoredInAggregation(name) => format!("{name} aggregation"),
        }
    }

    /// What had to be repaired.
    fn repaired(&self) -> String {
        let Self::ForcedMonotonicity { metric, min_bucket, max_bucket, max_diff, first_ms, last_ms, samples } =
            self
        else {
            return String::new();
        };
        let metric = for_metric(metric);
        let (low, high, diff) = (format_g(*min_bucket), format_g(*max_bucket), format_g_digits(*max_diff, 2));
        let (first, last) = (rfc3339(*first_ms), rfc3339(*last_ms));
        format!(
            "{metric}, from buckets {low} to {high}, with a max diff of {diff}, over {samples} samples from {first} to {last}"
        )
    }
}

/// In double quotes, as Go escapes.
fn quoted(text: &str) -> String {
    let mut out = String::new();
    quote(&mut out, text.as_bytes());
    out
}

fn for_metric(metric: &str) -> String {
    if metric.is_empty() { String::new() } else { format!(" for metric name {}", quoted(metric)) }
}

/// UTC to the second; milliseconds are cut off.
fn rfc3339(at_ms: Timestamp) -> String {
    let seconds = at_ms.div_euclid(1000);
    let (days, second_of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day of a number of days since 1970-01-01, in the proleptic Gregorian calendar: eras of 400 years
/// that start in March, so that the leap day comes last.
pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// An annotation and the part of the query it concerns.
#[derive(Clone, PartialEq, Debug)]
pub struct Annotation {
    /// What is to be said.
    pub kind: AnnotationKind,
    /// Of what.
    pub span: Span,
    times: usize,
}

impl Annotation {
    /// The full text, with the place in `query`: `PromQL info: … (1:5)`.
    pub fn text(&self, query: &Source) -> String {
        let place = query.line_column(self.span.start as usize);
        let level = if self.kind.severity() == Severity::Info { "info" } else { "warning" };
        format!("PromQL {level}: {} ({}:{})", self.kind.text(self.times), place.line, place.column)
    }

    /// The annotation at its place.
    pub fn to_diagnostic(&self) -> Diagnostic {
        Diagnostic::new(Code("ANN001"), self.kind.severity(), self.kind.text(self.times), self.span)
    }
}

/// All annotations of a query, each text once.
#[derive(Clone, Debug, Default)]
pub struct Annotations {
    by_key: BTreeMap<String, Annotation>,
}

impl Annotations {
    /// No annotations.
    pub fn new() -> Annotations {
        Annotations::default()
    }

    /// Adds one; of equal texts the one that stands first in the query is kept.
    pub fn add(&mut self, kind: AnnotationKind, span: Span) {
        let key = kind.key();
        match self.by_key.get_mut(&key) {
            None => {
                self.by_key.insert(key, Annotation { kind, span, times: 1 });
            }
            Some(known) => {
                known.kind.merge(&kind);
                known.times += 1;
                known.span = known.span.min(span);
            }
        }
    }

    /// All of them, by place and text.
    pub fn into_sorted(self) -> Vec<Annotation> {
        let mut all: Vec<Annotation> = self.by_key.into_values().collect();
        all.sort_by_key(|annotation| annotation.span);
        all
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_kept_once_with_the_first_place() {
        let mut annotations = Annotations::new();
        annotations.add(AnnotationKind::QuantileOutOfRange(1.5), Span::new(9, 10));
        annotations.add(AnnotationKind::QuantileOutOfRange(1.5), Span::new(4, 5));
        annotations.add(AnnotationKind::PossibleNonCounter("up".into()), Span::new(0, 1));
        let query = Source::new("<query>", "rate(x)\n y");
        let texts: Vec<String> = annotations.into_sorted().iter().map(|one| one.text(&query)).collect();
        assert_eq!(
            texts,
            [
                "PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"up\" (1:1)",
                "PromQL warning: quantile value should be between 0 and 1, got 1.5 (1:5)",
            ]
        );
    }

    #[test]
    fn monotonicity_merges_over_steps() {
        let one = |first_ms, bucket| AnnotationKind::ForcedMonotonicity {
            metric: "h".into(),
            min_bucket: bucket,
            max_bucket: bucket,
            max_diff: 0.123,
            first_ms,
            last_ms: first_ms,
            samples: 1,
        };
        let mut annotations = Annotations::new();
        annotations.add(one(60_000, 1.0), Span::default());
        annotations.add(one(1_700_000_000_000, 0.5), Span::default());
        let text = annotations.into_sorted()[0].kind.text(2);
        let tail = text.split_once("metric name ").unwrap().1;
        assert_eq!(
            tail,
            "\"h\", from buckets 0.5 to 1, with a max diff of 0.12, over 2 samples from 1970-01-01T00:01:00Z to 2023-11-14T22:13:20Z"
        );
    }
}
