//! Records in a file, each behind a header with checksums, so that what follows damage is found again.
//!
//! The header's checksum covers the file's number and the place in the file: bytes that look like a record, in a label
//! or left over from another file, are none.

/// Bytes in front of a payload: its length, its checksum, the checksum of the header.
pub(super) const HEADER_BYTES: usize = 12;
/// Longest payload.
pub(super) const PAYLOAD_MAX: usize = 1 << 24;

/// What a file is, which its records' checksums depend on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Seed(u32);

impl Seed {
    pub(super) fn new(file_header: &[u8]) -> Seed {
        Seed(crc32c::crc32c(file_header))
    }

    /// The checksum of a header at `offset`.
    #[inline]
    fn header_checksum(self, offset: u64, length: &[u8; 4], checksum: &[u8; 4]) -> u32 {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&offset.to_be_bytes());
        bytes[8..12].copy_from_slice(length);
        bytes[12..].copy_from_slice(checksum);
        crc32c::crc32c_append(self.0, &bytes)
    }

    /// Appends a record that comes to lie at `offset` of its file.
    pub(super) fn put(self, out: &mut Vec<u8>, offset: u64, payload: &[u8]) {
        let length = (payload.len() as u32).to_be_bytes();
        let checksum = crc32c::crc32c(payload).to_be_bytes();
        out.extend_from_slice(&length);
        out.extend_from_slice(&checksum);
        out.extend_from_slice(&self.header_checksum(offset, &length, &checksum).to_be_bytes());
        out.extend_from_slice(payload);
    }
}

/// What stands in a file at some place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Found<'a> {
    /// A record.
    Record(&'a [u8]),
    /// So many bytes that are none, though something is behind them that is, or though all of them were written.
    Damaged(usize),
    /// So many bytes up to the end of the file that are none: a write that did not come to its end.
    Torn(usize),
}

/// The records of a file from `offset` on.
#[derive(Clone, Debug)]
pub(super) struct Frames<'a> {
    file: &'a [u8],
    seed: Seed,
    offset: usize,
}

impl<'a> Frames<'a> {
    pub(super) fn new(file: &'a [u8], seed: Seed, offset: usize) -> Frames<'a> {
        Frames { file, seed, offset }
    }

    /// Place of the next record.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    /// The length of the record at `offset` if its header is one.
    #[inline]
    fn header(&self, offset: usize) -> Option<(usize, u32)> {
        let header: &[u8; HEADER_BYTES] = self.file.get(offset..)?.first_chunk()?;
        let [length, checksum, own] =
            [0, 4, 8].map(|at| [header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let is_header =
            self.seed.header_checksum(offset as u64, &length, &checksum) == u32::from_be_bytes(own);
        let length_bytes = u32::from_be_bytes(length) as usize;
        (is_header && length_bytes <= PAYLOAD_MAX).then_some((length_bytes, u32::from_be_bytes(checksum)))
    }

    /// The payload at `offset` if it is one.
    fn payload(&self, offset: usize) -> Option<&'a [u8]> {
        let (length, checksum) = self.header(offset)?;
        let payload = self.file.get(offset + HEADER_BYTES..)?.get(..length)?;
        (crc32c::crc32c(payload) == checksum).then_some(payload)
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Found<'a>;

    fn next(&mut self) -> Option<Found<'a>> {
        let from = self.offset;
        if from >= self.file.len() {
            return None;
        }
        if let Some(payload) = self.payload(from) {
            self.offset = from + HEADER_BYTES + payload.len();
            return Some(Found::Record(payload));
        }
        let next = (from + 1..self.file.len()).find(|&offset| self.payload(offset).is_some());
        self.offset = next.unwrap_or(self.file.len());
        Some(match next {
            Some(next) => Found::Damaged(next - from),
            None if self.is_unfinished(from) => Found::Torn(self.file.len() - from),
            None => Found::Damaged(self.file.len() - from),
        })
    }
}

impl Frames<'_> {
    /// Whether the bytes from `offset` on look like a write that did not come to its end: a beginning of a header or of
    /// a payload, perhaps with zeros where the system had made the file longer already.
    fn is_unfinished(&self, offset: usize) -> bool {
        const ZEROS: [u8; 8] = [0; 8];
        let rest = &self.file[offset..];
        match self.header(offset) {
            Some((length, _)) => rest.len() < HEADER_BYTES + length || rest.ends_with(&ZEROS),
            None => rest.len() < HEADER_BYTES || rest.ends_with(&ZEROS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: Seed = Seed(7);

    fn file(payloads: &[&[u8]]) -> Vec<u8> {
        let mut file = vec![0xaa; 3];
        for payload in payloads {
            let offset = file.len() as u64;
            SEED.put(&mut file, offset, payload);
        }
        file
    }

    fn found(file: &[u8]) -> Vec<Found<'_>> {
        Frames::new(file, SEED, 3).collect()
    }

    #[test]
    fn a_flipped_bit_costs_one_record() {
        let payloads: [&[u8]; 3] = [b"one", b"", b"three"];
        let whole = file(&payloads);
        assert_eq!(found(&whole), payloads.map(Found::Record));
        for bit in 24..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let records: Vec<&[u8]> = found(&damaged)
                .into_iter()
                .filter_map(|one| match one {
                    Found::Record(payload) => Some(payload),
                    _ => None,
                })
                .collect();
            let hit = match bit / 8 {
                0..18 => 0,
                18..30 => 1,
                _ => 2,
            };
            let expected: Vec<&[u8]> = (0..3).filter(|one| *one != hit).map(|one| payloads[one]).collect();
            assert_eq!(records, expected, "bit {bit}");
        }
    }

    #[test]
    fn a_record_at_another_place_or_in_a_payload_is_none() {
        let inner = file(&[b"inner"]);
        let mut whole = file(&[&inner[3..], b"next"]);
        whole[3] ^= 1;
        assert_eq!(found(&whole), [Found::Damaged(12 + 17), Found::Record(b"next")]);
        assert_eq!(found(&inner[1..]), [Found::Damaged(inner.len() - 4)]);
    }

    #[test]
    fn what_is_torn_ends_the_file() {
        let whole = file(&[b"one", b"two"]);
        for length in 18..whole.len() {
            let torn = Some(length - 18).filter(|&bytes| bytes > 0).map(Found::Torn);
            let expected: Vec<_> = [Found::Record(b"one")].into_iter().chain(torn).collect();
            assert_eq!(found(&whole[..length]), expected);
        }
    }
}
