//! Reading what a command works on: files, standard input, samples.

use std::fs::File;
use std::io::{self, Read};

use narthex_diag::{Code, Diagnostic, SourceId, SourceMap};
use narthex_exposition::{Entry, Mode, detect};
use narthex_model::Timestamp;
use narthex_storage::Appender;
use narthex_tsdb::Head;

use crate::exit::Trouble;
use crate::paths::STDIN;

/// A sample that the store does not take: another value of its series is there at the same time.
pub(crate) const SAMPLE_REFUSED: Code = Code("EXP010");

/// The longest text that is read whole: some files have no end.
const BYTES_MAX: u64 = 1 << 30;

/// The bytes of a file, or of standard input for `-`.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn read_bytes(path: &str) -> Result<Vec<u8>, Trouble> {
    if path == STDIN {
        return read_whole(io::stdin().lock()).map_err(|error| Trouble::io("read", "standard input", &error));
    }
    read_file(path).map_err(|error| Trouble::io("read", path, &error))
}

/// The bytes of a file.
pub(crate) fn read_file(path: &str) -> io::Result<Vec<u8>> {
    read_whole(File::open(path)?)
}

fn read_whole(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let length = source.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if length as u64 > BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "expected at most 1 GiB"));
    }
    Ok(bytes)
}

/// The text of a file, or of standard input for `-`.
///
/// # Errors
/// When it cannot be read or is no UTF-8.
pub(crate) fn read_text(path: &str) -> Result<String, Trouble> {
    String::from_utf8(read_bytes(path)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Trouble::new(format!("{}: expected UTF-8, found another byte at offset {at}", name_of(path)))
    })
}

/// What to call a source in diagnostics.
pub(crate) fn name_of(path: &str) -> &str {
    if path == STDIN { "<stdin>" } else { path }
}

/// Samples of some files in one store.
pub(crate) struct Samples {
    /// The store.
    pub(crate) head: Head,
    /// Time of the newest sample.
    pub(crate) newest_ms: Option<Timestamp>,
    /// What is wrong with the files.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Their texts.
    pub(crate) sources: SourceMap,
}

/// A sample on its way into the store, with the place it was read from.
struct Loaded {
    labels: narthex_model::Labels,
    at_ms: Timestamp,
    value: f64,
    source: SourceId,
    span: narthex_diag::Span,
}

/// Loads exposition or OpenMetrics files. A sample without a timestamp counts as taken at `default_ms`. Files are read
/// to their end whatever is wrong in them; the samples of one series may stand in any order.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn load_samples(paths: &[String], default_ms: Timestamp) -> Result<Samples, Trouble> {
    let mut samples = Samples {
        head: Head::new(narthex_tsdb::HeadLimits::EMBEDDED),
        newest_ms: None,
        diagnostics: Vec::new(),
        sources: SourceMap::new(),
    };
    let mut loaded = Vec::new();
    for path in paths {
        let text = read_text(path)?;
        let source = samples.sources.add(name_of(path), text);
        let text = samples.sources.get(source).map_or("", |source| &source.text);
        samples.diagnostics.extend(read_entries(text, source, default_ms, &mut loaded));
    }
    // One pass in time order: files may overlap, and a store takes the samples of a series in order only.
    loaded.sort_by_key(|sample| sample.at_ms);
    samples.newest_ms = loaded.last().map(|sample| sample.at_ms);
    append_all(&mut samples, &loaded);
    Ok(samples)
}

fn read_entries(
    text: &str,
    source: SourceId,
    default_ms: Timestamp,
    loaded: &mut Vec<Loaded>,
) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for entry in narthex_exposition::parse(text, detect(text), Mode::File) {
        let sample = match entry {
            Ok(Entry::Sample(sample)) => sample,
            Ok(_) => continue,
            Err(error) => {
                diagnostics.push(error.in_source(source));
                continue;
            }
        };
        match sample.labels() {
            Ok(labels) => loaded.push(Loaded {
                labels,
                at_ms: sample.timestamp_ms.unwrap_or(default_ms),
                value: sample.value,
                source,
                span: sample.series_span,
            }),
            Err(error) => diagnostics.push(error.in_source(source)),
        }
    }
    diagnostics
}

fn append_all(samples: &mut Samples, loaded: &[Loaded]) {
    for sample in loaded {
        let appended = samples.head.append(&sample.labels, sample.at_ms, sample.value.into(), 0);
        if let Err(error) = appended {
            let diagnostic = Diagnostic::error(SAMPLE_REFUSED, error.to_string(), sample.span);
            samples.diagnostics.push(diagnostic.in_source(sample.source));
        }
    }
    // Committing to memory has nothing to write.
    let committed = samples.head.commit();
    debug_assert!(committed.is_ok(), "a head in memory commits");
}
