//! The texts of times, kept for the next series, which mostly has points at the same ones.

use narthex_model::Timestamp;

use super::push_seconds;

/// The longest text: `[-9223372036854775.808,"`.
const TEXT_BYTES_MAX: usize = 24;
/// Times at later places than this are written anew each time.
const TEXTS_MAX: usize = 4096;
/// After so many texts have been made in vain, as where samples stand as they were taken, none is kept any more.
const REPLACED_MAX: usize = 64;

/// What stands before the value of a point, by the place of the point in its list.
#[derive(Default)]
pub(super) struct Times {
    texts: Vec<Text>,
    replaced: usize,
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
    pub(super) fn push(&mut self, out: &mut Vec<u8>, place: usize, at_ms: Timestamp) {
        match self.texts.get(place) {
            Some(text) if text.at_ms == at_ms => {
                // A copy of fixed length, cut: cheaper than one of any length.
                let end = out.len() + usize::from(text.length);
                out.extend_from_slice(&text.bytes);
                out.truncate(end);
            }
            _ => self.make(out, place, at_ms),
        }
    }

    fn make(&mut self, out: &mut Vec<u8>, place: usize, at_ms: Timestamp) {
        let start = out.len();
        out.push(b'[');
        push_seconds(out, at_ms);
        out.extend_from_slice(b",\"");
        if self.replaced < REPLACED_MAX {
            self.keep(place, at_ms, &out[start..]);
        }
    }

    fn keep(&mut self, place: usize, at_ms: Timestamp, made: &[u8]) {
        let mut text = Text { at_ms, bytes: [0; TEXT_BYTES_MAX], length: made.len() as u8 };
        let Some(bytes) = text.bytes.get_mut(..made.len()) else { return };
        bytes.copy_from_slice(made);
        // Places are asked for in order.
        if place == self.texts.len() && place < TEXTS_MAX {
            self.texts.push(text);
        } else if let Some(kept) = self.texts.get_mut(place) {
            *kept = text;
            self.replaced += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_text_is_that_of_its_time() {
        let mut times = Times::default();
        let mut pushed = |place, at_ms| {
            let mut out = b"x".to_vec();
            times.push(&mut out, place, at_ms);
            String::from_utf8(out).unwrap()
        };
        for _ in 0..2 {
            assert_eq!(pushed(0, 1500), "x[1.500,\"");
            assert_eq!(pushed(1, 2000), "x[2,\"");
            assert_eq!(pushed(2, i64::MIN), "x[-9223372036854775.808,\"");
            assert_eq!(pushed(9, 3000), "x[3,\"", "out of order");
            assert_eq!(pushed(1, 4000), "x[4,\"", "another time");
        }
        for second in 0..200 {
            assert_eq!(pushed(0, second * 1000), format!("x[{second},\""));
            assert_eq!(pushed(2, i64::MIN), "x[-9223372036854775.808,\"");
        }
    }
}
