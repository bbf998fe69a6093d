//! Which label values there are and where their lists of series lie, looked up in place.

use std::cmp::Ordering;

use super::cursor::{Cursor, Malformed};
use super::toc::section;

/// Of every so many values of a name the place is remembered; those between are counted off.
const SAMPLED: u32 = 32;
/// Strings of an entry: name and value.
const ENTRY_STRINGS: u64 = 2;

/// The table of lists of postings.
#[derive(Clone, Debug)]
pub(crate) struct PostingsTable {
    /// Offset of the section's body in the file.
    start: usize,
    /// Offset of the end of the section's body.
    end: usize,
    /// Sorted.
    names: Vec<NameEntries>,
}

/// The entries of one name.
#[derive(Clone, Debug)]
pub(crate) struct NameEntries {
    name: Box<str>,
    /// Number of values.
    pub(crate) count: u32,
    /// Places of entries 0, [`SAMPLED`], … less the start of the body. A section has less than 4 GiB.
    samples: Box<[u32]>,
    /// Offset of the end of the last entry.
    end: usize,
}

/// A value and where its list lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ValueEntry<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a str,
    /// Offset of the list's length field.
    pub(crate) list: u64,
}

impl PostingsTable {
    /// Checks the section at `at`, which must end at `end`.
    pub(crate) fn open(file: &[u8], at: usize, end: usize) -> Result<PostingsTable, Malformed> {
        let body = section(file, at)?;
        let start = at + 4;
        if start + body.len() + 4 != end {
            return Err(Malformed { at, expected: "a table of postings up to the table of contents" });
        }
        let mut table = PostingsTable { start, end: start + body.len(), names: Vec::new() };
        table.read_names(&file[..table.end])?;
        Ok(table)
    }

    fn read_names(&mut self, file: &[u8]) -> Result<(), Malformed> {
        let mut cursor = Cursor::new(file, self.start)?;
        let count = cursor.u32()?;
        let mut last: Option<ValueEntry<'_>> = None;
        let mut open = OpenName::default();
        for _ in 0..count {
            let at = cursor.at();
            let entry = read_entry(&mut cursor)?;
            let is_new = last.is_none_or(|last| last.name != entry.name);
            let order = last.map(|last| (last.name, last.value).cmp(&(entry.name, entry.value)));
            if order.is_some_and(|order| order != Ordering::Less) {
                return Err(Malformed { at, expected: "labels in their order" });
            }
            if is_new {
                self.close(last, std::mem::take(&mut open), at)?;
            }
            if open.count.is_multiple_of(SAMPLED) {
                open.samples.push((at - self.start) as u32);
            }
            open.count += 1;
            last = Some(entry);
        }
        self.close(last, open, cursor.at())?;
        if cursor.is_at_end() { Ok(()) } else { Err(cursor.malformed("the end of the table of postings")) }
    }

    fn close(&mut self, last: Option<ValueEntry<'_>>, open: OpenName, end: usize) -> Result<(), Malformed> {
        let Some(last) = last else { return Ok(()) };
        let name =
            str::from_utf8(last.name).map_err(|_| Malformed { at: end, expected: "names in UTF-8" })?;
        self.names.push(NameEntries {
            name: name.into(),
            count: open.count,
            samples: open.samples.into(),
            end,
        });
        Ok(())
    }

    /// The names of labels, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|entries| &*entries.name).filter(|name| !name.is_empty())
    }

    /// The entries of a name.
    pub(crate) fn entries_of(&self, name: &str) -> Option<&NameEntries> {
        let place = self.names.binary_search_by(|entries| (*entries.name).cmp(name)).ok()?;
        self.names.get(place)
    }

    /// Where the list of a label lies.
    pub(crate) fn find(&self, file: &[u8], name: &str, value: &str) -> Result<Option<u64>, Malformed> {
        let Some(entries) = self.entries_of(name) else { return Ok(None) };
        let first = self.values_from(file, entries, value)?.next().transpose()?;
        Ok(first.filter(|entry| entry.value == value).map(|entry| entry.list))
    }

    /// The entries of a name from value `from` on, in order.
    pub(crate) fn values_from<'a>(
        &self,
        file: &'a [u8],
        entries: &NameEntries,
        from: &'a str,
    ) -> Result<impl Iterator<Item = Result<ValueEntry<'a>, Malformed>> + use<'a>, Malformed> {
        let file = &file[..entries.end.min(file.len())];
        let at = |sample: u32| Cursor::new(file, self.start + sample as usize);
        // The last sample that is not behind `from`.
        let (mut low, mut high) = (0, entries.samples.len());
        while high - low > 1 {
            let middle = low.midpoint(high);
            if read_entry(&mut at(entries.samples[middle])?)?.value > from {
                high = middle;
            } else {
                low = middle;
            }
        }
        let mut cursor = at(entries.samples.get(low).copied().unwrap_or(0))?;
        let next = move || (!cursor.is_at_end()).then(|| read_entry(&mut cursor));
        let is_before = move |entry: &Result<ValueEntry<'_>, Malformed>| {
            entry.as_ref().is_ok_and(|entry| entry.value < from)
        };
        Ok(std::iter::from_fn(next).skip_while(is_before))
    }

    /// Bytes of memory held.
    pub(crate) fn size_bytes(&self) -> usize {
        let of_name = |entries: &NameEntries| {
            size_of::<NameEntries>() + entries.name.len() + size_of_val(&*entries.samples)
        };
        self.names.iter().map(of_name).sum()
    }
}

/// The name that is being read.
#[derive(Default)]
struct OpenName {
    count: u32,
    samples: Vec<u32>,
}

fn read_entry<'a>(cursor: &mut Cursor<'a>) -> Result<ValueEntry<'a>, Malformed> {
    let start = *cursor;
    if cursor.uvarint()? != ENTRY_STRINGS {
        return Err(start.malformed("an entry of two strings"));
    }
    Ok(ValueEntry { name: cursor.text_bytes()?, value: cursor.text()?, list: cursor.uvarint()? })
}
