//! The text forms of floats, shared by printer, exposition, results and templates.
//!
//! All are Go's: the shortest digits that read back as the same float.

use crate::sample::NORMAL_NAN_BITS;

/// Plain notation without exponent, Go's `'f', -1`: scalar results, `count_values` labels, printed literals.
pub fn format_plain(value: f64) -> String {
    special(value).map_or_else(|| Digits::of(value).plain(), str::to_owned)
}

/// Go's `%g` and `%v` with the fewest digits: exponent form below 1e-4 and from 1e6 on.
pub fn format_g(value: f64) -> String {
    special(value).map_or_else(|| with_exponent_outside(value, -4, 6), str::to_owned)
}

/// Sample values in JSON results: exponent form below 1e-6 and from 1e21 on.
pub fn format_sample(value: f64) -> String {
    special(value).map_or_else(|| with_exponent_outside(value, -6, 21), str::to_owned)
}

/// Appends what [`format_sample`] gives, with no allocation for all but extreme values: a result is little else.
pub fn push_sample(out: &mut Vec<u8>, value: f64) {
    if value.abs() < INTEGER_BELOW {
        let magnitude = value.abs() as u64;
        if magnitude as f64 == value.abs() {
            push_sign(out, value);
            push_integer(out, magnitude);
            return;
        }
        if let Some(thousandths) = exact_thousandths(value.abs()) {
            push_sign(out, value);
            push_thousandths(out, thousandths);
            return;
        }
    } else if let Some(word) = special(value) {
        out.extend_from_slice(word.as_bytes());
        return;
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    // In between no formatter resorts to an exponent, and the number is not whole.
    if (1e-5..INTEGER_BELOW).contains(&value.abs()) {
        out.extend_from_slice(text.as_bytes());
    } else if text.contains('e') {
        out.extend_from_slice(format_sample(value).as_bytes());
    } else {
        out.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
    }
}

fn push_sign(out: &mut Vec<u8>, value: f64) {
    if value.is_sign_negative() {
        out.push(b'-');
    }
}

/// How many thousandths a positive number is, if it is the float nearest to that many. Such a decimal is the shortest
/// text of the float as long as it has 15 digits at most, for no two of those belong to one float.
fn exact_thousandths(value: f64) -> Option<u64> {
    let thousandths = (value * 1000.0 + 0.5) as u64;
    (thousandths < INTEGER_BELOW as u64 && thousandths as f64 / 1000.0 == value).then_some(thousandths)
}

/// Appends thousandths as a decimal without trailing zeros; they are not whole.
fn push_thousandths(out: &mut Vec<u8>, thousandths: u64) {
    push_integer(out, thousandths / 1000);
    let rest = thousandths % 1000;
    let digit = |number: u64| b'0' + (number % 10) as u8;
    let decimals = [b'.', digit(rest / 100), digit(rest / 10), digit(rest)];
    let zeros = if rest.is_multiple_of(100) { 2 } else { usize::from(rest.is_multiple_of(10)) };
    let end = out.len() + decimals.len() - zeros;
    out.extend_from_slice(&decimals);
    out.truncate(end);
}

/// Floats below this that are whole are exact integers, and have no exponent.
const INTEGER_BELOW: f64 = 1e15;

/// Numbers below this have eight digits at most.
const EIGHT_DIGITS: u64 = 100_000_000;

/// Appends the digits of an integer.
pub fn push_integer(out: &mut Vec<u8>, value: u64) {
    if value >= EIGHT_DIGITS {
        push_integer(out, value / EIGHT_DIGITS);
        out.extend_from_slice(&(eight_digits(value % EIGHT_DIGITS) + ZEROS).to_le_bytes());
        return;
    }
    let digits = eight_digits(value);
    // The last digit stays, also where it is a zero.
    let leading = (digits.trailing_zeros() / 8).min(7);
    let end = out.len() + 8 - leading as usize;
    // A copy of fixed length, cut: cheaper than one whose length depends on the number.
    out.extend_from_slice(&((digits + ZEROS) >> (8 * leading)).to_le_bytes());
    out.truncate(end);
}

/// Eight times the character `0`.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The digits of a number below [`EIGHT_DIGITS`], one in each byte, the first in the lowest one: halved into two numbers
/// of four digits, these into four of two and those into eight, by multiplying with what is close enough to 1/100, 1/10.
fn eight_digits(value: u64) -> u64 {
    let fours = (value / 10_000) | ((value % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | ((fours - hundreds * 100) << 16);
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | ((twos - tens * 10) << 8)
}

/// OpenMetrics form of bounds and quantiles: shortest `%g` that always shows a `.` or an exponent.
pub fn format_openmetrics(value: f64) -> String {
    let text = format_g(value);
    if value.is_finite() && !text.contains(['.', 'e']) { text + ".0" } else { text }
}

/// `%.Ng`: at most `digits` significant digits, trailing zeros dropped.
pub fn format_g_digits(value: f64, digits: usize) -> String {
    if let Some(text) = special(value) {
        return text.to_owned();
    }
    let digits = digits.max(1);
    let scientific = format!("{value:.*e}", digits - 1);
    let exponent = exponent_of(&scientific);
    if exponent < -4 || exponent >= digits as i32 {
        return go_exponent(&drop_trailing_zeros(&scientific));
    }
    let decimals = usize::try_from(digits as i32 - 1 - exponent).unwrap_or(0);
    drop_trailing_zeros(&format!("{value:.decimals$}"))
}

/// Reads a float as Go's `strconv.ParseFloat` does for decimal text, without hex floats and underscores: digits, an
/// optional fraction and exponent, or `NaN`, `Inf`, `Infinity` in any case with an optional sign.
pub fn parse_float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.eq_ignore_ascii_case("nan") {
        return (unsigned.len() == text.len()).then(|| f64::from_bits(NORMAL_NAN_BITS));
    }
    let is_infinite = unsigned.eq_ignore_ascii_case("inf") || unsigned.eq_ignore_ascii_case("infinity");
    let is_number = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    let value: f64 = if is_infinite || is_number { text.parse().ok()? } else { return None };
    // Go refuses numbers that round to infinity.
    (is_infinite || value.is_finite()).then_some(value)
}

/// The word for a float that has no digits.
pub fn special(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("NaN")
    } else if value == f64::INFINITY {
        Some("+Inf")
    } else if value == f64::NEG_INFINITY {
        Some("-Inf")
    } else {
        None
    }
}

fn with_exponent_outside(value: f64, min: i32, max: i32) -> String {
    let digits = Digits::of(value);
    let exponent = digits.point - 1;
    if value != 0.0 && (exponent < min || exponent >= max) { digits.scientific() } else { digits.plain() }
}

/// The shortest digits of a finite float: `0.d₁d₂…dₙ · 10^point`.
struct Digits {
    is_negative: bool,
    digits: String,
    point: i32,
}

impl Digits {
    fn of(value: f64) -> Digits {
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(value.abs());
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let significant = all.trim_start_matches('0');
        let leading_zeros = (all.len() - significant.len()) as i32;
        let point = whole.len() as i32 - leading_zeros + exponent.parse::<i32>().unwrap_or(0);
        let digits = significant.trim_end_matches('0');
        let is_zero = digits.is_empty();
        Digits {
            is_negative: value.is_sign_negative(),
            digits: if is_zero { "0".into() } else { digits.into() },
            point: if is_zero { 1 } else { point },
        }
    }

    fn sign(&self) -> &'static str {
        if self.is_negative { "-" } else { "" }
    }

    fn plain(&self) -> String {
        let (sign, digits) = (self.sign(), self.digits.as_str());
        match usize::try_from(self.point) {
            Ok(point) if point >= digits.len() => format!("{sign}{digits:0<point$}"),
            Ok(point) if point > 0 => format!("{sign}{}.{}", &digits[..point], &digits[point..]),
            _ => format!("{sign}0.{}{digits}", "0".repeat(self.point.unsigned_abs() as usize)),
        }
    }

    fn scientific(&self) -> String {
        let (first, rest) = self.digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        go_exponent(&format!("{}{first}{point}{rest}e{}", self.sign(), self.point - 1))
    }
}

