//! The Prometheus data model as values.
