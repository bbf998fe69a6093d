//! What is known to be missing, kept in a file so that it is not forgotten at the next start.
//!
//! One gap a line: checksum of the rest, first and last instant, and a sentence.

use std::fmt;

use narthex_model::TimeRange;

/// More gaps than this are told as one.
const GAPS_MAX: usize = 256;
/// What is said of the others.
const OTHERS: &str = "more is missing than is told one by one";

/// Samples that are missing, or may be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Gap {
    /// Where in time.
    pub(super) range: TimeRange,
    /// What happened, in lower case and without a final stop.
    pub(super) reason: String,
    /// Whether the next start has to know it: it finds out by itself what may be readable again then.
    pub(super) is_lasting: bool,
}

impl Gap {
    /// Samples that are missing for good.
    pub(super) fn new(range: TimeRange, reason: impl Into<String>) -> Gap {
        Gap { range, reason: reason.into(), is_lasting: true }
    }
}

/// Adds a gap to those that are known; says whether that made a difference.
pub(super) fn add(known: &mut Vec<Gap>, gap: Gap) -> bool {
    if known.contains(&gap) {
        return false;
    }
    if known.len() < GAPS_MAX {
        known.push(gap);
        return true;
    }
    let others = Gap { reason: OTHERS.to_owned(), ..gap };
    let Some(known) = known.iter_mut().find(|known| known.reason == OTHERS) else {
        known.push(others);
        return true;
    };
    let range = known.range.union(others.range);
    let is_lasting = known.is_lasting || others.is_lasting;
    let is_more = (range, is_lasting) != (known.range, known.is_lasting);
    (known.range, known.is_lasting) = (range, is_lasting);
    is_more
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// The file, with what is lasting.
pub(super) fn render(gaps: &[Gap]) -> String {
    let line = |gap: &Gap| {
        let reason = gap.reason.replace(['\n', '\r'], " ");
        let text = format!("{} {} {reason}", gap.range.min_ms, gap.range.max_ms);
        format!("{:08x} {text}\n", crc32c::crc32c(text.as_bytes()))
    };
    gaps.iter().filter(|gap| gap.is_lasting).map(line).collect()
}

/// Reads the file. A line that is damaged may have spoken of any time.
pub(super) fn parse(file: &[u8]) -> Vec<Gap> {
    let lines = file.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let unreadable = || Gap::new(TimeRange::ALL, "the list of known gaps is damaged");
    let mut gaps = Vec::new();
    for line in lines {
        add(&mut gaps, gap(line).unwrap_or_else(unreadable));
    }
    gaps
}

fn gap(line: &[u8]) -> Option<Gap> {
    let line = std::str::from_utf8(line).ok()?;
    let (checksum, text) = line.split_once(' ')?;
    if checksum != format!("{:08x}", crc32c::crc32c(text.as_bytes())) {
        return None;
    }
    let mut parts = text.splitn(3, ' ');
    let range = TimeRange { min_ms: parts.next()?.parse().ok()?, max_ms: parts.next()?.parse().ok()? };
    Some(Gap::new(range, parts.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_read_as_written_and_damage_covers_all_times() {
        let one = |min_ms, reason: &str| Gap::new(TimeRange::new(min_ms, 9), reason);
        let passing = Gap { is_lasting: false, ..one(0, "not now") };
        let gaps = vec![one(i64::MIN, "block x: gone"), passing, one(-5, "two\nlines")];
        let file = render(&gaps);
        assert_eq!(parse(file.as_bytes()), [one(i64::MIN, "block x: gone"), one(-5, "two lines")]);
        for bit in 0..file.len() * 8 {
            let mut damaged = file.clone().into_bytes();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let read = parse(&damaged);
            assert!(read.iter().any(|gap| gap.range == TimeRange::ALL), "bit {bit}: {read:?}");
        }
        assert!(parse(b"").is_empty());
    }

    #[test]
    fn of_very_many_gaps_the_last_ones_are_one() {
        let one = |number: i64| Gap::new(TimeRange::new(number, number), format!("part {number}"));
        let mut gaps = Vec::new();
        assert!((0..1000).all(|number| add(&mut gaps, one(number))));
        assert!(!add(&mut gaps, one(7)) && !add(&mut gaps, one(900)));
        assert_eq!(gaps.len(), GAPS_MAX + 1);
        assert_eq!(gaps[GAPS_MAX], Gap::new(TimeRange::new(256, 999), OTHERS));
        assert_eq!(parse(render(&gaps).as_bytes()), gaps);
    }
}
