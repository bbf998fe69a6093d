//! Samples out of XOR chunks, with as few steps per sample as can be.
//!
//! What most samples of a scraped counter are, a small change of the distance in time and a difference within the window,
//! is read from one look at the bytes; the state of the loop is kept in the form in which that takes the fewest steps.

use narthex_model::Timestamp;

use super::CorruptChunk;
use super::bitstream::{PEEK_BITS, PaddedBytes, Words};
use super::varbit::signed;
use crate::integers::{read_uvarint, unfolded};

/// Samples between two looks at the time, of a chunk that is not wanted whole.
pub(super) const STRIDE: usize = 8;

/// Reads as many samples as the columns, both equally long, have places, or until some are behind `max_ms`; their
/// number. `body` is a chunk without its count.
///
/// # Errors
/// When the bytes up to there are no such samples.
pub(super) fn decode(
    body: &[u8],
    max_ms: Timestamp,
    timestamps: &mut [Timestamp],
    values: &mut [f64],
) -> Result<usize, CorruptChunk> {
    let mut padded = PaddedBytes::EMPTY;
    if padded.fill(body) {
        decode_columns(body, &padded, max_ms, timestamps, values)
    } else {
        decode_columns(body, &body, max_ms, timestamps, values)
    }
}

/// As [`decode`]; `words` are the bits of `body`.
#[inline(always)]
fn decode_columns(
    body: &[u8],
    words: &impl Words,
    max_ms: Timestamp,
    timestamps: &mut [Timestamp],
    values: &mut [f64],
) -> Result<usize, CorruptChunk> {
    let count = timestamps.len();
    if count == 0 {
        return Ok(0);
    }
    let (first_ms, length) = read_uvarint(body)?;
    let (bits, rest) = body[length..].split_first_chunk().ok_or(CorruptChunk::Truncated)?;
    let bits = u64::from_be_bytes(*bits);
    let mut time = TimeState { at_ms: unfolded(first_ms), delta_ms: 0 };
    (timestamps[0], values[0]) = (time.at_ms, f64::from_bits(bits));
    if count == 1 {
        return Ok(1);
    }
    let (delta_ms, length) = read_uvarint(rest)?;
    time.advance(delta_ms as i64);
    let mut value = ValueState::new((body.len() - rest.len() + length) * 8, bits);
    value.read_next(words, words.word(value.position));
    (timestamps[1], values[1]) = (time.at_ms, f64::from_bits(value.bits));

    let stride = if max_ms == Timestamp::MAX { count } else { STRIDE };
    let mut read = 2;
    while read < count && time.at_ms <= max_ms {
        let end = count.min(read + stride);
        let places = timestamps[read..end].iter_mut().zip(&mut values[read..end]);
        for (at_place, value_place) in places {
            read_sample(words, &mut time, &mut value);
            (*at_place, *value_place) = (time.at_ms, f64::from_bits(value.bits));
        }
        read = end;
    }
    value.check(body.len() * 8)?;
    Ok(read)
}

/// Reads a sample behind the second.
#[inline(always)]
fn read_sample(words: &impl Words, time: &mut TimeState, value: &mut ValueState) {
    let word = words.word(value.position);
    if (word as i64) < value.below_steady {
        let word = word.rotate_left(16);
        time.advance(signed_14(word));
        value.read_steady(words, word);
        return;
    }
    let (change_ms, time_bits) = match word >> 62 {
        0b00 | 0b01 => {
            time.advance(0);
            value.position += 1;
            value.read_next(words, word << 1);
            return;
        }
        0b10 => (signed_14(word.rotate_left(16)), 16),
        _ => read_large_delta_change(words, value.position),
    };
    time.advance(change_ms);
    value.position += time_bits;
    value.read_next(words, words.word(value.position));
}

/// The signed field of 14 bits at the right of `word`. Negated it is two's complement.
#[inline(always)]
fn signed_14(word: u64) -> i64 {
    -(((word << 50) as i64).wrapping_neg() >> 50)
}

/// The time that was read last, and its distance to the one before.
struct TimeState {
    at_ms: Timestamp,
    delta_ms: i64,
}

impl TimeState {
    /// Goes on by the distance, after changing it.
    #[inline(always)]
    fn advance(&mut self, change_ms: i64) {
        self.delta_ms = self.delta_ms.wrapping_add(change_ms);
        self.at_ms = self.at_ms.wrapping_add(self.delta_ms);
    }
}

/// As signed numbers, words that begin with `10` are the ones below this.
const BELOW_11: i64 = -1 << 62;
/// No word is below this.
const BELOW_NONE: i64 = i64::MIN;
/// Length of what a steady sample begins with: `10`, a change of the distance in 14 bits, `10`.
const STEADY_BITS: usize = 18;
/// Length of the bits that announce a window, with those that tell it.
const WINDOW_BITS: usize = 13;
/// Widest difference in a new window that is within one look together with a change of the distance.
const STEADY_WINDOW_MAX: usize = PEEK_BITS as usize - 16 - WINDOW_BITS;

