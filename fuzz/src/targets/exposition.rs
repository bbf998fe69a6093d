//! What holds for scrape bodies of either format.

use narthex_exposition::{Entry, Format, Mode, Sample, detect, parse, parse_text, write};

use crate::input::check_places;

/// Checks every entry, and that a scrape sees what precedes the first error.
pub(super) fn check(body: &str, format: Format) {
    detect(body);
    let all: Vec<_> = parse(body, format, Mode::File).collect();
    for entry in &all {
        match entry {
            Ok(Entry::Sample(sample)) => check_sample(sample, body),
            Ok(_) => {}
            Err(error) => check_places(error, body),
        }
    }
    let scraped: Vec<_> = parse(body, format, Mode::Scrape).collect();
    let is_whole = scraped.last().is_none_or(Result::is_ok);
    // As text, for NaN is not equal to itself.
    assert_eq!(format!("{:?}", &all[..scraped.len().min(all.len())]), format!("{scraped:?}"));
    assert!(!is_whole || scraped.len() == all.len());
}

fn check_sample(sample: &Sample<'_>, body: &str) {
    assert_eq!(sample.series_span.slice(body), sample.series);
    if let Some(exemplar) = &sample.exemplar {
        exemplar.labels().for_each(drop);
    }
    match sample.labels() {
        // Only OpenMetrics has times before 1970.
        Ok(_) if sample.timestamp_ms.is_some_and(|at_ms| at_ms < 0) => {}
        Ok(labels) => {
            let mut line = String::new();
            write::write_sample(&mut line, &labels, sample.value, sample.timestamp_ms);
            check_written(&line, sample);
        }
        Err(error) => check_places(&error, body),
    }
}

/// That a sample written anew is the same sample.
fn check_written(line: &str, sample: &Sample<'_>) {
    let entries: Vec<_> = parse_text(line).collect();
    let read = match &entries[..] {
        [Ok(Entry::Sample(read))] => Some(read),
        _ => None,
    };
    assert_eq!(read.map(described), Some(described(sample)), "{line:?}");
}

fn described(sample: &Sample<'_>) -> impl PartialEq + std::fmt::Debug {
    let bits = if sample.value.is_nan() { f64::NAN.to_bits() } else { sample.value.to_bits() };
    (sample.labels().ok(), bits, sample.timestamp_ms)
}
