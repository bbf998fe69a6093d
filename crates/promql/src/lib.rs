//! PromQL: text to tree and back, types, and the language's tables.
