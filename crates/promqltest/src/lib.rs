//! The promqltest language: scripts that load samples and expect results.
