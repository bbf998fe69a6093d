//! Samples in memory and on disk: chunks, postings, the head.
