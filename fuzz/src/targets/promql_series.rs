//! Any text as a series description: bounded, and labels print as themselves.

use narthex_promql::series::{VALUES_MAX, parse_start_offsets};
use narthex_promql::{parse_metric, parse_series};

use crate::input::{check_places, text};

/// See the module.
pub fn target(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match parse_series(text) {
        Ok(series) => {
            assert!(series.values.len() <= VALUES_MAX);
            let printed = series.labels.to_string();
            assert_eq!(parse_metric(&printed).as_ref(), Ok(&series.labels), "{printed}");
        }
        Err(error) => error.diagnostics.iter().for_each(|found| check_places(found, text)),
    }
    match parse_start_offsets(text) {
        Ok(starts) => assert!(starts.is_none_or(|starts| starts.offsets_ms.len() <= VALUES_MAX)),
        Err(error) => error.diagnostics.iter().for_each(|found| check_places(found, text)),
    }
}
