//! Angles, in radians.

use narthex_promql::functions::TrigonometryFunction;

use super::math::map_floats;
use crate::StepColumn;

/// Applies one of the family to every float, in place; histograms are taken out.
pub fn evaluate(function: TrigonometryFunction, column: &mut StepColumn) {
    use TrigonometryFunction as Function;
    let change = match function {
        Function::Acos => f64::acos,
        Function::Acosh => f64::acosh,
        Function::Asin => f64::asin,
        Function::Asinh => f64::asinh,
        Function::Atan => f64::atan,
        Function::Atanh => f64::atanh,
        Function::Cos => f64::cos,
        Function::Cosh => f64::cosh,
        Function::Deg => |value| value * 180.0 / std::f64::consts::PI,
        Function::Rad => |value| value * std::f64::consts::PI / 180.0,
        Function::Sin => f64::sin,
        Function::Sinh => f64::sinh,
        Function::Tan => f64::tan,
        Function::Tanh => f64::tanh,
    };
    map_floats(column, change);
}
