//! Integers and floats under the verbs of `printf`.

use narthex_model::number::{format_g, format_g_digits, special};

use super::{Directive, Output};

/// Appends an integer; false when the verb is none of integers.
pub(super) fn print_int(out: &mut Output, value: i64, verb: char, directive: &Directive) -> bool {
    match verb {
        'v' | 'd' => integer(out, value, directive, 10, verb),
        'b' => integer(out, value, directive, 2, verb),
        'o' | 'O' => integer(out, value, directive, 8, verb),
        'x' | 'X' => integer(out, value, directive, 16, verb),
        'c' => directive.pad(out, character(value).encode_utf8(&mut [0; 4])),
        'q' => directive.pad(out, &quoted_character(character(value), directive.plus)),
        'U' => code_point(out, value, directive),
        _ => return false,
    }
    true
}

fn character(value: i64) -> char {
    u32::try_from(value).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// A character between single quotes.
fn quoted_character(c: char, ascii: bool) -> String {
    let inner = match c {
        '\'' => "\\'".to_owned(),
        '"' => "\"".to_owned(),
        _ => super::value::quote(&c.to_string(), ascii).trim_matches('"').to_owned(),
    };
    format!("'{inner}'")
}

fn code_point(out: &mut Output, value: i64, directive: &Directive) {
    let digits = directive.precision.unwrap_or(4).max(4);
    let mut text = format!("U+{value:0digits$X}");
    if directive.sharp && (0..=0x10_ffff).contains(&value) {
        text += &format!(" '{}'", character(value));
    }
    Directive { zero: false, ..*directive }.pad(out, &text);
}

fn integer(out: &mut Output, value: i64, directive: &Directive, base: u32, verb: char) {
    let magnitude = value.unsigned_abs();
    let unpadded = Directive { zero: false, ..*directive };
    if directive.precision == Some(0) && value == 0 {
        return unpadded.pad(out, "");
    }
    let signed = value < 0 || directive.plus || directive.space;
    let zeros = match (directive.precision, directive.width) {
        (Some(precision), _) => precision,
        (None, Some(width)) if directive.zero && !directive.minus => width - usize::from(signed && width > 0),
        _ => 0,
    };
    let digits = match base {
        2 => format!("{magnitude:b}"),
        8 => format!("{magnitude:o}"),
        16 if verb == 'X' => format!("{magnitude:X}"),
        16 => format!("{magnitude:x}"),
        _ => magnitude.to_string(),
    };
    let digits = format!("{}{digits}", "0".repeat(zeros.saturating_sub(digits.len())));
    let prefix = match (verb, directive.sharp) {
        ('O', _) => "0o",
        ('b', true) => "0b",
        ('o', true) if !digits.starts_with('0') => "0",
        ('x', true) => "0x",
        ('X', true) => "0X",
        _ => "",
    };
    let sign = sign_of(value < 0, directive);
    unpadded.pad(out, &format!("{sign}{prefix}{digits}"));
}

fn sign_of(negative: bool, directive: &Directive) -> &'static str {
    match (negative, directive.plus, directive.space) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (.., true) => " ",
        _ => "",
    }
}

/// Appends a float; false when the verb is none of floats.
pub(super) fn print_float(out: &mut Output, value: f64, verb: char, directive: &Directive) -> bool {
    if !matches!(verb, 'v' | 'g' | 'G' | 'e' | 'E' | 'f' | 'F' | 'x' | 'X' | 'b') {
        return false;
    }
    if let Some(word) = special(value) {
        not_a_number(out, word, directive);
        return true;
    }
    let mut digits = unsigned_float(value.abs(), verb, directive.precision);
    if directive.sharp && verb != 'b' {
        digits = with_point(&digits, verb, directive.precision);
    }
    if verb.is_ascii_uppercase() && verb != 'F' {
        digits.make_ascii_uppercase();
    }
    let sign = sign_of(value.is_sign_negative(), directive);
    let zeros = directive.width.unwrap_or(0).saturating_sub(sign.len() + digits.len());
    if directive.zero && !directive.minus {
        out.push(sign);
        out.fill('0', zeros);
        out.push(&digits);
    } else {
        Directive { zero: false, ..*directive }.pad(out, &format!("{sign}{digits}"));
    }
    true
}

