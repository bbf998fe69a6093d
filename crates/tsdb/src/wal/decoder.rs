//! The payloads of records into batches.

use std::collections::HashMap;

use super::batch::Batch;
use super::fields::{Fields, Malformed, Read};
use super::frame::PAYLOAD_MAX;
use super::record::{
    IS_COPY, IS_PACKED, KIND_BITS, Kind, read_deletions, read_exemplars, read_metadata, read_samples,
    read_series,
};
use super::scrape::{Key, key_of, read_scrape};

/// Reads payloads of a log in order. Holds the keys in use, which are as many as there are series.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    keys: HashMap<u64, Key>,
    /// Copies of keys behind damage, in case that what was damaged were the keys.
    spare: HashMap<u64, Key>,
}

/// Why a payload is of no use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Useless {
    /// It is none of this version.
    Malformed,
    /// It refers to a key that was lost.
    KeyLost,
}

impl From<Malformed> for Useless {
    fn from(Malformed: Malformed) -> Useless {
        Useless::Malformed
    }
}

/// First byte and body of a payload, unpacked.
fn unpacked(payload: &[u8]) -> Read<(u8, std::borrow::Cow<'_, [u8]>)> {
    let (&first, body) = payload.split_first().ok_or(Malformed)?;
    if first & IS_PACKED == 0 {
        return Ok((first, body.into()));
    }
    let length = snap::raw::decompress_len(body).map_err(|_| Malformed)?;
    if length > PAYLOAD_MAX {
        return Err(Malformed);
    }
    let body = snap::raw::Decoder::new().decompress_vec(body).map_err(|_| Malformed)?;
    Ok((first, body.into()))
}

impl Decoder {
    /// Adds what a payload holds to a batch; nothing if it repeats what was there. Kinds that this version does not know
    /// are passed over.
    ///
    /// # Errors
    /// When the payload is of no use; the batch may hold a part of it then.
    pub(super) fn read(&mut self, payload: &[u8], batch: &mut Batch) -> Result<(), Useless> {
        let (first, body) = unpacked(payload)?;
        let is_copy = first & IS_COPY != 0;
        let Some(kind) = Kind::from_number(first & KIND_BITS) else { return Ok(()) };
        let mut fields = Fields::new(&body);
        match kind {
            Kind::Series if is_copy => Ok(()),
            Kind::Series => Ok(read_series(&mut fields, batch)?),
            Kind::Key => Ok(self.read_key(&mut fields)?),
            Kind::Scrape => self.read_scrape(&body, batch),
            Kind::Floats | Kind::Histograms => {
                batch.has_repeats = true;
                Ok(read_samples(&mut fields, kind, &mut batch.samples)?)
            }
            Kind::Exemplars => Ok(read_exemplars(&mut fields, batch)?),
            Kind::Metadata => Ok(read_metadata(&mut fields, batch)?),
            Kind::Deletions => Ok(read_deletions(&mut fields, batch)?),
        }
    }

    fn read_key(&mut self, fields: &mut Fields<'_>) -> Read<()> {
        let (key, replaced) = Key::read(fields)?;
        self.spare.remove(&key.number);
        self.keys.remove(&replaced);
        self.keys.insert(key.number, key);
        Ok(())
    }

    fn read_scrape(&mut self, body: &[u8], batch: &mut Batch) -> Result<(), Useless> {
        let number = key_of(body)?;
        if let Some(key) = self.spare.remove(&number) {
            self.keys.insert(number, key);
        }
        let key = self.keys.get(&number).ok_or(Useless::KeyLost)?;
        Ok(read_scrape(&mut Fields::new(body), key, &mut batch.samples)?)
    }

    /// Takes what a copy behind damage holds: series into the batch, keys aside until something refers to them.
    pub(super) fn rescue(&mut self, payload: &[u8], batch: &mut Batch) {
        let Some(first) = payload.first().filter(|first| **first & IS_COPY != 0) else { return };
        let kind = Kind::from_number(first & KIND_BITS);
        let Ok((_, body)) = unpacked(payload) else { return };
        let mut fields = Fields::new(&body);
        match kind {
            Some(Kind::Series) => {
                let held = batch.series.len();
                if read_series(&mut fields, batch).is_err() {
                    batch.series.truncate(held);
                }
            }
            Some(Kind::Key) => {
                if let Ok((key, _)) = Key::read(&mut fields)
                    && !self.keys.contains_key(&key.number)
                {
                    self.spare.insert(key.number, key);
                }
            }
            _ => {}
        }
    }

    /// A file is at its end; the next one refers to no key in it.
    pub(super) fn end_file(&mut self) {
        self.keys.clear();
        self.spare.clear();
    }
}
