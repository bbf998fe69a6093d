//! `load` and its series.

use std::collections::BTreeMap;

use narthex_model::{Labels, PromDuration};
use narthex_promql::series::{SeriesDescription, parse_series, parse_start_offsets};

use super::line::{Line, Lines};
use super::{Fault, fault_in};
use crate::script::{Load, LoadedSeries};

pub(super) fn load(first: Line<'_>, lines: &mut Lines<'_>) -> Result<Load, Fault> {
    let (word, step) = first.split_word();
    let adds_custom_buckets = match word.text.to_ascii_lowercase().as_str() {
        "load" => false,
        "load_with_nhcb" => true,
        _ => {
            let message = format!("expected `load` or `load_with_nhcb`, found {:?}", word.text);
            return Err(Fault::new(message, word.span));
        }
    };
    let step_ms = PromDuration::parse(step.text)
        .map_err(|error| Fault::new(format!("invalid step definition {:?}: {error}", step.text), step.span))?
        .ms;
    let series = all_series(lines)?;
    Ok(Load { step_ms, adds_custom_buckets, series })
}

/// The lines of the block; of equal label sets the last counts.
fn all_series(lines: &mut Lines<'_>) -> Result<Vec<LoadedSeries>, Fault> {
    let mut series: Vec<LoadedSeries> = Vec::new();
    let mut places: BTreeMap<Labels, usize> = BTreeMap::new();
    while let Some(line) = lines.next_in_block() {
        let one = one_series(line, lines)?;
        match places.get(&one.labels) {
            Some(&place) => series[place] = one,
            None => {
                places.insert(one.labels.clone(), series.len());
                series.push(one);
            }
        }
    }
    Ok(series)
}

/// A series, or start timestamps and the series they belong to.
fn one_series(line: Line<'_>, lines: &mut Lines<'_>) -> Result<LoadedSeries, Fault> {
    let Some(starts) = parse_start_offsets(line.text).map_err(|error| fault_in(line, &error))? else {
        let SeriesDescription { labels, values } = read_series(line)?;
        return Ok(LoadedSeries { labels, values, start_offsets_ms: Vec::new() });
    };
    let expected = || format!("expected the series {} after its start timestamps", starts.labels);
    let next = lines.next_in_block().ok_or_else(|| Fault::new(expected(), line.span))?;
    let SeriesDescription { labels, values } = read_series(next)?;
    if labels != starts.labels {
        return Err(Fault::new(expected(), next.span));
    }
    if starts.offsets_ms.len() != values.len() {
        let (found, wanted) = (starts.offsets_ms.len(), values.len());
        let message = format!("expected as many start timestamps as values, found {found} for {wanted}");
        return Err(Fault::new(message, line.span));
    }
    Ok(LoadedSeries { labels, values, start_offsets_ms: starts.offsets_ms })
}

/// A line in series notation.
pub(super) fn read_series(line: Line<'_>) -> Result<SeriesDescription, Fault> {
    parse_series(line.text).map_err(|error| fault_in(line, &error))
}
