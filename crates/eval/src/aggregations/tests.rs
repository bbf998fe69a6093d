//! Accumulators against sums, means and variances computed step by step from their definitions.

use narthex_plan::QueryParameters;
use narthex_promql::aggregations::AggregateOp;
use proptest::prelude::*;

use super::*;
use crate::Limits;
use crate::context::EvalOptions;

const STEPS: usize = 3;

fn aggregate(op: AggregateOp, series: &[[Option<f64>; STEPS]], phi: f64) -> StepColumn {
    let parameters = QueryParameters::instant(0, 0, 0);
    let query = QueryContext::new(parameters, Limits::DEFAULT, EvalOptions::STABLE);
    let mut parameter = StepColumn::new(STEPS);
    (0..STEPS).for_each(|step| parameter.set_float(step, phi));
    let context = AggregateContext { query: &query, span: Span::default(), parameter: &parameter };
    let mut accumulator = accumulator(op, STEPS).unwrap();
    for values in series {
        let mut column = StepColumn::new(STEPS);
        for (step, value) in values.iter().enumerate() {
            value.iter().for_each(|value| column.set_float(step, *value));
        }
        accumulator.add(&column, "m", &context);
    }
    let mut out = StepColumn::new(STEPS);
    accumulator.finish(&context, &mut out);
    out
}

/// The definition, for integers small enough that every sum is exact.
fn by_definition(op: AggregateOp, values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let sum: f64 = values.iter().sum();
    let mean = sum / count;
    let variance = || values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    match op {
        AggregateOp::Sum => sum,
        AggregateOp::Avg => mean,
        AggregateOp::Count => count,
        AggregateOp::Group => 1.0,
        AggregateOp::Min => values.iter().copied().fold(f64::INFINITY, f64::min),
        AggregateOp::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        AggregateOp::Stdvar => variance(),
        AggregateOp::Stddev => variance().sqrt(),
        _ => {
            let mut sorted = values.to_vec();
            sorted.sort_by(f64::total_cmp);
            sorted[(sorted.len() - 1) / 2] / 2.0 + sorted[sorted.len() / 2] / 2.0
        }
    }
}

const ALL: [AggregateOp; 9] = [
    AggregateOp::Sum,
    AggregateOp::Avg,
    AggregateOp::Count,
    AggregateOp::Group,
    AggregateOp::Min,
    AggregateOp::Max,
    AggregateOp::Stdvar,
    AggregateOp::Stddev,
    AggregateOp::Quantile,
];

proptest! {
    #[test]
    fn accumulators_follow_the_definitions(
        series in prop::collection::vec(prop::array::uniform3(prop::option::of(-100..100_i32)), 0..12),
    ) {
        let series: Vec<[Option<f64>; STEPS]> =
            series.iter().map(|values| values.map(|value| value.map(f64::from))).collect();
        for op in ALL {
            let out = aggregate(op, &series, 0.5);
            for step in 0..STEPS {
                let values: Vec<f64> = series.iter().filter_map(|values| values[step]).collect();
                let expected = (!values.is_empty()).then(|| by_definition(op, &values));
                let found = out.float(step);
                prop_assert_eq!(found.is_some(), expected.is_some());
                if let (Some(found), Some(expected)) = (found, expected) {
                    prop_assert!((found - expected).abs() < 1e-9, "{:?} {} {}", op, found, expected);
                }
            }
        }
    }
}

#[test]
fn sums_and_means_lose_nothing_and_survive_overflow() {
    let column = |values: &[f64]| -> Vec<[Option<f64>; STEPS]> {
        values.iter().map(|value| [Some(*value); STEPS]).collect()
    };
    let one = |op, values: &[f64]| aggregate(op, &column(values), 0.0).float(1).unwrap();
    assert_eq!(one(AggregateOp::Sum, &[1.0, 1e100, 1.0, -1e100]), 2.0);
    assert_eq!(one(AggregateOp::Avg, &[1.0, 1e100, 1.0, -1e100]), 0.5);
    assert_eq!(one(AggregateOp::Avg, &[f64::MAX, f64::MAX]), f64::MAX);
    assert_eq!(one(AggregateOp::Avg, &[f64::INFINITY]), f64::INFINITY);
    assert_eq!(one(AggregateOp::Avg, &[f64::INFINITY, 1.0]), f64::INFINITY);
    assert!(one(AggregateOp::Avg, &[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    assert_eq!(one(AggregateOp::Max, &[f64::NAN, 1.0, f64::NAN]), 1.0);
    assert!(one(AggregateOp::Min, &[f64::NAN, f64::NAN]).is_nan());
    assert!(one(AggregateOp::Stdvar, &[f64::INFINITY, 1.0]).is_nan());
}
