//! What is known to be missing, kept in a file so that it is not forgotten at the next start.
//!
//! One gap a line: checksum of the rest, first and last instant, and a sentence.

use std::fmt;

use narthex_model::TimeRange;

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
    let mut gaps: Vec<Gap> = lines.map(|line| gap(line).unwrap_or_else(unreadable)).collect();
    gaps.dedup();
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
}
