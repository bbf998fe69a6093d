//! Accelerators: what is derived from blocks so that queries need not decode them.
//!
//! All of it is disposable. It lies beside the blocks, never in them, is told apart by the block it was made of, and
//! whatever is damaged or missing is made again; a query that finds none decodes. Reading order: `record`, `file`,
//! `builder`.

mod builder;
mod file;
mod record;

pub(crate) use builder::{Progress, SummaryBuilder, UNFINISHED_SUFFIX};
pub(crate) use file::{Origin, SeriesSummaries, SummaryFile};
