//! The texts of times, kept for the next series, which mostly has points at the same ones.

use narthex_model::Timestamp;

use super::push_seconds;

/// The longest text: `[-9223372036854775.808,"`.
const TEXT_BYTES_MAX: usize = 24;
/// More texts than these are not kept, as the API lets no query have more steps: those of later times are written anew each time.
const TEXTS_MAX: usize = 11_001;
/// After so many times between those that were kept, as where samples stand as they were taken, none is kept any more.
const BETWEEN_MAX: usize = 256;

/// What stands before the value of a point: the texts of some times, which rise.
#[derive(Default)]
pub(super) struct Times {
    texts: Vec<Text>,
    /// Behind the text that was asked for last: the one that is asked for next, in a series without gaps.
    next: usize,
    between: usize,
}

#[derive(Clone, Copy)]
struct Text {
    at_ms: Timestamp,
    bytes: [u8; TEXT_BYTES_MAX],
    length: u8,
}

impl Times {
    /// Appends `[seconds,"`.
    #[inline]
    pub(super) fn push(&mut self, out: &mut Vec<u8>, at_ms: Timestamp) {
        match self.texts.get(self.next) {
            Some(text) if text.at_ms == at_ms => {
                self.next += 1;
                text.push(out);
            }
            _ => self.find(out, at_ms),
        }
    }

    /// At the beginning of a series, behind a gap, and in a vector, all of whose samples have one time.
    fn find(&mut self, out: &mut Vec<u8>, at_ms: Timestamp) {
        let last = self.next.checked_sub(1).and_then(|last| self.texts.get(last));
        if let Some(text) = last.filter(|text| text.at_ms == at_ms) {
            return text.push(out);
        }
        if self.between >= BETWEEN_MAX {
            return push_anew(out, at_ms);
        }
        match self.texts.binary_search_by_key(&at_ms, |text| text.at_ms) {
            Ok(place) => {
                self.next = place + 1;
                self.texts[place].push(out);
            }
            Err(place) => {
                let start = out.len();
                push_anew(out, at_ms);
                self.keep(place, at_ms, &out[start..]);
            }
        }
    }

    fn keep(&mut self, place: usize, at_ms: Timestamp, made: &[u8]) {
        self.between += usize::from(place < self.texts.len());
        if self.between == BETWEEN_MAX {
            self.texts.clear();
        }
        let mut text = Text { at_ms, bytes: [0; TEXT_BYTES_MAX], length: made.len() as u8 };
        let has_room = self.texts.len() < TEXTS_MAX && self.between < BETWEEN_MAX;
        let Some(bytes) = text.bytes.get_mut(..made.len()).filter(|_| has_room) else { return };
        bytes.copy_from_slice(made);
        self.texts.insert(place, text);
        self.next = place + 1;
    }
}

impl Text {
    /// A copy of fixed length, cut: cheaper than one of any length.
    #[inline]
    fn push(&self, out: &mut Vec<u8>) {
        let end = out.len() + usize::from(self.length);
        out.extend_from_slice(&self.bytes);
        out.truncate(end);
    }
}

fn push_anew(out: &mut Vec<u8>, at_ms: Timestamp) {
    out.push(b'[');
    push_seconds(out, at_ms);
    out.extend_from_slice(b",\"");
}

#[cfg(test)]
mod tests {
    use narthex_testkit::SplitMix64;

    use super::*;

    fn pushed(times: &mut Times, at_ms: Timestamp) -> String {
        let mut out = b"x".to_vec();
        times.push(&mut out, at_ms);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_kept_text_is_that_of_its_time() {
        let mut times = Times::default();
        for _ in 0..2 {
            assert_eq!(pushed(&mut times, 1500), "x[1.500,\"");
            assert_eq!(pushed(&mut times, 2000), "x[2,\"");
            assert_eq!(pushed(&mut times, 2000), "x[2,\"", "again");
            assert_eq!(pushed(&mut times, i64::MIN), "x[-9223372036854775.808,\"", "before all others");
            assert_eq!(pushed(&mut times, 3000), "x[3,\"");
        }
    }

    #[test]
    fn times_are_written_right_however_series_lie() {
        let mut random = SplitMix64::new(5);
        // Steps with gaps, steps that go on beyond what is kept, times without any order.
        let many = TEXTS_MAX as i64 + 9;
        for (series, steps, jitter_ms, chance) in [(20, 1000, 0, 0.9), (2, many, 0, 1.0), (3, many, 400, 1.0)]
        {
            let mut times = Times::default();
            for _ in 0..series {
                for step in 0..steps {
                    if !random.chance(chance) {
                        continue;
                    }
                    let at_ms = step * 1500 + random.between(0, jitter_ms);
                    let mut expected = Vec::new();
                    push_anew(&mut expected, at_ms);
                    assert_eq!(pushed(&mut times, at_ms).as_bytes()[1..], expected[..]);
                }
            }
            assert!(times.texts.len() <= TEXTS_MAX && (jitter_ms == 0) != times.texts.is_empty());
        }
    }
}
