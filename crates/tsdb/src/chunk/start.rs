//! Start timestamps beside samples, shared by the encodings that carry them.
//!
//! One byte in the chunk's header says whether sample 0 has one (bit 7) and which sample is the first with another one
//! (bits 0–6, 0 for none). From that sample on, what is stored is the distance of the start timestamp to the time of
//! the sample before: whole at first, then its change.

use narthex_model::Timestamp;

use super::CorruptChunk;
use super::bitstream::{BitReader, BitWriter};
use super::varbit;

/// The sample from which on start timestamps are stored in any case, because the header cannot tell a later one.
const FORCED_FROM: u16 = 127;
/// Bit of the header byte that says that sample 0 has a start timestamp.
const FIRST_KNOWN: u8 = 0x80;

/// What is known of start timestamps at one sample, on either side.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct StartStream {
    /// That of sample 0, 0 for unknown.
    first_ms: Timestamp,
    /// Number of the first sample with stored data, 0 for none yet.
    changed_at: u16,
    /// Time of the last sample less its own start… of the last stored one.
    distance_ms: i64,
    /// Time of the last sample.
    at_ms: Timestamp,
}

impl StartStream {
    /// Appends the start timestamp of sample number `sample` at `at_ms`.
    pub(super) fn write(
        &mut self,
        writer: &mut BitWriter,
        sample: u16,
        at_ms: Timestamp,
        start_ms: Timestamp,
    ) {
        let distance_ms = self.at_ms.wrapping_sub(start_ms);
        if sample == 0 {
            self.first_ms = start_ms;
            if start_ms != 0 {
                writer.write_varint(at_ms.wrapping_sub(start_ms));
            }
        } else if self.changed_at > 0 {
            varbit::write_int(writer, distance_ms.wrapping_sub(self.distance_ms));
        } else if start_ms != self.first_ms || sample == FORCED_FROM {
            self.changed_at = sample;
            varbit::write_int(writer, distance_ms);
        }
        self.distance_ms = distance_ms;
        self.at_ms = at_ms;
    }

    /// The byte for the header.
    pub(super) fn header(&self) -> u8 {
        let first = if self.first_ms == 0 { 0 } else { FIRST_KNOWN };
        first | self.changed_at as u8
    }
}

/// Reads start timestamps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct StartReader {
    header: u8,
    start_ms: Timestamp,
    distance_ms: i64,
    at_ms: Timestamp,
}

impl StartReader {
    pub(super) fn new(header: u8) -> StartReader {
        StartReader { header, start_ms: 0, distance_ms: 0, at_ms: 0 }
    }

    /// Whether there is any start timestamp in the chunk. A change alone may only have been forced.
    pub(super) fn is_used(self) -> bool {
        self.header != 0
    }

    /// The start timestamp of sample number `sample` at `at_ms`, 0 for unknown.
    #[inline(always)]
    pub(super) fn read(
        &mut self,
        reader: &mut BitReader<'_>,
        sample: u16,
        at_ms: Timestamp,
    ) -> Result<Timestamp, CorruptChunk> {
        let changed_at = u16::from(self.header & !FIRST_KNOWN);
        if sample == 0 {
            if self.header & FIRST_KNOWN != 0 {
                self.start_ms = at_ms.wrapping_sub(reader.read_varint()?);
            }
        } else if changed_at > 0 && sample >= changed_at {
            let stored = varbit::read_int(reader);
            self.distance_ms =
                if sample == changed_at { stored } else { self.distance_ms.wrapping_add(stored) };
            self.start_ms = self.at_ms.wrapping_sub(self.distance_ms);
        }
        self.at_ms = at_ms;
        Ok(self.start_ms)
    }
}
