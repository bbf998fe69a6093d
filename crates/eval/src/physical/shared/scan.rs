//! One pass over series for all who cut windows from them.

use std::sync::{Arc, Mutex};

use narthex_diag::Span;
use narthex_model::{Matcher, StepGrid, TimeRange};
use narthex_storage::{Querier, SelectHints, SeriesSet};

use super::kernel::{Kernel, Scanned, are_distinct};
use super::outlet::{Outlet, kept_bytes_max};
use super::{Producer, Sink, Supply, locked};
use crate::column::SeriesBatch;
use crate::memory::Reservation;
use crate::physical::exchange::{Buffer, Workers};
use crate::physical::relabel::SeriesList;
use crate::physical::window_source::SCRATCH_BYTES;
use crate::physical::{SeriesMetadata, selected, series_per_batch};
use crate::{EvalError, EvalErrorKind, QueryContext, StepColumn};

/// Reads each series once, over the longest range that a kernel wants of it, and applies all kernels that want it.
pub(super) struct Scan<'a> {
    querier: &'a dyn Querier,
    grid: StepGrid,
    context: QueryContext,
    state: Mutex<State<'a>>,
}

#[derive(Default)]
struct State<'a> {
    taps: Vec<Tap<'a>>,
    opened: Option<Result<Opened<'a>, EvalError>>,
    has_begun: bool,
    failed: Option<EvalError>,
}

/// An outlet: what is computed of which series.
struct Tap<'a> {
    kernel: Kernel<'a>,
    matchers: &'a [Matcher],
    /// Its annotations are heard by all takers.
    context: QueryContext,
    span: Span,
    outlet: Outlet<'a>,
    series: Arc<[SeriesMetadata]>,
    /// By series of the scan: the number here, if the series is wanted.
    places: Vec<Option<u32>>,
    /// By series here: its number in the scan.
    members: Vec<u32>,
    /// Whether the series can be named one by one.
    is_plain: bool,
    /// The first series that the kernel fails on, and why; other taps have nothing to do with it.
    failed: Mutex<Option<(usize, EvalError)>>,
    /// What the numbers take, and the series.
    _held: [Reservation; 2],
}

struct Opened<'a> {
    set: Box<dyn SeriesSet + 'a>,
    next: usize,
    rows: Vec<Row>,
    held: Reservation,
    workers: Workers,
    _series: Reservation,
}

/// The columns of one series, one for each tap; only those of taps that want it mean something.
#[derive(Default)]
struct Row {
    columns: Vec<StepColumn>,
}

