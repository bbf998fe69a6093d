//! What Prometheus keeps beside its blocks, read and never written: its log, its head chunks, its snapshot.
//!
//! Reading order: `fields`, [`record`], `segment`, [`log`], [`head_chunks`], [`snapshot`], [`files`], `replay`, [`head`].

mod damage;
mod fields;
pub mod files;
pub mod head;
pub mod head_chunks;
mod histogram;
pub mod log;
pub mod record;
mod replay;
mod segment;
pub mod snapshot;
mod unpack;

pub use damage::{Damage, DamageKind};
pub use fields::CorruptRecord;
pub use head::{ForeignHead, ForeignOptions, ForeignReport};
pub use segment::{PAGE_BYTES, SegmentReader};
pub use unpack::Packing;
