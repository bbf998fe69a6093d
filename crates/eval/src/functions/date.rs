//! Parts of the UTC date of a time in seconds.

use narthex_promql::functions::DateFunction;

use super::math::map_floats;
use crate::StepColumn;
use crate::annotation::civil_from_days;

/// Replaces every float, a time in seconds whose fraction is cut off, by a part of its date; histograms are taken out.
pub fn evaluate(function: DateFunction, column: &mut StepColumn) {
    map_floats(column, |seconds| part(function, whole_seconds(seconds)));
}

/// Seconds cut to an integer. What does not fit 64 bits (NaN and infinities too) is, as on the reference's platform, the
/// smallest integer, whose date wraps around to 2^63 seconds.
fn whole_seconds(seconds: f64) -> i128 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&seconds) && seconds > -LIMIT { seconds as i128 } else { 1 << 63 }
}

fn part(function: DateFunction, seconds: i128) -> f64 {
    const DAY: i128 = 86_400;
    // At most 2^63 / 86,400 days: both fit.
    let (days, second_of_day) = (seconds.div_euclid(DAY) as i64, seconds.rem_euclid(DAY) as i64);
    let (year, month, day) = civil_from_days(days);
    let result = match function {
        DateFunction::Minute => second_of_day / 60 % 60,
        DateFunction::Hour => second_of_day / 3600,
        // 1970-01-01 was a Thursday.
        DateFunction::DayOfWeek => (days + 4).rem_euclid(7),
        DateFunction::DayOfMonth => day,
        DateFunction::DayOfYear => day_of_year(year, month, day),
        DateFunction::DaysInMonth => days_in_month(year, month),
        DateFunction::Month => month,
        DateFunction::Year => year,
    };
    result as f64
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn day_of_year(year: i64, month: i64, day: i64) -> i64 {
    (1..month).map(|earlier| days_in_month(year, earlier)).sum::<i64>() + day
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_before_and_after_the_epoch() {
        let parts = |seconds: f64| {
            [DateFunction::Year, DateFunction::Month, DateFunction::DayOfMonth, DateFunction::DayOfWeek]
                .map(|function| part(function, whole_seconds(seconds)))
        };
        assert_eq!(parts(0.0), [1970.0, 1.0, 1.0, 4.0]);
        assert_eq!(parts(-1.0), [1969.0, 12.0, 31.0, 3.0]);
        assert_eq!(parts(1_709_210_096.0), [2024.0, 2.0, 29.0, 4.0]);
        assert_eq!(part(DateFunction::DayOfYear, 1_735_603_200), 366.0);
        assert_eq!(part(DateFunction::DaysInMonth, 1_709_210_096), 29.0);
        assert_eq!(part(DateFunction::Minute, 1_709_210_096), 34.0);
        assert_eq!(part(DateFunction::Hour, whole_seconds(f64::NAN)), 15.0);
        assert_eq!(part(DateFunction::Year, whole_seconds(f64::INFINITY)), 292_277_026_596.0);
    }
}