impl<'a> Scan<'a> {
    pub(super) fn new(querier: &'a dyn Querier, grid: StepGrid, context: QueryContext) -> Scan<'a> {
        Scan { querier, grid, context, state: Mutex::default() }
    }

    /// Adds an outlet for the series that satisfy `matchers`, of a selector at `span`; returns its number.
    pub(super) fn tap(
        &self,
        kernel: Kernel<'a>,
        matchers: &'a [Matcher],
        span: Span,
        context: QueryContext,
    ) -> usize {
        let taps = &mut locked(&self.state).taps;
        taps.push(Tap {
            kernel,
            matchers,
            context,
            span,
            outlet: Outlet::default(),
            series: Arc::new([]),
            places: Vec::new(),
            members: Vec::new(),
            is_plain: false,
            failed: Mutex::default(),
            _held: Default::default(),
        });
        taps.len() - 1
    }

    /// Selects the series of all taps, once.
    fn open(&self, state: &mut State<'a>) -> Result<(), EvalError> {
        let opened = state.opened.get_or_insert_with(|| {
            let common = common(&state.taps);
            let opened = self.select(&state.taps, &common)?;
            for tap in &mut state.taps {
                tap.choose(&*opened.set, &common, &self.context)?;
            }
            Ok(opened)
        });
        opened.as_ref().map(drop).map_err(EvalError::clone)
    }

    fn select(&self, taps: &[Tap<'a>], common: &[Matcher]) -> Result<Opened<'a>, EvalError> {
        let range = taps.iter().map(|tap| tap.kernel.range()).reduce(hull).unwrap_or(TimeRange::new(0, -1));
        let range_ms = taps.iter().map(|tap| tap.kernel.range_ms()).max().unwrap_or(0);
        let step_ms = if self.grid.len > 1 { self.grid.step_ms } else { 0 };
        let hints = SelectHints { step_ms, range_ms, ..SelectHints::default() };
        let set = self.querier.select(common, range, &hints)?;
        let span = taps.first().map_or(Span::default(), |tap| tap.span);
        let (_, series) = selected(&*set, &self.context, self.grid.len, span)?;
        let held = self.context.reserve(0)?;
        Ok(Opened { set, next: 0, rows: Vec::new(), held, workers: Workers::default(), _series: series })
    }

    /// Reads the next series and hands their columns out; `false` after the last.
    fn advance(&self, state: &mut State<'a>) -> Result<bool, EvalError> {
        self.context.check()?;
        let State { taps, opened: Some(Ok(opened)), .. } = state else { return Ok(false) };
        let wanted: Vec<bool> =
            taps.iter().map(|tap| tap.outlet.is_wanted() && tap.failure().is_ok()).collect();
        let width = wanted.iter().filter(|is_wanted| **is_wanted).count();
        let steps = self.grid.len;
        let first = opened.next;
        let end = opened.set.len().min(first + series_per_batch(steps.saturating_mul(width)));
        if width == 0 || first == end {
            return Ok(false);
        }
        opened.rows.resize_with(opened.rows.len().max(end - first), Row::default);
        let rows = &mut opened.rows[..end - first];
        let set = &*opened.set;
        opened.workers.each(&self.context, first, rows, steps * width, |series, buffer, row| {
            row.columns.resize_with(taps.len(), StepColumn::default);
            read(set, series, taps, &wanted, (buffer, &self.context), &mut row.columns, steps)
        })?;
        self.context.check()?;
        let bytes = rows.iter().flat_map(|row| &row.columns).map(StepColumn::size_bytes).sum();
        opened.held.resize(bytes)?;
        for (number, tap) in taps.iter_mut().enumerate().filter(|(number, _)| wanted[*number]) {
            tap.hand_out(number, first, rows, &self.context)?;
        }
        opened.next = end;
        Ok(true)
    }

    fn begin(&self, state: &mut State<'a>) -> Result<(), EvalError> {
        if let Some(error) = &state.failed {
            return Err(error.clone());
        }
        self.open(state)?;
        if !std::mem::replace(&mut state.has_begun, true) {
            let plain = state.taps.iter().filter(|tap| tap.is_plain);
            plain.for_each(|tap| tap.outlet.begin(&tap.series));
        }
        Ok(())
    }

    fn advance_once(&self, state: &mut State<'a>) -> Result<bool, EvalError> {
        let outcome = self.advance(state);
        if let Err(error) = &outcome {
            state.failed = Some(error.clone());
        }
        outcome
    }
}

/// The conditions of all taps: those of the widest.
fn common(taps: &[Tap<'_>]) -> Vec<Matcher> {
    let Some((first, rest)) = taps.split_first() else { return Vec::new() };
    let is_common = |matcher: &&Matcher| rest.iter().all(|tap| tap.matchers.contains(matcher));
    first.matchers.iter().filter(is_common).cloned().collect()
}

fn hull(a: TimeRange, b: TimeRange) -> TimeRange {
    TimeRange::new(a.min_ms.min(b.min_ms), a.max_ms.max(b.max_ms))
}

/// Reads one series for all taps that want it.
fn read(
    set: &dyn SeriesSet,
    series: usize,
    taps: &[Tap<'_>],
    wanted: &[bool],
    (buffer, context): (&mut Buffer, &QueryContext),
    columns: &mut [StepColumn],
    steps: usize,
) -> Result<(), EvalError> {
    let wants = |(tap, is_wanted): (&Tap<'_>, &bool)| *is_wanted && tap.places[series].is_some();
    let wanting = || taps.iter().zip(wanted).enumerate().filter(|(_, tap)| wants(*tap));
    let ranges = wanting().map(|(_, (tap, _))| tap.kernel.range());
    let Some(range) = ranges.reduce(hull) else { return Ok(()) };
    set.read(series, range, &mut buffer.samples)?;
    buffer.count(context, 4 * SCRATCH_BYTES)?;
    let scanned = Scanned::new(set, series, range, &buffer.samples);
    for (number, (tap, _)) in wanting() {
        let column = &mut columns[number];
        column.reset(steps);
        let samples = (&mut buffer.samples, &mut buffer.part);
        if let Err(error) = tap.kernel.evaluate(&tap.context, &scanned, samples, column) {
            tap.fail(series, error);
        }
    }
    Ok(())
}

impl Tap<'_> {
    /// Picks the series that satisfy all conditions; those in `common` all do.
    fn choose(
        &mut self,
        set: &dyn SeriesSet,
        common: &[Matcher],
        context: &QueryContext,
    ) -> Result<(), EvalError> {
        let further: Vec<&Matcher> =
            self.matchers.iter().filter(|matcher| !common.contains(matcher)).collect();
        let numbers = context.reserve(set.len() * (size_of::<Option<u32>>() + size_of::<u32>()))?;
        let mut series = SeriesList::new(context)?;
        for number in 0..set.len() {
            let labels = set.labels(number);
            let satisfies =
                |matcher: &&Matcher| matcher.matches(labels.get(matcher.name()).unwrap_or_default());
            let is_wanted = further.iter().all(satisfies);
            self.places.push(is_wanted.then_some(self.members.len() as u32));
            if is_wanted {
                self.members.push(number as u32);
                let origin = SeriesMetadata { labels: labels.clone(), drops_name: false };
                series.push(context, self.kernel.renamed(&origin, context), Some(&origin))?;
            }
        }
        let (series, list) = series.finish()?;
        (self.is_plain, self.series, self._held) = (are_distinct(&series), series, [numbers, list]);
        Ok(())
    }

    /// Notes that the kernel fails on a series.
    fn fail(&self, series: usize, error: EvalError) {
        let mut failed = locked(&self.failed);
        if failed.as_ref().is_none_or(|(first, _)| series < *first) {
            *failed = Some((series, error));
        }
    }

    fn failure(&self) -> Result<(), EvalError> {
        locked(&self.failed).as_ref().map_or(Ok(()), |(_, error)| Err(error.clone()))
    }

    /// Hands out the columns of the rows from series number `first` of the scan on.
    fn hand_out(
        &mut self,
        number: usize,
        first: usize,
        rows: &mut [Row],
        context: &QueryContext,
    ) -> Result<(), EvalError> {
        let is_asked = self.outlet.is_asked();
        let (mut kept, mut first_kept) = (Vec::new(), 0);
        for (at, row) in rows.iter_mut().enumerate() {
            let Some(series) = self.places[first + at] else { continue };
            let column = &mut row.columns[number];
            self.outlet.feed(series as usize, column);
            if is_asked {
                if kept.is_empty() {
                    first_kept = series as usize;
                }
                kept.push(std::mem::take(column));
            }
        }
        if !kept.is_empty() {
            self.outlet.keep(first_kept, kept, context)?;
            self.outlet.leave_laggards_behind(kept_bytes_max(context));
        }
        Ok(())
    }
}

impl<'a> Producer<'a> for Scan<'a> {
    fn join(&self, outlet: usize) -> usize {
        locked(&self.state).taps[outlet].outlet.join()
    }

    fn join_sink(&self, outlet: usize, sink: Arc<Mutex<dyn Sink + 'a>>) -> usize {
        locked(&self.state).taps[outlet].outlet.join_sink(sink)
    }

    fn leave(&self, outlet: usize, taker: usize) {
        locked(&self.state).taps[outlet].outlet.leave(taker);
    }

    fn series(&self, outlet: usize, taker: usize) -> Result<Supply<Arc<[SeriesMetadata]>>, EvalError> {
        let state = &mut *locked(&self.state);
        match self.open(state) {
            Ok(()) if state.taps[outlet].is_plain => {
                Ok(Supply::Shared(Arc::clone(&state.taps[outlet].series)))
            }
            Err(error) if error.kind() != EvalErrorKind::Limit => Err(error),
            _ => {
                state.taps[outlet].outlet.leave(taker);
                Ok(Supply::Alone)
            }
        }
    }

    fn next(&self, outlet: usize, taker: usize, batch: &mut SeriesBatch) -> Result<Supply<bool>, EvalError> {
        let state = &mut *locked(&self.state);
        self.begin(state)?;
        loop {
            state.taps[outlet].failure()?;
            if !state.taps[outlet].outlet.serves(taker) {
                // Also drops what is kept.
                state.taps[outlet].outlet.leave(taker);
                return Ok(Supply::Alone);
            }
            if state.taps[outlet].outlet.take(taker, batch) {
                return Ok(Supply::Shared(true));
            }
            if !self.advance_once(state)? {
                batch.start(0);
                return Ok(Supply::Shared(false));
            }
        }
    }

    fn finish(&self, outlet: usize) -> Result<(), EvalError> {
        let state = &mut *locked(&self.state);
        self.begin(state)?;
        while self.advance_once(state)? {}
        state.taps[outlet].failure()
    }

    fn next_alone(
        &self,
        outlet: usize,
        from: usize,
        (workers, context): (&mut Workers, &QueryContext),
        batch: &mut SeriesBatch,
    ) -> Result<bool, EvalError> {
        let state = locked(&self.state);
        let (Some(Ok(opened)), tap) = (&state.opened, &state.taps[outlet]) else { return Ok(false) };
        let (set, steps, range) = (&*opened.set, self.grid.len, tap.kernel.range());
        let end = tap.members.len().min(from + series_per_batch(steps));
        workers.fill(context, batch, from..end, steps, |number, buffer, column| {
            let series = tap.members[number] as usize;
            set.read(series, range, &mut buffer.samples)?;
            buffer.count(context, 4 * SCRATCH_BYTES)?;
            let scanned = Scanned::new(set, series, range, &buffer.samples);
            let samples = (&mut buffer.samples, &mut buffer.part);
            tap.kernel.evaluate(&tap.context, &scanned, samples, column)
        })?;
        Ok(from < end)
    }
}
