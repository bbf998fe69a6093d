//! `narthex tsdb dump` and `narthex tsdb export`: every sample of a store as text.

use std::fmt::Write;

use narthex_model::histogram::FloatHistogram;
use narthex_model::labels::METRIC_NAME;
use narthex_model::number::format_g;
use narthex_model::sample::is_stale_nan;
use narthex_model::{Labels, TimeRange, Timestamp};
use narthex_storage::{Queryable, SampleBuffer, SelectHints, SeriesSet};

use super::store::{matchers_of, open_store, trouble};
use crate::exit::{Ended, Outcome, Trouble};
use crate::screen::Screen;
use crate::tsdb_args::DumpArgs;

/// How samples are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// Labels, value and milliseconds: everything.
    Samples,
    /// OpenMetrics, which has no native histograms and no stale markers.
    OpenMetrics,
}

/// Text is written when there is so much of it.
const OUTPUT_BYTES: usize = 1 << 16;

/// Runs the command.
pub(super) fn run(args: &DumpArgs, form: Form, screen: &Screen) -> Ended {
    let selectors =
        args.selectors.iter().map(|selector| matchers_of(selector)).collect::<Result<Vec<_>, _>>()?;
    let store = open_store(&args.store.dir, screen)?;
    let range = TimeRange::new(args.min_time, args.max_time);
    let querier = store.querier(range).map_err(|error| trouble(&error))?;
    let mut sets = Vec::new();
    for matchers in &selectors {
        sets.push(querier.select(matchers, range, &SelectHints::default()).map_err(|error| trouble(&error))?);
    }
    let mut out = String::new();
    write_all(&sets, range, form, &mut out, screen)?;
    if form == Form::OpenMetrics {
        out += "# EOF\n";
    }
    screen.print(&out)?;
    querier.warnings().iter().for_each(|warning| screen.note(&format!("warning: {warning}\n")));
    Ok(Outcome::Clean)
}

/// The series of all sets in the order of labels, each once.
fn write_all(
    sets: &[Box<dyn SeriesSet + '_>],
    range: TimeRange,
    form: Form,
    out: &mut String,
    screen: &Screen,
) -> Result<(), Trouble> {
    let mut places: Vec<(usize, usize)> =
        sets.iter().enumerate().flat_map(|(set, all)| (0..all.len()).map(move |at| (set, at))).collect();
    let labels = |&(set, at): &(usize, usize)| sets[set].labels(at);
    places.sort_by(|left, right| labels(left).cmp(labels(right)));
    places.dedup_by(|left, right| labels(left) == labels(right));
    let mut samples = SampleBuffer::new();
    for (set, at) in places {
        sets[set].read(at, range, &mut samples).map_err(|error| trouble(&error))?;
        match form {
            Form::Samples => write_samples(sets[set].labels(at), &samples, out),
            Form::OpenMetrics => write_open_metrics(sets[set].labels(at), &samples, out),
        }
        if out.len() >= OUTPUT_BYTES {
            screen.print(out)?;
            out.clear();
        }
    }
    Ok(())
}

fn write_samples(labels: &Labels, samples: &SampleBuffer, out: &mut String) {
    let SampleBuffer { floats, histograms } = samples;
    let mut histograms = histograms.timestamps.iter().zip(&histograms.values).peekable();
    let mut write_histograms = |before_ms: Timestamp, out: &mut String| {
        while let Some((at_ms, value)) = histograms.next_if(|(at_ms, _)| **at_ms < before_ms) {
            let _ = writeln!(out, "{labels} {} {at_ms}", histogram(value));
        }
    };
    for (&at_ms, &value) in floats.timestamps.iter().zip(&floats.values) {
        write_histograms(at_ms, out);
        let _ = writeln!(out, "{labels} {} {at_ms}", format_g(value));
    }
    write_histograms(Timestamp::MAX, out);
}

fn histogram(value: &FloatHistogram) -> String {
    value.to_string()
}

/// One series as OpenMetrics, without what it cannot say.
fn write_open_metrics(labels: &Labels, samples: &SampleBuffer, out: &mut String) {
    let mut series = labels.metric_name().to_owned();
    let others = labels.filtered(|name, _| name != METRIC_NAME);
    let mut separator = '{';
    for (name, value) in others.iter() {
        series.push(separator);
        narthex_model::labels::write_label_name(&mut series, name);
        series.push('=');
        narthex_model::labels::quote(&mut series, value.as_bytes());
        separator = ',';
    }
    series += if others.is_empty() { "{}" } else { "}" };
    let floats = samples.floats.timestamps.iter().zip(&samples.floats.values);
    for (&at_ms, &value) in floats.filter(|(_, value)| !is_stale_nan(**value)) {
        let sign = if at_ms < 0 { "-" } else { "" };
        let (seconds, rest) = (at_ms.unsigned_abs() / 1000, at_ms.unsigned_abs() % 1000);
        let _ = writeln!(out, "{series} {} {sign}{seconds}.{rest:03}", format_g(value));
    }
}
