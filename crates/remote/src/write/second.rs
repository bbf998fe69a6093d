//! The messages of remote write 2.0: a text is told once, and referred to by its number.
//!
//! `Request`: texts 4, series 5. `TimeSeries`: labels 1 (numbers of names and values by turns), samples 2, histograms 3,
//! exemplars 4, metadata 5. `Sample` as in 1.0, and its start 3. `Exemplar`: labels 1, value 2, time 3. Starts and metadata
//! are skipped: no older Prometheus could read blocks with starts.

use super::{WriteExemplar, WriteSeries, histogram, sample};
use crate::wire::{DecodeError, Field, Fields};

/// Shows every series of a `Request` to `see`, in order.
pub(super) fn decode<'a>(
    message: &'a [u8],
    mut see: impl FnMut(&mut WriteSeries<'a>),
) -> Result<(), DecodeError> {
    let mut texts = Texts::default();
    for field in Fields::new(message) {
        let field = field?;
        if field.number == 4 {
            texts.all.push(field.bytes()?);
        }
    }
    let mut series = WriteSeries::default();
    for field in Fields::new(message) {
        let field = field?;
        if field.number == 5 {
            texts.read(field.bytes()?, &mut series)?;
            see(&mut series);
        }
    }
    Ok(())
}

/// The texts of a request, and room for references to them.
#[derive(Default)]
struct Texts<'a> {
    all: Vec<&'a [u8]>,
    references: Vec<u64>,
}

impl<'a> Texts<'a> {
    fn read(&mut self, message: &'a [u8], series: &mut WriteSeries<'a>) -> Result<(), DecodeError> {
        series.clear();
        self.references.clear();
        for field in Fields::new(message) {
            let field = field?;
            match field.number {
                1 => field.varints(|number| number, &mut self.references)?,
                2 => series.samples.push(sample(field)?),
                3 => series.histograms.push(histogram::read(field.bytes()?)?),
                _ => {}
            }
        }
        self.labels(&mut series.labels)?;
        for field in Fields::new(message) {
            let field = field?;
            if field.number == 4 {
                series.exemplars.push(self.exemplar(field)?);
            }
        }
        Ok(())
    }

    fn exemplar(&mut self, field: Field<'a>) -> Result<WriteExemplar<'a>, DecodeError> {
        let mut exemplar = WriteExemplar::default();
        self.references.clear();
        for field in Fields::new(field.bytes()?) {
            let field = field?;
            match field.number {
                1 => field.varints(|number| number, &mut self.references)?,
                2 => exemplar.value = field.double()?,
                3 => exemplar.at_ms = field.varint()? as i64,
                _ => {}
            }
        }
        self.labels(&mut exemplar.labels)?;
        Ok(exemplar)
    }

    /// The labels that the references stand for.
    fn labels(&self, labels: &mut Vec<(&'a [u8], &'a [u8])>) -> Result<(), DecodeError> {
        let text = |&reference: &u64| {
            let text = usize::try_from(reference).ok().and_then(|place| self.all.get(place));
            text.copied().ok_or(DecodeError::Reference { number: reference })
        };
        let (pairs, rest) = self.references.as_chunks::<2>();
        if let Some(&number) = rest.first() {
            return Err(DecodeError::Reference { number });
        }
        for [name, value] in pairs {
            labels.push((text(name)?, text(value)?));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts "", a, b, trace; a series {a="b"} of 1.5 at 9 with start 3 and an exemplar {trace="b"} of 2.0 at 8.
    const REQUEST: &[u8] = b"\x22\x00\x22\x01a\x22\x01b\x22\x05trace\x2a\x26\x0a\x02\x01\x02\
        \x12\x0d\x09\0\0\0\0\0\0\xf8\x3f\x10\x09\x18\x03\
        \x22\x0f\x0a\x02\x03\x02\x11\0\0\0\0\0\0\0\x40\x18\x08\x2a\x00";

    #[test]
    fn references_become_texts() {
        let mut seen = 0;
        decode(REQUEST, |series| {
            seen += 1;
            assert_eq!(
                (&series.labels[..], &series.samples[..]),
                (&[(&b"a"[..], &b"b"[..])][..], &[(9, 1.5)][..])
            );
            let exemplar = &series.exemplars[0];
            assert_eq!(exemplar.labels, [(&b"trace"[..], &b"b"[..])]);
            assert_eq!((exemplar.value, exemplar.at_ms), (2.0, 8));
        })
        .unwrap();
        assert_eq!(seen, 1);
    }

    #[test]
    fn references_to_nothing_are_refused() {
        let refused = |message: &[u8]| decode(message, |_| {}).unwrap_err();
        assert_eq!(refused(b"\x22\x00\x2a\x04\x0a\x02\x00\x01"), DecodeError::Reference { number: 1 });
        assert_eq!(refused(b"\x22\x00\x2a\x03\x0a\x01\x00"), DecodeError::Reference { number: 0 });
    }
}
