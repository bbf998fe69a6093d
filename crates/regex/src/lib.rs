//! Go (RE2) regular-expression syntax on Rust engines.
