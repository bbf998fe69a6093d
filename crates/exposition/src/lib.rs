//! Scrape bodies: Prometheus text and OpenMetrics.
//!
//! ```
//! use narthex_exposition::{Entry, parse_text};
//!
//! let body = "# TYPE up gauge\nup{job=\"api\"} 1 1700000000000\n";
//! let entries: Vec<_> = parse_text(body).collect::<Result<_, _>>().unwrap();
//! let Entry::Sample(sample) = &entries[1] else { panic!("a sample follows its type") };
//! assert_eq!(sample.series, "up{job=\"api\"}");
//! assert_eq!((sample.value, sample.timestamp_ms), (1.0, Some(1_700_000_000_000)));
//! assert_eq!(sample.labels().unwrap().to_string(), "{__name__=\"up\", job=\"api\"}");
//! ```
//!
//! Reading order: [`entry`], [`parse`](mod@parse), then `scan`, `text` and `openmetrics`.

pub mod codes;
pub mod entry;
mod openmetrics;
pub mod parse;
mod scan;
mod text;
pub mod write;

pub use entry::{Entry, Exemplar, LabelIter, MetricType, Sample};
pub use parse::{Entries, Format, Mode, decode, detect, parse, parse_openmetrics, parse_text};
