//! How results are written at a prompt: those for programs are formats of `narthex-api`, here are those for people.

mod json;
mod table;

use clap::ValueEnum;
use narthex_api::{Answer, Data, Format};
use narthex_eval::QueryResult;

/// A format of results; [`OutputFormat::write`] is the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum OutputFormat {
    /// Aligned, for people.
    Table,
    /// What the HTTP API has under `data`.
    Json,
    /// A line per sample: timestamp, value, a column per label.
    Csv,
    /// An Arrow IPC stream, a row per sample.
    #[cfg(feature = "arrow")]
    Arrow,
}

impl OutputFormat {
    /// The bytes of a result.
    pub(crate) fn write(self, result: QueryResult) -> Vec<u8> {
        match self {
            OutputFormat::Table => table::write(&result.value).into_bytes(),
            OutputFormat::Json => json::write(&result.value).into_bytes(),
            OutputFormat::Csv => answer(result, "csv"),
            #[cfg(feature = "arrow")]
            OutputFormat::Arrow => answer(result, "arrow"),
        }
    }
}

/// A result as the HTTP API answers it in a format.
fn answer(result: QueryResult, format: &str) -> Vec<u8> {
    let answer = Answer { warnings: result.storage_warnings, ..Answer::new(Data::Query(result.value, None)) };
    let mut body = Vec::new();
    let written = Format::by_name(format).map(|format| answer.write_as(format, &mut body));
    debug_assert_eq!(written, Some(Ok(())), "memory does not close, and {format} is a format");
    body
}
