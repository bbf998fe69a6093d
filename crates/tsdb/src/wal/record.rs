//! Records: what kinds there are, and their bodies other than scrapes.

use std::sync::Arc;

use narthex_model::{Labels, SampleValue, TimeRange};

use super::batch::{Batch, Exemplar, Metadata, MetricType, Sample, SeriesId};
use super::fields::{Fields, Malformed, Read, Symbols, put_float, put_histogram};
use crate::integers::{push_text, push_uvarint, push_varint};

/// What a record holds; the number is the low part of its first byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Kind {
    /// Ids with their labels.
    Series = 1,
    /// Series and what is expected of each, which scrapes refer to.
    Key = 2,
    /// The series of a key at an instant.
    Scrape = 3,
    /// Floats of any series and time.
    Floats = 4,
    /// Histograms.
    Histograms = 5,
    /// Exemplars.
    Exemplars = 6,
    /// Types, units, help texts.
    Metadata = 7,
    /// Stretches that were deleted.
    Deletions = 8,
}

impl Kind {
    const ALL: [Kind; 8] = [
        Kind::Series,
        Kind::Key,
        Kind::Scrape,
        Kind::Floats,
        Kind::Histograms,
        Kind::Exemplars,
        Kind::Metadata,
        Kind::Deletions,
    ];

    pub(super) fn from_number(number: u8) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// Set in the first byte of a record that repeats an earlier one.
pub(super) const IS_COPY: u8 = 0x40;
/// Set in the first byte of a record whose body is packed with snappy.
pub(super) const IS_PACKED: u8 = 0x80;
/// The bits of the first byte that are the kind.
pub(super) const KIND_BITS: u8 = 0x3f;
/// A body of several items is closed when it has so many bytes.
const BODY_BYTES: usize = 1 << 15;

/// Appends items to bodies; calls `write` with each body.
fn in_bodies<T>(
    items: impl Iterator<Item = T>,
    body: &mut Vec<u8>,
    write: &mut dyn FnMut(&[u8]),
    mut put: impl FnMut(&mut Vec<u8>, T, bool),
) {
    body.clear();
    for item in items {
        put(body, item, body.is_empty());
        if body.len() >= BODY_BYTES {
            write(body);
            body.clear();
        }
    }
    if !body.is_empty() {
        write(body);
    }
}

pub(super) fn put_series(series: &[(SeriesId, Labels)], body: &mut Vec<u8>, write: &mut dyn FnMut(&[u8])) {
    let (mut symbols, mut last) = (Symbols::default(), 0);
    in_bodies(series.iter(), body, write, |body, (id, labels), is_first| {
        if is_first {
            (symbols, last) = (Symbols::default(), 0);
        }
        push_varint(body, id.number().wrapping_sub(last) as i64);
        last = id.number();
        symbols.put_labels(body, labels);
    });
}

pub(super) fn read_series(fields: &mut Fields<'_>, batch: &mut Batch) -> Read<()> {
    let mut last = 0u64;
    while !fields.is_empty() {
        last = last.wrapping_add(fields.varint()? as u64);
        batch.series.push((SeriesId::from_number(last), fields.labels()?));
    }
    Ok(())
}

/// Writes samples of one kind, each with its series, time and start as differences to the one before.
pub(super) fn put_samples<'a>(
    samples: impl Iterator<Item = &'a Sample>,
    body: &mut Vec<u8>,
    write: &mut dyn FnMut(&[u8]),
) {
    let mut last = (0u64, 0i64);
    in_bodies(samples, body, write, |body, sample, is_first| {
        if is_first {
            last = (0, 0);
        }
        push_varint(body, sample.series.number().wrapping_sub(last.0) as i64);
        push_varint(body, sample.at_ms.wrapping_sub(last.1));
        last = (sample.series.number(), sample.at_ms);
        body.push(u8::from(sample.start_ms != 0));
        if sample.start_ms != 0 {
            push_varint(body, sample.at_ms.wrapping_sub(sample.start_ms));
        }
        match &sample.value {
            SampleValue::Float(value) => put_float(body, *value),
            SampleValue::Histogram(value) => put_histogram(body, value),
        }
    });
}

pub(super) fn read_samples(fields: &mut Fields<'_>, kind: Kind, samples: &mut Vec<Sample>) -> Read<()> {
    let (mut series, mut at_ms) = (0u64, 0i64);
    while !fields.is_empty() {
        series = series.wrapping_add(fields.varint()? as u64);
        at_ms = at_ms.wrapping_add(fields.varint()?);
        let start_ms = match fields.u8()? {
            0 => 0,
            1 => at_ms.wrapping_sub(fields.varint()?),
            _ => return Err(Malformed),
        };
        let value = match kind {
            Kind::Histograms => SampleValue::Histogram(Arc::new(fields.histogram()?)),
            _ => SampleValue::Float(fields.float()?),
        };
        samples.push(Sample { series: SeriesId::from_number(series), at_ms, start_ms, value });
    }
    Ok(())
}

pub(super) fn put_exemplars(
    exemplars: &[(SeriesId, Exemplar)],
    body: &mut Vec<u8>,
    write: &mut dyn FnMut(&[u8]),
) {
    let mut symbols = Symbols::default();
    in_bodies(exemplars.iter(), body, write, |body, (id, exemplar), is_first| {
        if is_first {
            symbols = Symbols::default();
        }
        push_uvarint(body, id.number());
        push_varint(body, exemplar.at_ms);
        put_float(body, exemplar.value);
        symbols.put_labels(body, &exemplar.labels);
    });
}

pub(super) fn read_exemplars(fields: &mut Fields<'_>, batch: &mut Batch) -> Read<()> {
    while !fields.is_empty() {
        let id = SeriesId::from_number(fields.uvarint()?);
        let (at_ms, value) = (fields.varint()?, fields.float()?);
        batch.exemplars.push((id, Exemplar { labels: fields.labels()?, value, at_ms }));
    }
    Ok(())
}

pub(super) fn put_metadata(
    metadata: &[(Box<str>, Metadata)],
    body: &mut Vec<u8>,
    write: &mut dyn FnMut(&[u8]),
) {
    in_bodies(metadata.iter(), body, write, |body, (metric, metadata), _| {
        push_text(body, metric);
        body.push(metadata.metric_type as u8);
        push_text(body, &metadata.unit);
        push_text(body, &metadata.help);
    });
}

pub(super) fn read_metadata(fields: &mut Fields<'_>, batch: &mut Batch) -> Read<()> {
    while !fields.is_empty() {
        let metric = fields.text()?.into();
        let number = usize::from(fields.u8()?);
        let metric_type = *MetricType::ALL.get(number).ok_or(Malformed)?;
        let (unit, help) = (fields.text()?.into(), fields.text()?.into());
        batch.metadata.push((metric, Metadata { metric_type, unit, help }));
    }
    Ok(())
}

pub(super) fn put_deletions(
    deletions: &[(SeriesId, TimeRange)],
    body: &mut Vec<u8>,
    write: &mut dyn FnMut(&[u8]),
) {
    in_bodies(deletions.iter(), body, write, |body, (id, range), _| {
        push_uvarint(body, id.number());
        push_varint(body, range.min_ms);
        push_varint(body, range.max_ms);
    });
}

pub(super) fn read_deletions(fields: &mut Fields<'_>, batch: &mut Batch) -> Read<()> {
    while !fields.is_empty() {
        let id = SeriesId::from_number(fields.uvarint()?);
        batch.deletions.push((id, TimeRange::new(fields.varint()?, fields.varint()?)));
    }
    Ok(())
}
