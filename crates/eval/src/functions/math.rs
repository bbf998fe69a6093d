//! One float from one float: rounding, roots, logarithms, bounds.

use narthex_promql::functions::MathFunction;

use crate::StepColumn;

/// Applies one of the family to every float, in place; histograms are taken out. `parameters` are the scalar
/// arguments.
pub fn evaluate(function: MathFunction, parameters: &[StepColumn], column: &mut StepColumn) {
    use MathFunction as Function;
    match function {
        Function::Abs => map_floats(column, f64::abs),
        Function::Ceil => map_floats(column, f64::ceil),
        Function::Floor => map_floats(column, f64::floor),
        Function::Exp => map_floats(column, f64::exp),
        Function::Sqrt => map_floats(column, f64::sqrt),
        Function::Ln => map_floats(column, f64::ln),
        Function::Log2 => map_floats(column, f64::log2),
        Function::Log10 => map_floats(column, f64::log10),
        Function::Sgn => map_floats(column, sign),
        Function::Round => {
            map_steps(column, |step, value| Some(round(value, parameter(parameters, 0, step, 1.0))));
        }
        Function::Clamp => map_steps(column, |step, value| {
            clamp(value, parameter(parameters, 0, step, f64::NAN), parameter(parameters, 1, step, f64::NAN))
        }),
        Function::ClampMin => {
            map_steps(column, |step, value| Some(larger(value, parameter(parameters, 0, step, f64::NAN))));
        }
        Function::ClampMax => {
            map_steps(column, |step, value| Some(smaller(value, parameter(parameters, 0, step, f64::NAN))));
        }
    }
}

/// Applies `change` to every float; histograms are taken out.
pub(super) fn map_floats(column: &mut StepColumn, change: impl Fn(f64) -> f64) {
    if column.has_histograms() {
        map_steps(column, |_, value| Some(change(value)));
        return;
    }
    // Absent steps hold a harmless number: no branch per step.
    for value in column.values_mut() {
        *value = change(*value);
    }
}

/// Applies `change` to every float with its step; histograms and refused values are taken out.
fn map_steps(column: &mut StepColumn, change: impl Fn(usize, f64) -> Option<f64>) {
    for step in 0..column.len() {
        match column.float(step).and_then(|value| change(step, value)) {
            Some(value) => column.set_float(step, value),
            None => column.remove(step),
        }
    }
}

fn parameter(parameters: &[StepColumn], at: usize, step: usize, default: f64) -> f64 {
    parameters.get(at).map_or(default, |column| column.float(step).unwrap_or(f64::NAN))
}

/// NaN stays NaN, zeros keep their sign.
fn sign(value: f64) -> f64 {
    if value > 0.0 {
        1.0
    } else if value < 0.0 {
        -1.0
    } else {
        value
    }
}

/// Ties go up. Working with the inverse keeps `round(x, 0.1)` exact where 0.1 is not.
fn round(value: f64, nearest: f64) -> f64 {
    let inverse = 1.0 / nearest;
    (value * inverse + 0.5).floor() / inverse
}

fn clamp(value: f64, min: f64, max: f64) -> Option<f64> {
    if max < min { None } else { Some(larger(min, smaller(max, value))) }
}

/// The larger number; +Inf even beside NaN, else NaN if either is, and +0 is larger than −0.
pub fn larger(a: f64, b: f64) -> f64 {
    if a == f64::INFINITY || b == f64::INFINITY {
        f64::INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == b {
        if a.is_sign_negative() { b } else { a }
    } else if a > b {
        a
    } else {
        b
    }
}

/// The smaller number; -Inf even beside NaN, else NaN if either is, and −0 is smaller than +0.
pub fn smaller(a: f64, b: f64) -> f64 {
    if a == f64::NEG_INFINITY || b == f64::NEG_INFINITY {
        f64::NEG_INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == b {
        if a.is_sign_negative() { a } else { b }
    } else if a < b {
        a
    } else {
        b
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_and_bounds_at_the_edges() {
        assert_eq!([round(-2.5, 1.0), round(2.5, 1.0), round(0.15, 0.1)], [-2.0, 3.0, 0.2]);
        assert!(larger(f64::NAN, 1.0).is_nan() && smaller(1.0, f64::NAN).is_nan());
        assert_eq!(larger(f64::NAN, f64::INFINITY), f64::INFINITY);
        assert_eq!(smaller(f64::NEG_INFINITY, f64::NAN), f64::NEG_INFINITY);
        assert!(larger(-0.0, 0.0).is_sign_positive() && smaller(0.0, -0.0).is_sign_negative());
        assert_eq!(clamp(5.0, 3.0, 2.0), None);
        assert!(sign(f64::NAN).is_nan() && sign(-0.0).is_sign_negative());
    }
}
