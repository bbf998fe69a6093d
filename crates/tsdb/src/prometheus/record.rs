//! The records of Prometheus's logs: what each type of them says.

use narthex_model::{Labels, SampleValue, TimeRange, Timestamp};

use super::fields::{CorruptRecord, Fields};
use super::histogram::{self, Counts};
use crate::wal::MetricType;

/// Fewest bytes of a float sample: two variable-length integers and the value.
const FLOAT_BYTES_MIN: usize = 10;

/// One record, decoded whole. A series is named by a number that a [`SeriesEntry`] has explained before.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Record {
    /// Series and their numbers.
    Series(Vec<SeriesEntry>),
    /// Floats or histograms.
    Samples(Vec<SampleEntry>),
    /// Deletions.
    Tombstones(Vec<TombstoneEntry>),
    /// Exemplars.
    Exemplars(Vec<ExemplarEntry>),
    /// In a log of out-of-order samples: what of it is in head chunks by now.
    Markers(Vec<MarkerEntry>),
    /// What metrics are.
    Metadata(Vec<MetadataEntry>),
    /// A type of record that came after this code; Prometheus skips them as well.
    Unknown(u8),
}

/// A series and its number.
#[derive(Clone, PartialEq, Debug)]
pub struct SeriesEntry {
    /// The number that other entries name it by. Several numbers may stand for one series.
    pub reference: u64,
    /// Its labels.
    pub labels: Labels,
}

/// A sample.
#[derive(Clone, PartialEq, Debug)]
pub struct SampleEntry {
    /// Number of the series.
    pub reference: u64,
    /// When.
    pub at_ms: Timestamp,
    /// When the counter started, 0 for unknown.
    pub start_ms: Timestamp,
    /// What; a histogram may contradict itself.
    pub value: SampleValue,
}

/// A deletion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TombstoneEntry {
    /// Number of the series.
    pub reference: u64,
    /// The samples that are no more. All of time: the series was taken out of the head.
    pub range: TimeRange,
}

/// An exemplar.
#[derive(Clone, PartialEq, Debug)]
pub struct ExemplarEntry {
    /// Number of the series.
    pub reference: u64,
    /// When.
    pub at_ms: Timestamp,
    /// The observed value.
    pub value: f64,
    /// Its own labels.
    pub labels: Labels,
}

/// All out-of-order samples of a series up to here are in head chunks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MarkerEntry {
    /// Number of the series.
    pub reference: u64,
    /// Where the last of these chunks is: number of the file · 2³² + offset; 0 where there is none yet.
    pub chunk: u64,
}

/// What the metric of a series is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MetadataEntry {
    /// Number of the series.
    pub reference: u64,
    /// Its type.
    pub kind: MetricType,
    /// Its unit, empty for unknown.
    pub unit: Box<str>,
    /// What it says of itself, empty for nothing.
    pub help: Box<str>,
}

impl Record {
    /// Decodes an unpacked record of a WAL, a checkpoint or a WBL.
    ///
    /// # Errors
    /// When the bytes contradict the format.
    pub fn decode(bytes: &[u8]) -> Result<Record, CorruptRecord> {
        let mut fields = Fields::new(bytes);
        let fields = &mut fields;
        match fields.u8()? {
            1 => entries(fields, 9, series).map(Record::Series),
            2 => samples(fields, FLOAT_BYTES_MIN, float).map(Record::Samples),
            3 => entries(fields, 10, tombstone).map(Record::Tombstones),
            4 => exemplars(fields).map(Record::Exemplars),
            5 => entries(fields, 16, marker).map(Record::Markers),
            6 => entries(fields, 3, metadata).map(Record::Metadata),
            7 | 9 => samples(fields, 2 + histogram::BYTES_MIN, whole_histogram).map(Record::Samples),
            8 | 10 => samples(fields, 2 + histogram::BYTES_MIN, float_histogram).map(Record::Samples),
            11 => samples_with_start(fields, FLOAT_BYTES_MIN, float).map(Record::Samples),
            12 => samples_with_start(fields, 2 + histogram::BYTES_MIN, whole_histogram).map(Record::Samples),
            13 => samples_with_start(fields, 2 + histogram::BYTES_MIN, float_histogram).map(Record::Samples),
            number => Ok(Record::Unknown(number)),
        }
    }
}

/// Entries of `bytes_min` or more up to the end of the record.
fn entries<'a, T>(
    fields: &mut Fields<'a>,
    bytes_min: usize,
    mut entry: impl FnMut(&mut Fields<'a>) -> Result<T, CorruptRecord>,
) -> Result<Vec<T>, CorruptRecord> {
    let mut entries = Vec::with_capacity(fields.len() / bytes_min);
    while !fields.is_empty() {
        entries.push(entry(fields)?);
    }
    Ok(entries)
}

fn series(fields: &mut Fields<'_>) -> Result<SeriesEntry, CorruptRecord> {
    Ok(SeriesEntry { reference: fields.u64()?, labels: fields.labels()? })
}

