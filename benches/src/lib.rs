//! Per-layer and end-to-end benchmarks.
