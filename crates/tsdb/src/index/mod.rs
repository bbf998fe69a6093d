//! The index of a block: which series there are, which labels they have, where their chunks lie.
//!
//! Reading order: `cursor`, `toc`, `symbols`, `series`, `postings_table`, `reader`, `spill`, `writer`.

pub(crate) mod cursor;
mod postings_table;
mod reader;
mod series;
mod spill;
mod symbols;
mod toc;
mod writer;

pub(crate) use reader::{Index, SeriesReader};
pub(crate) use series::ChunkMeta;
pub(crate) use spill::Spill;
pub(crate) use writer::write_index;
