//! The messages of remote write 1.0, and what those of 2.0 have in common with them.
//!
//! `WriteRequest`: series 1, metadata 3. `TimeSeries`: labels 1, samples 2, exemplars 3, histograms 4. `Label`: name 1,
//! value 2. `Sample`: value 1 (double), time 2 (int64, ms). `Exemplar`: labels 1, value 2, time 3. Unknown fields are skipped.

mod histogram;
mod second;

use narthex_model::{FloatHistogram, Timestamp};

use crate::wire::{DecodeError, Field, Fields};

/// One series of a request. Its parts are reused from series to series.
#[derive(Clone, Debug, Default)]
pub struct WriteSeries<'a> {
    /// Names and values in the order sent; not yet known to be texts.
    pub labels: Vec<(&'a [u8], &'a [u8])>,
    /// Floats in the order sent.
    pub samples: Vec<(Timestamp, f64)>,
    /// Native histograms in the order sent; not yet known to make sense.
    pub histograms: Vec<(Timestamp, FloatHistogram)>,
    /// Exemplars in the order sent.
    pub exemplars: Vec<WriteExemplar<'a>>,
}

/// An exemplar of a request.
#[derive(Clone, Debug, Default)]
pub struct WriteExemplar<'a> {
    /// Names and values in the order sent; not yet known to be texts.
    pub labels: Vec<(&'a [u8], &'a [u8])>,
    /// What was observed.
    pub value: f64,
    /// When.
    pub at_ms: Timestamp,
}

/// Which protocol a body is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// `prometheus.WriteRequest`.
    V1,
    /// `io.prometheus.write.v2.Request`.
    V2,
}

/// The block that a body is compressed as.
///
/// # Errors
/// When the bytes are no block, or it says that it is longer than `bytes_max`: nothing is allocated then.
pub fn decompress(body: &[u8], bytes_max: usize) -> Result<Vec<u8>, DecodeError> {
    let bytes = snap::raw::decompress_len(body).map_err(|_| DecodeError::Compression)?;
    if bytes > bytes_max {
        return Err(DecodeError::TooLong { bytes, bytes_max });
    }
    snap::raw::Decoder::new().decompress_vec(body).map_err(|_| DecodeError::Compression)
}

/// Shows every series of a request to `see`, in order.
///
/// # Errors
/// When the bytes are no such message; the series before the broken one have been seen then.
pub fn decode<'a>(
    version: Version,
    message: &'a [u8],
    see: impl FnMut(&mut WriteSeries<'a>),
) -> Result<(), DecodeError> {
    match version {
        Version::V1 => decode_first(message, see),
        Version::V2 => second::decode(message, see),
    }
}

fn decode_first<'a>(message: &'a [u8], mut see: impl FnMut(&mut WriteSeries<'a>)) -> Result<(), DecodeError> {
    let mut series = WriteSeries::default();
    for field in Fields::new(message) {
        let field = field?;
        if field.number == 1 {
            series.read(field.bytes()?)?;
            see(&mut series);
        }
    }
    Ok(())
}

impl<'a> WriteSeries<'a> {
    fn clear(&mut self) {
        self.labels.clear();
        self.samples.clear();
        self.histograms.clear();
        self.exemplars.clear();
    }

    fn read(&mut self, message: &'a [u8]) -> Result<(), DecodeError> {
        self.clear();
        for field in Fields::new(message) {
            let field = field?;
            match field.number {
                1 => self.labels.push(label(field)?),
                2 => self.samples.push(sample(field)?),
                3 => self.exemplars.push(exemplar(field)?),
                4 => self.histograms.push(histogram::read(field.bytes()?)?),
                _ => {}
            }
        }
        Ok(())
    }
}

fn label<'a>(field: Field<'a>) -> Result<(&'a [u8], &'a [u8]), DecodeError> {
    let (mut name, mut value) = (&b""[..], &b""[..]);
    for field in Fields::new(field.bytes()?) {
        let field = field?;
        match field.number {
            1 => name = field.bytes()?,
            2 => value = field.bytes()?,
            _ => {}
        }
    }
    Ok((name, value))
}

fn sample(field: Field<'_>) -> Result<(Timestamp, f64), DecodeError> {
    let (mut at_ms, mut value) = (0, 0.0);
    for field in Fields::new(field.bytes()?) {
        let field = field?;
        match field.number {
            1 => value = field.double()?,
            2 => at_ms = field.varint()? as i64,
            _ => {}
        }
    }
    Ok((at_ms, value))
}

fn exemplar<'a>(field: Field<'a>) -> Result<WriteExemplar<'a>, DecodeError> {
    let mut exemplar = WriteExemplar::default();
    for field in Fields::new(field.bytes()?) {
        let field = field?;
        match field.number {
            1 => exemplar.labels.push(label(field)?),
            2 => exemplar.value = field.double()?,
            3 => exemplar.at_ms = field.varint()? as i64,
            _ => {}
        }
    }
    Ok(exemplar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_length_is_believed_before_anything_is_allocated() {
        // A block that says to be 2 GiB long.
        let bomb = b"\x80\x80\x80\x80\x08\x00";
        let error = DecodeError::TooLong { bytes: 2 << 30, bytes_max: 1 << 20 };
        assert_eq!(decompress(bomb, 1 << 20), Err(error));
        assert_eq!(decompress(b"", 1 << 20), Err(DecodeError::Compression));
        assert_eq!(decompress(b"\xff\xff\xff\xff\xff\xff", 1 << 20), Err(DecodeError::Compression));
        let block = snap::raw::Encoder::new().compress_vec(&[7; 1000]).unwrap();
        assert_eq!(decompress(&block, 1000), Ok(vec![7; 1000]));
        assert!(decompress(&block, 999).is_err());
    }

    #[test]
    fn any_bytes_are_decoded_or_refused() {
        proptest::proptest!(|(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300))| {
            let _ = decode(Version::V1, &bytes, |_| {});
            let _ = decode(Version::V2, &bytes, |_| {});
            let _ = decompress(&bytes, 1 << 20);
        });
    }
}
