//! Small changes of bytes, as a fuzzer without feedback makes them.

use narthex_testkit::SplitMix64;

/// Pieces that hit more than random bytes do: brackets, escapes, numbers at limits, words of the languages.
const PIECES: &[&str] = &[
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "{{",
    "}}",
    "\"",
    "'",
    "`",
    "\\",
    ",",
    ":",
    "=",
    "=~",
    "!=",
    "#",
    "\n",
    " ",
    "\t",
    "-",
    "+",
    "*",
    "^",
    "@",
    "|",
    "&",
    "<<",
    ">",
    "%",
    "$",
    ".",
    "_",
    "x",
    "0",
    "1",
    "1e999",
    "0x1f",
    "5m",
    "1h30m",
    "NaN",
    "Inf",
    "-9223372036854775808",
    "18446744073709551615",
    "4294967296",
    "é",
    "漢",
    "\u{feff}",
    "\u{2028}",
    "by",
    "on",
    "bool",
    "offset",
    "stale",
    "sum",
    "rate",
    "end",
    "range",
    "- ",
    "---\n",
    "\r\n",
    "\0",
    "(?i)",
    "\\b",
];

/// Changes made to one input.
const CHANGES_MAX: usize = 4;

/// Inputs do not grow past this.
const BYTES_MAX: usize = 16 << 10;

/// `seed` after one to a few changes; `others` lend their bytes.
pub(crate) fn mutated(random: &mut SplitMix64, seed: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(CHANGES_MAX) {
        change(random, &mut bytes, others);
    }
    bytes.truncate(BYTES_MAX);
    bytes
}

fn change(random: &mut SplitMix64, bytes: &mut Vec<u8>, others: &[Vec<u8>]) {
    let at = random.below(bytes.len() + 1);
    let end = (at + 1 + random.below(8)).min(bytes.len());
    match random.below(9) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..end)),
        2 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << random.below(8)),
        3 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = random.below(256) as u8),
        4 => repeat(random, bytes, at, end),
        5 => splice(random, bytes, at, others),
        _ => insert(random, bytes, at),
    }
}

fn insert(random: &mut SplitMix64, bytes: &mut Vec<u8>, at: usize) {
    let piece = random.pick(PIECES).copied().unwrap_or("");
    bytes.splice(at..at, piece.bytes());
}

/// A part many times, for what grows with depth or length.
fn repeat(random: &mut SplitMix64, bytes: &mut Vec<u8>, at: usize, end: usize) {
    let part = bytes[at..end].repeat(1 << random.below(10));
    bytes.splice(at..at, part);
}

/// The rest of another seed.
fn splice(random: &mut SplitMix64, bytes: &mut Vec<u8>, at: usize, others: &[Vec<u8>]) {
    if let Some(other) = random.pick(others) {
        bytes.truncate(at);
        bytes.extend_from_slice(&other[random.below(other.len() + 1)..]);
    }
}