/// `NaN` and the infinities take no zeros; positive infinity keeps its sign as with `%+v`.
fn not_a_number(out: &mut Output, word: &str, directive: &Directive) {
    let unsigned = word.trim_start_matches(['+', '-']);
    let text = match (word.starts_with('-'), word == "NaN") {
        (true, _) => word.to_owned(),
        (_, true) => format!("{}NaN", sign_of(false, directive)),
        _ if directive.space && !directive.plus => format!(" {unsigned}"),
        _ => word.to_owned(),
    };
    Directive { zero: false, ..*directive }.pad(out, &text);
}

fn unsigned_float(value: f64, verb: char, precision: Option<usize>) -> String {
    match verb {
        'e' | 'E' => exponent_form(value, precision.unwrap_or(6)),
        'f' | 'F' => format!("{value:.*}", precision.unwrap_or(6)),
        'x' | 'X' => hexadecimal(value, precision),
        'b' => binary_exponent(value),
        _ => precision.map_or_else(|| format_g(value), |digits| format_g_digits(value, digits)),
    }
}

/// `%e`: the exponent has a sign and at least two digits.
fn exponent_form(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// `%x`: a hexadecimal mantissa with one digit before the point and a binary exponent.
fn hexadecimal(value: f64, precision: Option<usize>) -> String {
    if value == 0.0 {
        let fraction =
            precision.filter(|&digits| digits > 0).map(|digits| format!(".{}", "0".repeat(digits)));
        return format!("0x0{}p+00", fraction.unwrap_or_default());
    }
    let (mut mantissa, mut exponent) = normalized(value);
    if let Some(digits) = precision.filter(|&digits| digits < 13) {
        let cut = 52 - 4 * digits as u32;
        let half = 1u64 << (cut - 1);
        let (kept, rest) = (mantissa >> cut, mantissa & ((1 << cut) - 1));
        let up = rest > half || (rest == half && kept & 1 == 1);
        mantissa = (kept + u64::from(up)) << cut;
        if mantissa >> 53 != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let fraction = format!("{:013x}", mantissa & ((1 << 52) - 1));
    let fraction = match precision {
        None => fraction.trim_end_matches('0').to_owned(),
        Some(digits) => format!("{fraction:0<digits$}").chars().take(digits).collect(),
    };
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("0x1{point}{fraction}p{sign}{:02}", exponent.abs())
}

/// Mantissa with its leading one at bit 52, and the binary exponent.
fn normalized(value: f64) -> (u64, i32) {
    let (mut mantissa, mut exponent) = parts(value);
    while mantissa >> 52 == 0 {
        mantissa <<= 1;
        exponent -= 1;
    }
    (mantissa, exponent + 52)
}

/// The float as `mantissa · 2^exponent`.
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let biased = ((bits >> 52) & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1);
    if biased == 0 { (fraction, -1074) } else { (fraction | 1 << 52, biased - 1075) }
}

fn binary_exponent(value: f64) -> String {
    let (mantissa, exponent) = parts(value);
    format!("{mantissa}p{exponent:+}")
}

/// What `#` does: always a point, and for `%g` the trailing zeros.
fn with_point(text: &str, verb: char, precision: Option<usize>) -> String {
    let tail = text.find(['p', 'P']).or_else(|| text.find('e').filter(|_| !matches!(verb, 'x' | 'X')));
    let (digits, tail) = text.split_at(tail.unwrap_or(text.len()));
    let mut wanted = match verb {
        'v' | 'g' | 'G' | 'x' => precision.unwrap_or(6),
        _ => 0,
    };
    let significant = digits.trim_start_matches(['0', '.']).chars().filter(|&c| c != '.').count();
    let mut padded = digits.to_owned();
    if !digits.contains('.') {
        wanted -= usize::from(digits == "0" && wanted > 0);
        padded.push('.');
    }
    padded.push_str(&"0".repeat(wanted.saturating_sub(significant)));
    padded + tail
}