fn tombstone(fields: &mut Fields<'_>) -> Result<TombstoneEntry, CorruptRecord> {
    Ok(TombstoneEntry { reference: fields.u64()?, range: range(fields)? })
}

fn range(fields: &mut Fields<'_>) -> Result<TimeRange, CorruptRecord> {
    Ok(TimeRange::new(fields.varint()?, fields.varint()?))
}

fn marker(fields: &mut Fields<'_>) -> Result<MarkerEntry, CorruptRecord> {
    Ok(MarkerEntry { reference: fields.u64()?, chunk: fields.u64()? })
}

fn metadata(fields: &mut Fields<'_>) -> Result<MetadataEntry, CorruptRecord> {
    let reference = fields.uvarint()?;
    let number = usize::from(fields.u8()?);
    let kind = MetricType::ALL.get(number).copied().unwrap_or_default();
    let mut entry = MetadataEntry { reference, kind, unit: "".into(), help: "".into() };
    for _ in 0..fields.count(2)? {
        let (key, value) = (fields.str()?, fields.str()?);
        match &*key {
            "UNIT" => entry.unit = value.into(),
            "HELP" => entry.help = value.into(),
            _ => {}
        }
    }
    Ok(entry)
}

fn float(fields: &mut Fields<'_>) -> Result<SampleValue, CorruptRecord> {
    fields.f64().map(SampleValue::Float)
}

fn whole_histogram(fields: &mut Fields<'_>) -> Result<SampleValue, CorruptRecord> {
    histogram::read(fields, Counts::Whole).map(SampleValue::from)
}

fn float_histogram(fields: &mut Fields<'_>) -> Result<SampleValue, CorruptRecord> {
    histogram::read(fields, Counts::Float).map(SampleValue::from)
}

/// What the numbers and times of all samples of a record are relative to.
#[derive(Clone, Copy)]
struct Base {
    reference: u64,
    at_ms: Timestamp,
}

impl Base {
    /// `None` for a record without samples.
    fn read(fields: &mut Fields<'_>) -> Result<Option<Base>, CorruptRecord> {
        if fields.is_empty() {
            return Ok(None);
        }
        Ok(Some(Base { reference: fields.u64()?, at_ms: fields.i64()? }))
    }

    fn place(self, fields: &mut Fields<'_>) -> Result<(u64, Timestamp), CorruptRecord> {
        let reference = self.reference.wrapping_add_signed(fields.varint()?);
        Ok((reference, self.at_ms.wrapping_add(fields.varint()?)))
    }
}

fn samples(
    fields: &mut Fields<'_>,
    bytes_min: usize,
    value: fn(&mut Fields<'_>) -> Result<SampleValue, CorruptRecord>,
) -> Result<Vec<SampleEntry>, CorruptRecord> {
    let Some(base) = Base::read(fields)? else { return Ok(Vec::new()) };
    entries(fields, bytes_min, |fields| {
        let (reference, at_ms) = base.place(fields)?;
        Ok(SampleEntry { reference, at_ms, start_ms: 0, value: value(fields)? })
    })
}

pub(super) fn exemplars(fields: &mut Fields<'_>) -> Result<Vec<ExemplarEntry>, CorruptRecord> {
    let Some(base) = Base::read(fields)? else { return Ok(Vec::new()) };
    entries(fields, FLOAT_BYTES_MIN + 1, |fields| {
        let (reference, at_ms) = base.place(fields)?;
        Ok(ExemplarEntry { reference, at_ms, value: fields.f64()?, labels: fields.labels()? })
    })
}

/// Numbers are relative to the sample before, times and starts to the first sample.
fn samples_with_start(
    fields: &mut Fields<'_>,
    bytes_min: usize,
    value: fn(&mut Fields<'_>) -> Result<SampleValue, CorruptRecord>,
) -> Result<Vec<SampleEntry>, CorruptRecord> {
    if fields.is_empty() {
        return Ok(Vec::new());
    }
    let (mut reference, first_ms, first_start_ms) =
        (fields.varint()? as u64, fields.varint()?, fields.varint()?);
    let mut start_ms = first_start_ms;
    let first = SampleEntry { reference, at_ms: first_ms, start_ms, value: value(fields)? };
    let mut samples = Vec::with_capacity(1 + fields.len() / (bytes_min + 1));
    samples.push(first);
    while !fields.is_empty() {
        reference = reference.wrapping_add_signed(fields.varint()?);
        let at_ms = first_ms.wrapping_add(fields.varint()?);
        start_ms = match fields.u8()? {
            0 => 0,
            1 => start_ms,
            2 => first_start_ms.wrapping_add(fields.varint()?),
            _ => return Err(CorruptRecord::Value),
        };
        samples.push(SampleEntry { reference, at_ms, start_ms, value: value(fields)? });
    }
    Ok(samples)
}