/// Where a decoder is, the value it has read last, and the window in the form that takes the fewest steps per sample.
///
/// A loop owns one and lends it to inlined functions only, others take and return a copy: a state whose address is
/// taken lives in memory, which doubles the time of a sample.
#[derive(Clone, Copy)]
struct ValueState {
    position: usize,
    bits: u64,
    /// The stored bits of a difference behind two bits of control; of no use when there are more than 62.
    mask: u64,
    /// How far they are turned to the right from there.
    turn: u32,
    /// Their number and [`STEADY_BITS`].
    length: usize,
    /// [`BELOW_11`] when a steady sample is within one look, [`BELOW_NONE`] when the window is too wide for that.
    below_steady: i64,
    /// Whether every window so far had at most 64 bits.
    is_possible: bool,
}

impl ValueState {
    fn new(position: usize, bits: u64) -> ValueState {
        ValueState {
            position,
            bits,
            mask: 0,
            turn: 62,
            length: STEADY_BITS + 64,
            below_steady: BELOW_NONE,
            is_possible: true,
        }
    }

    /// Reads the next value behind a change of the distance in 14 bits, at which the position still is, while the window
    /// is narrow. `word` holds the bits behind it as far as one look holds them, and others behind those.
    #[inline(always)]
    fn read_steady(&mut self, words: &impl Words, mut word: u64) {
        if word as i64 >= self.below_steady {
            if word as i64 >= 0 {
                self.position += 17;
                return;
            }
            let width = (word >> 51) as usize & 63;
            if width.wrapping_sub(1) >= STEADY_WINDOW_MAX {
                self.position += 16;
                *self = self.with_next(words);
                return;
            }
            self.set_window((word >> 57) as u32, width);
            self.position += WINDOW_BITS - 2;
            word <<= WINDOW_BITS - 2;
        }
        self.bits ^= (word & self.mask).rotate_right(self.turn);
        self.position += self.length;
    }

    /// Takes a window of at least one bit. In front of its leading zeros stand the control bits in `marked_leading`.
    #[inline(always)]
    fn set_window(&mut self, marked_leading: u32, width: usize) {
        // The control bits `11` in front of 5 bits are 96; what is turned by is a remainder of 64.
        self.turn = marked_leading.wrapping_sub(96 + 2);
        self.mask = (u64::MAX << (64 - width)) >> 2;
        self.length = STEADY_BITS + width;
    }

    /// Reads the next value. `word` holds the bits from the position on, all of a look but one.
    #[inline(always)]
    fn read_next(&mut self, words: &impl Words, mut word: u64) {
        if word as i64 >= 0 {
            self.position += 1;
            return;
        }
        let mut held = PEEK_BITS as usize - 1 - 2;
        if word as i64 >= BELOW_11 {
            // A width of 64 is stored as 0: a window is never empty.
            let width = ((word >> 51) as usize).wrapping_sub(1) % 64 + 1;
            self.set_window((word >> 57) as u32, width);
            self.below_steady = if self.length <= PEEK_BITS as usize { BELOW_11 } else { BELOW_NONE };
            self.is_possible &= (word >> 57) as usize % 32 + width <= 64;
            self.position += WINDOW_BITS - 2;
            word <<= WINDOW_BITS - 2;
            held -= WINDOW_BITS - 2;
        }
        self.position += 2;
        let width = self.length - STEADY_BITS;
        if width <= held {
            self.bits ^= (word & self.mask).rotate_right(self.turn);
        } else {
            let bits = read_bits(words, self.position, width as u32) << (64 - width);
            self.bits ^= bits.rotate_right(self.turn.wrapping_add(2));
        }
        self.position += width;
    }

    #[inline(never)]
    fn with_next(mut self, words: &impl Words) -> ValueState {
        self.read_next(words, words.word(self.position));
        self
    }

    /// Whether what was read could be: all windows, and no bit behind `end`.
    fn check(self, end: usize) -> Result<(), CorruptChunk> {
        if !self.is_possible {
            return Err(CorruptChunk::Window);
        }
        if self.position <= end { Ok(()) } else { Err(CorruptChunk::Truncated) }
    }
}

/// `width` bits, from 1 to 64.
#[inline(always)]
fn read_bits(words: &impl Words, position: usize, width: u32) -> u64 {
    if width <= PEEK_BITS {
        return words.word(position) >> (64 - width);
    }
    let high = words.word(position) >> 32;
    let low = words.word(position + 32) >> (96 - width);
    (high << (width - 32)) | low
}

/// A change of the distance that takes more than 14 bits, and the length of it with its prefix.
#[cold]
#[inline(never)]
fn read_large_delta_change(words: &impl Words, position: usize) -> (i64, usize) {
    match words.word(position).leading_ones() {
        2 => (signed(read_bits(words, position + 3, 17), 17), 20),
        3 => (signed(read_bits(words, position + 4, 20), 20), 24),
        _ => (read_bits(words, position + 4, 64) as i64, 68),
    }
}
