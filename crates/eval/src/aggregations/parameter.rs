//! How many elements `topk`, `bottomk`, `limitk` and `limit_ratio` take at each step.

use narthex_diag::Span;
use narthex_model::number::format_g;

use crate::{AnnotationKind, EvalError, QueryContext, StepColumn};

/// Number of elements per step, truncated toward zero; `None` when it is below 1 at every step.
///
/// # Errors
/// When the parameter is NaN at some step, or upstream takes it to be no 64-bit integer: the extreme ones count as such.
pub(crate) fn element_counts(parameter: &StepColumn, span: Span) -> Result<Option<Vec<usize>>, EvalError> {
    const LEAST: f64 = i64::MIN as f64;
    // The largest integer of all floats that are 64-bit integers.
    const MOST: f64 = 9_223_372_036_854_774_784.0;
    let (smallest, largest) = extremes(parameter);
    if largest < 1.0 {
        return Ok(None);
    }
    let message = if largest.is_nan() {
        "Parameter value is NaN".to_owned()
    } else if smallest <= LEAST {
        format!("Scalar value {} underflows int64", format_g(smallest))
    } else if largest >= MOST {
        format!("Scalar value {} overflows int64", format_g(largest))
    } else {
        return Ok(Some(floats(parameter).map(|value| value.max(0.0) as usize).collect()));
    };
    Err(EvalError::execution(message, span))
}

/// Share of the elements per step, within [−1, 1]; `None` when it is 0 at every step. Warns of what had to be capped.
///
/// # Errors
/// When the share is NaN at some step.
pub(crate) fn element_shares(
    parameter: &StepColumn,
    span: Span,
    context: &QueryContext,
) -> Result<Option<Vec<f64>>, EvalError> {
    let (smallest, largest) = extremes(parameter);
    if largest.is_nan() {
        return Err(EvalError::execution("Ratio value is NaN", span));
    }
    if smallest == 0.0 && largest == 0.0 {
        return Ok(None);
    }
    if largest > 1.0 {
        context.annotate(AnnotationKind::RatioCapped(largest, 1.0), span);
    }
    if smallest < -1.0 {
        context.annotate(AnnotationKind::RatioCapped(smallest, -1.0), span);
    }
    Ok(Some(floats(parameter).map(|value| value.clamp(-1.0, 1.0)).collect()))
}

fn floats(parameter: &StepColumn) -> impl Iterator<Item = f64> + '_ {
    (0..parameter.len()).map(|step| parameter.float(step).unwrap_or(f64::NAN))
}

/// The smallest and the largest value; NaN if there is one.
fn extremes(parameter: &StepColumn) -> (f64, f64) {
    floats(parameter).fold((f64::INFINITY, f64::NEG_INFINITY), |(smallest, largest), value| {
        if value.is_nan() || largest.is_nan() {
            (f64::NAN, f64::NAN)
        } else {
            (smallest.min(value), largest.max(value))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(values: &[f64]) -> Result<Option<Vec<usize>>, String> {
        let mut column = StepColumn::new(values.len());
        values.iter().enumerate().for_each(|(step, value)| column.set_float(step, *value));
        element_counts(&column, Span::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn counts_are_checked_over_all_steps() {
        assert_eq!(counts(&[2.9, -3.0, 0.5]), Ok(Some(vec![2, 0, 0])));
        assert_eq!(counts(&[0.9, -1e20]), Ok(None));
        assert_eq!(counts(&[1.0, f64::NAN]), Err("Parameter value is NaN".into()));
        assert_eq!(counts(&[1.0, 1e20]), Err("Scalar value 1e+20 overflows int64".into()));
        assert_eq!(counts(&[1.0, -1e20]), Err("Scalar value -1e+20 underflows int64".into()));
        let below = 9_223_372_036_854_773_760_usize;
        assert_eq!(counts(&[below as f64]), Ok(Some(vec![below])));
    }
}
