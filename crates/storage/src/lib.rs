//! The seam between data and the engine: matchers and a time range in, columns of samples out.
