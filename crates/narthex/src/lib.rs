//! The library to embed: parse, plan, evaluate PromQL; validate and lint rule files.
