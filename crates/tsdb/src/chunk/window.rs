//! A float as its difference to another one: the bits in which both differ, within a window that is kept from one
//! difference to the next.

use super::CorruptChunk;
use super::bitstream::{BitReader, BitWriter};

/// Most leading zeros that the 5 bits of a window can tell.
const LEADING_MAX: u32 = 31;

/// Which bits of a difference are stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Window {
    /// Zeros in front of it.
    leading: u32,
    /// Zeros behind it.
    trailing: u32,
    /// Whether it was ever set; before that nothing fits.
    is_set: bool,
}

/// How a difference that is not zero is to be stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fit {
    /// Within the window that is there.
    Present,
    /// Within a window that is stored with it.
    New,
}

impl Window {
    /// Whether a difference fits into the window; sets the window otherwise.
    pub(super) fn fit(&mut self, difference: u64) -> Fit {
        let leading = difference.leading_zeros().min(LEADING_MAX);
        let trailing = difference.trailing_zeros();
        if self.is_set && leading >= self.leading && trailing >= self.trailing {
            return Fit::Present;
        }
        *self = Window { leading, trailing, is_set: true };
        Fit::New
    }

    /// Appends the bits of a difference that [`Window::fit`] was asked about, the window before them if it is new.
    pub(super) fn write(self, writer: &mut BitWriter, fit: Fit, difference: u64) {
        let width = self.width();
        if fit == Fit::New {
            // A width of 64 is stored as 0: a window is never empty.
            writer.write(u64::from(self.leading), 5);
            writer.write(u64::from(width), 6);
        }
        writer.write(difference >> self.trailing, width);
    }

    /// Reads a difference within the present window.
    #[inline(always)]
    pub(super) fn read_present(self, reader: &mut BitReader<'_>) -> u64 {
        reader.read(self.width()) << self.trailing
    }

    /// Reads a window and a difference within it.
    #[inline(always)]
    pub(super) fn read_new(&mut self, reader: &mut BitReader<'_>) -> Result<u64, CorruptChunk> {
        let word = reader.peek();
        reader.skip(11);
        let leading = (word >> 59) as u32;
        let stored = (word >> 53) as u32 & 63;
        let width = if stored == 0 { 64 } else { stored };
        let trailing = 64u32.checked_sub(leading + width).ok_or(CorruptChunk::Window)?;
        *self = Window { leading, trailing, is_set: true };
        Ok(self.read_present(reader))
    }

    #[inline(always)]
    fn width(self) -> u32 {
        64 - self.leading - self.trailing
    }
}

/// Floats, each stored as its difference to the one before: `0` the same, `10` within the present window, `11` with a
/// new one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct XorStream {
    /// Bits of the last float.
    pub(super) bits: u64,
    window: Window,
}

impl XorStream {
    /// Appends the first float as it is.
    pub(super) fn start(writer: &mut BitWriter, value: f64) -> XorStream {
        writer.write(value.to_bits(), 64);
        XorStream { bits: value.to_bits(), window: Window::default() }
    }

    /// Appends a float.
    pub(super) fn write(&mut self, writer: &mut BitWriter, value: f64) {
        let difference = self.bits ^ value.to_bits();
        self.bits = value.to_bits();
        if difference == 0 {
            writer.write(0, 1);
            return;
        }
        let fit = self.window.fit(difference);
        writer.write(if fit == Fit::Present { 0b10 } else { 0b11 }, 2);
        self.window.write(writer, fit, difference);
    }

    /// Reads the first float.
    pub(super) fn read_start(reader: &mut BitReader<'_>) -> XorStream {
        XorStream { bits: reader.read(64), window: Window::default() }
    }

    /// Reads the next float.
    #[inline(always)]
    pub(super) fn read(&mut self, reader: &mut BitReader<'_>) -> Result<f64, CorruptChunk> {
        let word = reader.peek();
        if word >> 63 == 0 {
            reader.skip(1);
        } else if word >> 62 == 0b10 {
            reader.skip(2);
            self.bits ^= self.window.read_present(reader);
        } else {
            reader.skip(2);
            self.bits ^= self.window.read_new(reader)?;
        }
        Ok(f64::from_bits(self.bits))
    }
}