fn exponent_of(scientific: &str) -> i32 {
    scientific.rsplit_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0)
}

/// Rust's `1e-7` as Go's `1e-07`.
fn go_exponent(scientific: &str) -> String {
    let Some((mantissa, exponent)) = scientific.rsplit_once('e') else { return scientific.to_owned() };
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

fn drop_trailing_zeros(text: &str) -> String {
    let (mantissa, exponent) = text.split_once('e').map_or((text, None), |(m, e)| (m, Some(e)));
    let short =
        if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    exponent.map_or_else(|| short.to_owned(), |exponent| format!("{short}e{exponent}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms_follow_go() {
        let rows: [(f64, &str, &str, &str, &str); 12] = [
            (1.0, "1", "1", "1", "1.0"),
            (-0.0, "-0", "-0", "-0", "-0.0"),
            (100_000.0, "100000", "100000", "100000", "100000.0"),
            (1e6, "1000000", "1e+06", "1000000", "1e+06"),
            (1_234_567.5, "1234567.5", "1.2345675e+06", "1234567.5", "1.2345675e+06"),
            (1e-4, "0.0001", "0.0001", "0.0001", "0.0001"),
            (1e-7, "0.0000001", "1e-07", "1e-07", "1e-07"),
            (1e21, "1000000000000000000000", "1e+21", "1e+21", "1e+21"),
            (f64::NEG_INFINITY, "-Inf", "-Inf", "-Inf", "-Inf"),
            (
                f64::from_bits(0x400f_0734_0000_0000),
                "3.8785171508789062",
                "3.8785171508789062",
                "3.8785171508789062",
                "3.8785171508789062",
            ),
            (120.0, "120", "120", "120", "120.0"),
            (-0.05, "-0.05", "-0.05", "-0.05", "-0.05"),
        ];
        for (value, plain, g, sample, openmetrics) in rows {
            assert_eq!(format_plain(value), plain);
            assert_eq!(format_g(value), g);
            assert_eq!(format_sample(value), sample);
            assert_eq!(format_openmetrics(value), openmetrics);
            assert_eq!(pushed(value), sample);
        }
    }

    fn pushed(value: f64) -> String {
        let mut out = Vec::new();
        push_sample(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn appending_a_sample_gives_its_text() {
        let mut bits: u64 = 1;
        for _ in 0..20_000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let anything = f64::from_bits(bits);
            let everyday = (bits >> 40) as f64 / 1024.0 - 4096.0;
            let (hundredths, decimals) =
                ((everyday * 100.0).round() / 100.0, (everyday * 1000.0).round() / 1000.0);
            let rounded = [hundredths, decimals, decimals * 1e7, (decimals * 1e6).round() / 1e6];
            for value in [anything, everyday, everyday.trunc(), everyday * 1e9].into_iter().chain(rounded) {
                assert_eq!(pushed(value), format_sample(value));
            }
        }
        for value in
            [0.1 + 0.2, 0.001, 0.0005, 0.1, -0.25, 999_999_999_999.999, 1e12 + 0.001, 123_456_789_012.345]
        {
            assert_eq!(pushed(value), format_sample(value));
        }
        for value in [0.0, -0.0, 1e15, -1e15, 999_999_999_999_999.0, 1e16, 1e-5, 1e-6, 123_456_789e13] {
            assert_eq!(pushed(value), format_sample(value));
        }
        for value in 0..10_000 {
            for scaled in [value, value * 10_000, value * 10_001 + 1] {
                assert_eq!(
                    eight_digits(scaled % EIGHT_DIGITS) + ZEROS,
                    u64::from_le_bytes(
                        *format!("{:08}", scaled % EIGHT_DIGITS).as_bytes().first_chunk().unwrap()
                    )
                );
            }
        }
        for value in (0..2000).chain((3..19).flat_map(|power| [10_u64.pow(power) - 1, 10_u64.pow(power)])) {
            let mut out = Vec::new();
            push_integer(&mut out, value);
            assert_eq!(out, value.to_string().as_bytes());
        }
        let mut out = Vec::new();
        push_integer(&mut out, u64::MAX);
        assert_eq!(out, b"18446744073709551615");
    }

    #[test]
    fn limited_digits() {
        let two = |value| format_g_digits(value, 2);
        assert_eq!(
            [two(0.123), two(100.0), two(12.0), two(1e-9), two(2.0)],
            ["0.12", "1e+02", "12", "1e-09", "2"]
        );
    }

    #[test]
    fn reading_accepts_what_go_accepts() {
        assert_eq!(
            ["1", "-1.5e3", ".5", "5.", "+Inf"].map(parse_float),
            [1.0, -1500.0, 0.5, 5.0, f64::INFINITY].map(Some)
        );
        assert!(parse_float("nan").is_some_and(f64::is_nan));
        assert_eq!(["", "+", "0x1", "1_0", "1e999", "infx", "+nan", " 1"].map(parse_float), [None; 8]);
    }
}
