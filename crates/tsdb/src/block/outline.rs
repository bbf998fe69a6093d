//! A series of a block in outline: chunks that lie in windows as a whole are not decoded where it is known what they
//! amount to.

use narthex_model::{TimeRange, Timestamp};
use narthex_storage::{Outline, Placement, Run, StorageError, Summary, SummaryNeed};

use super::select::{BlockSeriesSet, Selected};
use crate::accel::{SeriesSummaries, SummaryFile};
use crate::index::ChunkMeta;

/// To find the summary of a chunk costs about this part of decoding it for each chunk of the series.
const CHUNKS_PER_DECODED: usize = 32;

impl BlockSeriesSet<'_> {
    /// Appends the outline of a series within `range` to one that is earlier and within `range`.
    pub(super) fn outline_behind(
        &self,
        selected: &Selected,
        range: TimeRange,
        need: SummaryNeed,
        outline: &mut Outline,
    ) -> Result<(), StorageError> {
        let behind_ms = outline.last_ms().map_or(Timestamp::MIN, |last_ms| last_ms.saturating_add(1));
        let chunks = self.chunks_in(selected, range);
        let pays = chunks.len().saturating_mul(CHUNKS_PER_DECODED) >= selected.all;
        let file = if pays && self.windows.is_some() { self.block.summaries() } else { None };
        let mut known = Known { file: file.as_deref(), summaries: None };
        for (number, chunk) in chunks {
            let placement = self.windows.map_or(Placement::Cut, |windows| windows.placement(chunk.range));
            match placement {
                Placement::Outside => continue,
                Placement::Whole if self.is_untouched(selected, range, chunk) => {
                    if let Some(summary) = known.of(selected, number).filter(|summary| summary.serves(need)) {
                        let TimeRange { min_ms: first_ms, max_ms: last_ms } = chunk.range;
                        outline.runs.push(Run { first_ms, last_ms, summary });
                        continue;
                    }
                }
                Placement::Whole | Placement::Cut => {}
            }
            self.decode(chunk, range.max_ms, &mut outline.samples)?;
        }
        self.cut_out(selected.number, range, behind_ms, &mut outline.samples);
        Ok(())
    }

    /// Whether all samples of a chunk are asked for, and none of them was deleted.
    fn is_untouched(&self, selected: &Selected, range: TimeRange, chunk: &ChunkMeta) -> bool {
        let is_within = range.contains(chunk.range.min_ms) && range.contains(chunk.range.max_ms);
        let deleted = self.tombstones.of(u64::from(selected.number));
        is_within && !deleted.iter().any(|deleted| deleted.overlaps(chunk.range))
    }
}

/// Summaries of a series, looked for when one is asked for.
struct Known<'f> {
    file: Option<&'f SummaryFile>,
    summaries: Option<SeriesSummaries<'f>>,
}

impl Known<'_> {
    /// That of a chunk; to be asked of rising numbers.
    fn of(&mut self, selected: &Selected, chunk: usize) -> Option<Summary> {
        if let Some(file) = self.file.take() {
            self.summaries = file.of_series(selected.number, selected.all);
        }
        self.summaries.as_mut()?.of_chunk(chunk)
    }
}
