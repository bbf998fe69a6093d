//! The stretches between the borders of windows, each summed up, and the windows put together from them.

use std::ops::Range;

use narthex_model::Timestamp;
use narthex_storage::{FloatColumn, Run, Summary, SummaryNeed};

use super::{Places, WindowBounds};

/// Where windows begin and end: the same for every series.
#[derive(Debug)]
pub(crate) struct SegmentGrid {
    /// Rising. Segment `n` reaches from just behind border `n − 1` to border `n`.
    borders: Vec<Timestamp>,
    /// The segments that make up the window of each step.
    windows: Vec<Range<u32>>,
}

impl SegmentGrid {
    /// Of windows whose borders rise (or stay) from step to step.
    pub(crate) fn new(bounds: &[WindowBounds]) -> SegmentGrid {
        let mut borders: Vec<Timestamp> =
            bounds.iter().flat_map(|bounds| [bounds.start_ms, bounds.end_ms]).collect();
        borders.sort_unstable();
        borders.dedup();
        let behind = |at_ms: Timestamp| borders.partition_point(|&border_ms| border_ms <= at_ms) as u32;
        let windows = bounds.iter().map(|bounds| behind(bounds.start_ms)..behind(bounds.end_ms)).collect();
        SegmentGrid { borders, windows }
    }

    /// Bytes that it takes for so many windows, and for the segments of one series.
    pub(crate) fn size_bytes(windows: usize) -> usize {
        let borders = 2 * windows;
        borders * (size_of::<Timestamp>() + size_of::<Option<Segment>>()) + windows * size_of::<Range<u32>>()
    }
}

/// Float samples between two borders of windows.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) first_ms: Timestamp,
    pub(crate) last_ms: Timestamp,
    pub(crate) summary: Summary,
    /// Where its falls are among those of the series.
    falls: Range<usize>,
}

/// The samples of one series, all of them floats, as the windows of all steps see them.
#[derive(Debug)]
pub(crate) struct Segments<'g> {
    grid: &'g SegmentGrid,
    segments: Vec<Option<Segment>>,
    /// The values behind which a lesser one came within a segment, in order, if they were asked for.
    falls: Vec<f64>,
}

impl<'g> Segments<'g> {
    /// Sums up samples without stale markers, and runs that lie between them and serve `need`.
    pub(crate) fn of(
        floats: &FloatColumn,
        runs: &[Run],
        need: SummaryNeed,
        grid: &'g SegmentGrid,
    ) -> Segments<'g> {
        let keeps_falls = need == SummaryNeed::NoResets;
        let mut builder = Builder { floats, keeps_falls, segment: None, falls: Vec::new() };
        let mut segments = Vec::with_capacity(grid.borders.len());
        let mut places = Places::new(&floats.timestamps);
        let (mut from, mut runs) = (0, runs.iter().peekable());
        for &border_ms in &grid.borders {
            let to = places.up_to(border_ms);
            while let Some(run) = runs.next_if(|run| run.last_ms <= border_ms) {
                let before = &floats.timestamps[from..to];
                let at = from + before.partition_point(|&sample_ms| sample_ms < run.first_ms);
                builder.add_samples(from..at);
                builder.add(run);
                from = at;
            }
            builder.add_samples(from..to);
            from = to;
            segments.push(builder.segment.take());
        }
        Segments { grid, segments, falls: builder.falls }
    }

    /// Number of steps.
    pub(crate) fn len(&self) -> usize {
        self.grid.windows.len()
    }

    /// The segments with samples in the window of a step, in order.
    pub(crate) fn window(&self, step: usize) -> impl Iterator<Item = &Segment> {
        let Range { start, end } = self.grid.windows.get(step).cloned().unwrap_or_default();
        self.segments.get(start as usize..end as usize).unwrap_or(&[]).iter().flatten()
    }

    /// What the window of a step amounts to: its first and last times, and its samples. `None` without samples.
    pub(crate) fn total(&self, step: usize) -> Option<Segment> {
        let mut segments = self.window(step);
        let mut total = segments.next()?.clone();
        for segment in segments {
            total.last_ms = segment.last_ms;
            total.summary.append(&segment.summary);
        }
        Some(total)
    }

    /// The values behind which a lesser one came within a segment, in order.
    pub(crate) fn falls(&self, segment: &Segment) -> &[f64] {
        self.falls.get(segment.falls.clone()).unwrap_or(&[])
    }
}

/// Puts one segment together.
struct Builder<'s> {
    floats: &'s FloatColumn,
    keeps_falls: bool,
    segment: Option<Segment>,
    falls: Vec<f64>,
}

impl Builder<'_> {
    fn add_samples(&mut self, places: Range<usize>) {
        let (timestamps, values) = (&self.floats.timestamps[places.clone()], &self.floats.values[places]);
        let (Some(&first_ms), Some(&last_ms)) = (timestamps.first(), timestamps.last()) else { return };
        let Some(summary) = Summary::of(values) else { return };
        self.add(&Run { first_ms, last_ms, summary });
        if self.keeps_falls && summary.resets > 0 {
            let falls = values.windows(2).filter(|pair| pair[1] < pair[0]).map(|pair| pair[0]);
            self.falls.extend(falls);
            self.end_falls();
        }
    }

    /// Adds samples without the falls between them.
    fn add(&mut self, run: &Run) {
        let Some(segment) = &mut self.segment else {
            let falls = self.falls.len()..self.falls.len();
            let Run { first_ms, last_ms, summary } = *run;
            self.segment = Some(Segment { first_ms, last_ms, summary, falls });
            return;
        };
        let before = segment.summary.last;
        segment.last_ms = run.last_ms;
        segment.summary.append(&run.summary);
        if self.keeps_falls && run.summary.first < before {
            self.falls.push(before);
            self.end_falls();
        }
    }

    fn end_falls(&mut self) {
        if let Some(segment) = &mut self.segment {
            segment.falls.end = self.falls.len();
        }
    }
}
