//! The index of a block: which series there are, which labels they have, where their chunks lie.
//!
//! Reading order: `cursor`, `toc`, `symbols`, `series`, `postings_table`, [`reader`], `spill`, [`writer`].

pub(crate) mod cursor;
mod postings_table;
mod series;
mod symbols;
mod toc;

pub(crate) use series::ChunkMeta;
