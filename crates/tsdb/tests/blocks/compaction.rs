//! Whether compaction keeps what is there.
