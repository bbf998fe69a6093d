//! How results are written: one file per format, one table.

mod csv;
mod json;
mod table;

use clap::ValueEnum;
use narthex_eval::QueryValue;

/// A format of results; [`OutputFormat::write`] is the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum OutputFormat {
    /// Aligned, for people.
    Table,
    /// What the HTTP API has under `data`.
    Json,
    /// A line per sample.
    Csv,
}

impl OutputFormat {
    /// The text of a result.
    pub(crate) fn write(self, value: &QueryValue) -> String {
        match self {
            OutputFormat::Table => table::write(value),
            OutputFormat::Json => json::write(value),
            OutputFormat::Csv => csv::write(value),
        }
    }
}
