//! Parts of a UTC date, by counting years and months.

use narthex_promql::functions::DateFunction;

const SECONDS_PER_DAY: i128 = 86_400;
/// The Gregorian calendar repeats itself.
const YEARS_PER_CYCLE: i128 = 400;
const DAYS_PER_CYCLE: i128 = 146_097;

/// A part of the date of a time in seconds, whose fraction is cut off.
pub(super) fn part(function: DateFunction, seconds: f64) -> f64 {
    // What is no 64-bit number ends up, on the reference's platform, 2^63 seconds after the epoch.
    let is_number = seconds > i64::MIN as f64 && seconds < i64::MAX as f64;
    let seconds = if is_number { seconds as i128 } else { 1 << 63 };
    let (days, second) = (seconds.div_euclid(SECONDS_PER_DAY), seconds.rem_euclid(SECONDS_PER_DAY));
    let cycles = days.div_euclid(DAYS_PER_CYCLE);
    let mut year = 1970 + cycles * YEARS_PER_CYCLE;
    let mut day_of_year = days - cycles * DAYS_PER_CYCLE;
    while day_of_year >= days_in_year(year) {
        day_of_year -= days_in_year(year);
        year += 1;
    }
    let (mut month, mut day) = (1, day_of_year);
    while day >= days_in_month(year, month) {
        day -= days_in_month(year, month);
        month += 1;
    }
    let part = match function {
        DateFunction::Minute => second % 3600 / 60,
        DateFunction::Hour => second / 3600,
        // The epoch was a Thursday.
        DateFunction::DayOfWeek => (days + 4).rem_euclid(7),
        DateFunction::DayOfMonth => day + 1,
        DateFunction::DayOfYear => day_of_year + 1,
        DateFunction::DaysInMonth => days_in_month(year, month),
        DateFunction::Month => month,
        DateFunction::Year => year,
    };
    part as f64
}

fn days_in_month(year: i128, month: i128) -> i128 {
    let is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    match month {
        2 => 28 + i128::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_in_year(year: i128) -> i128 {
    (1..=12).map(|month| days_in_month(year, month)).sum()
}
