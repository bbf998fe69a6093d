//! Making the summaries of a block, some chunks at a time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use narthex_model::sample::is_stale_nan;
use narthex_storage::{SampleBuffer, StorageError, StorageErrorKind, Summary};

use super::file::{header, push_entry, push_series, trailer};
use crate::block::Block;
use crate::block::failure::io_failed;
use crate::block::output::Output;
use crate::fs::Fs;
use crate::index::{ChunkMeta, SeriesReader};

/// What is behind the name of a file that is being written.
pub(crate) const UNFINISHED_SUFFIX: &str = ".tmp";

/// The file of summaries while it is written, under another name.
#[derive(Debug)]
pub(crate) struct SummaryBuilder {
    block: Arc<Block>,
    path: PathBuf,
    output: Output,
    /// Numbers of the series that are still to come, last one first.
    rest: Vec<u32>,
    table: Vec<u8>,
    series: Vec<u8>,
    summaries: Vec<Option<Summary>>,
    samples: SampleBuffer,
}

/// How far the summaries of a block are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Progress {
    /// There is more to do.
    Begun,
    /// Nothing but [`SummaryBuilder::publish`].
    Complete,
}

impl SummaryBuilder {
    /// Begins the summaries of a block, which are to be at `path`; until then they are beside it.
    ///
    /// # Errors
    /// When the file cannot be made or the list of series not be read.
    pub(crate) fn begin(fs: &dyn Fs, path: &Path, block: Arc<Block>) -> Result<SummaryBuilder, StorageError> {
        let mut rest = block.series_numbers()?;
        rest.reverse();
        let unfinished = unfinished(path);
        if fs.exists(&unfinished).map_err(|error| io_failed(&error))? {
            fs.remove_file(&unfinished).map_err(|error| io_failed(&error))?;
        }
        let mut output = Output::create(fs, &unfinished)?;
        output.write(&header(block.origin()))?;
        Ok(SummaryBuilder {
            block,
            path: path.to_owned(),
            output,
            rest,
            table: Vec::new(),
            series: Vec::new(),
            summaries: Vec::new(),
            samples: SampleBuffer::new(),
        })
    }

    /// The block.
    pub(crate) fn block(&self) -> &Arc<Block> {
        &self.block
    }

    /// Goes on for about as many chunks as `chunks` says, and takes those that were looked at from it. A series or chunk
    /// that cannot be read has no summary: whoever asks for it decodes it, and meets the damage.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn advance(&mut self, chunks: &mut usize) -> Result<Progress, StorageError> {
        let block = Arc::clone(&self.block);
        let mut reader = SeriesReader::default();
        while *chunks > 0 {
            let Some(number) = self.rest.pop() else { return Ok(Progress::Complete) };
            match block.index.entry(number, &mut reader) {
                Ok(()) => self.add(number, &reader.chunks)?,
                Err(error) if error.kind() == StorageErrorKind::Corrupt => {}
                Err(error) => return Err(error),
            }
            *chunks = chunks.saturating_sub(reader.chunks.len().max(1));
        }
        Ok(if self.rest.is_empty() { Progress::Complete } else { Progress::Begun })
    }

    fn add(&mut self, number: u32, chunks: &[ChunkMeta]) -> Result<(), StorageError> {
        self.summaries.clear();
        for chunk in chunks {
            let summary = self.summary(chunk);
            self.summaries.push(summary);
        }
        if self.summaries.iter().all(Option::is_none) {
            return Ok(());
        }
        push_entry(&mut self.table, number, self.output.at());
        self.series.clear();
        push_series(&mut self.series, number, &self.summaries);
        self.output.write(&self.series)
    }

    /// Of a chunk of floats without stale markers, all of which lie where the index says.
    fn summary(&mut self, chunk: &ChunkMeta) -> Option<Summary> {
        let samples = &mut self.samples;
        samples.clear();
        self.block.decode(chunk, chunk.range.max_ms, samples).ok()?;
        let timestamps = &samples.floats.timestamps;
        let ends = [timestamps.first(), timestamps.last()];
        let is_told = ends == [Some(&chunk.range.min_ms), Some(&chunk.range.max_ms)];
        let is_plain = samples.histograms.values.is_empty()
            && !samples.floats.values.iter().any(|value| is_stale_nan(*value));
        if is_told && is_plain { Summary::of(&samples.floats.values) } else { None }
    }

    /// Gives the file its name when it is complete; its path.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn publish(mut self, fs: &dyn Fs) -> Result<PathBuf, StorageError> {
        let trailer = trailer(&self.table, self.output.at());
        self.output.write(&self.table)?;
        self.output.write(&trailer)?;
        self.output.finish()?;
        let named = fs.rename(&unfinished(&self.path), &self.path);
        let durable = named.and_then(|()| self.path.parent().map_or(Ok(()), |dir| fs.sync_dir(dir)));
        durable.map_err(|error| io_failed(&error))?;
        Ok(self.path)
    }
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(UNFINISHED_SUFFIX);
    name.into()
}
